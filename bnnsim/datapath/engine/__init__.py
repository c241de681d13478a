"""An engine's bits: tiles, partial sums and stages in the order of time."""
