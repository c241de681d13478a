"""How results show themselves in scripts and notebooks."""
