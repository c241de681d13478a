"""Fold: a first streaming architecture for a network, the cheapest for a frame rate."""
