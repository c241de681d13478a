"""Operators on whole maps: products of two, repeated pixels, means over channels, volumes, levels."""
