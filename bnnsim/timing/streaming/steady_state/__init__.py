"""The steady state: the interval between frames, with its proof."""
