"""BNN-PYNQ's parameter folders become networks."""
