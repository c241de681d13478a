"""Compiled kernels (numba): they know arrays and geometry, no networks.

Compiled on first use and cached on disk. Importing this package imports numba; what must start fast
imports it where it computes.
"""
