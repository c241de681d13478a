"""A network's layers with every shape, type and parameter inferred."""
