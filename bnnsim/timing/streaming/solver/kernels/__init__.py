"""What is compiled (numba): units over a window, and sweeps over all of them."""
