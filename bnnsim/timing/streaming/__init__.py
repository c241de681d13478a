"""How a pipeline spends its cycles."""
