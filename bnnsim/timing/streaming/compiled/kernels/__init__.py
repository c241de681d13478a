"""What is compiled (numba): visits of units, as far as they get."""
