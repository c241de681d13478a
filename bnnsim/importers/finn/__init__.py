"""FINN's dataflow graphs become a network and the architecture that they describe."""
