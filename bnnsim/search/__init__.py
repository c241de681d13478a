"""Where a design is chosen."""
