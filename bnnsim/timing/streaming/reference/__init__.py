"""The reference executor: SimPy processes that sleep until they can act."""
