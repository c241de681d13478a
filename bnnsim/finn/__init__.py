"""A design as FINN's folding, and FINN's own reports beside the simulation."""
