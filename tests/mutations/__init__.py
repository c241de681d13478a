"""Faults planted in the importer, each of which ``check`` calls wrong: ``python -m tests.mutations``."""
