"""The bounds of what a file or an argument may ask for, all in one place.

Each is checked before anything of that size is allocated or run through; what lies beyond is a fault.
They are far above any accelerator that was built, and low enough that a laptop's memory is not.
"""

from __future__ import annotations

MAX_SPEC_BYTES = 16 << 20
"""A YAML file."""
MAX_DEPTH = 100
"""How deep mappings and lists may stand in each other."""
MAX_NODES = 100_000
"""Entries of a document once every alias stands for what it names."""
MAX_DIGITS = 40
"""Digits of a number in a spec."""
MAX_ECHO = 160
"""Characters of a value, or of a list of choices, that a message repeats."""

MAX_COUNT = 1 << 31
"""Whatever a spec counts: lanes, words, bits, trips."""
MAX_DEPTH_WORDS = 1 << 24
"""Words of a FIFO."""
MAX_EXTENT = 1 << 28
"""Channels, rows or columns of a map."""
MAX_ELEMENTS = 1 << 28
"""Elements of a map, its border included."""
MAX_WEIGHTS = 1 << 31
"""Elements of a layer's weight array."""
MAX_RUN_ELEMENTS = 1 << 31
"""Elements of all maps of all frames of one bit-exact run."""
MAX_WINDOW_WORDS = 1 << 24
"""Words a frame into or out of a sliding window or a pool: what happens to each is a table."""
MAX_FRAME_CYCLES = 1 << 40
"""Cycles of an engine's frame (an hour and a half at 200 MHz)."""
MAX_FRAME_STEPS = 1 << 24
"""Steps of an engine's frame, repeats unrolled and bursts counted."""
MAX_WATCHED_WORDS = 1 << 30
"""Words of all frames that are run through one by one, in SimPy."""

MAX_ARRAY_BYTES = 1 << 30
"""Arrays of an .npz or .npy once they are unpacked."""
MAX_PIXELS = 1 << 26
"""Pixels of a picture, by its header."""
