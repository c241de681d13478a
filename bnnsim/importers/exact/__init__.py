"""Exact arithmetic on a model's floats."""
