"""YAML with the line of every key, from plain data to spec objects and back."""
