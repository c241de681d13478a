"""The hardware's bits: every unit computes from the words it received and its own folded memories."""
