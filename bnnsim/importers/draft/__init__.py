"""A network while it is being imported, and how it is written."""
