"""What users write of an engine: its blocks and the circuits they are built from."""
