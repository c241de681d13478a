"""A pipeline's bits: each unit from the words it received and its own folded memories."""
