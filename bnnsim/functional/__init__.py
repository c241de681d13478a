"""Where a bit is computed, whole tensors at a time, without a clock."""
