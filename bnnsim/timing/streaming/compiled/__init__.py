"""The compiled executor: the cycle of every word, without a clock."""
