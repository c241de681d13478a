"""Lambdas of Keras: their Python code is read, never run."""
