"""A first engine for a network: kinds of arrays as specs, and which sizes fit a part."""
