"""A pipeline and a network: folding checked, units and streams laid out."""
