"""Sweep: a plain grid over one or two fields of an architecture, for the question "what if"."""
