"""Oracles: slow and simple ways to what the product computes."""
