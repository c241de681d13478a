"""Keras models and the layers that are written for Keras, run as their documentation says."""
