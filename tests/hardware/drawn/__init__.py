"""Random units of every kind, each alone with its streams, its numbers and its words."""
