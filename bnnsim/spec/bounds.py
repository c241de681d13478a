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
"""Entries of a document once every alias stands for what it names, and every block is written out."""
MAX_BLOCK_DEPTH = 16
"""How deep blocks of layers may stand in each other."""
MAX_DIGITS = 40
"""Digits of a number in a spec."""
MAX_ECHO = 160
"""Characters of a value, or of a list of choices, that a message repeats."""

MAX_PLACE = 1_200
"""Characters of a place that a message names: a file, and in it a tensor or a node by its name."""
MAX_NAME = 160
"""Characters of a name, which messages, tables and file names repeat whole."""
MAX_ARGUMENT = 1_000
"""Characters of a command's argument."""
MAX_COUNT = 1 << 31
"""Whatever a spec counts: lanes, words, bits, trips."""
MAX_DEPTH_WORDS = 1 << 23
"""Words of a FIFO."""
MAX_ALL_DEPTHS_WORDS = 1 << 23
"""Words of all FIFOs of a pipeline, of each of which the executor may keep a dozen cycles."""
MAX_EXTENT = 1 << 28
"""Channels, rows or columns of a map."""
MAX_ELEMENTS = 1 << 28
"""Elements of a map, its border included."""
MAX_SIDE = 1 << 20
"""Rows, and columns, of a map that a model enlarges."""
MAX_WEIGHTS = 1 << 31
"""Elements of a layer's weight array."""
MAX_RUN_WEIGHTS = 9 << 24
"""Weights of all layers of one bit-exact run, a group's output channels in blocks of 64 as the kernels
hold them; those of more than one bit take ten bytes at times. VGG-16 has 138 million."""
MAX_RUN_COLUMNS = 1 << 20
"""Weights of one output channel in a bit-exact run; windows of 64 pixels are held at a time."""
MAX_RUN_THRESHOLDS = 1 << 24
"""Thresholds of all channels of all layers of one bit-exact run, eight bytes each in several copies."""
MAX_RUN_BYTES = 1 << 30
"""What the maps of all layers and frames of one bit-exact run take: a byte an element where that is a
bit, else four, or eight where 32 bits do not hold its values."""
MAX_WINDOW_WORDS = 1 << 25
"""Words a frame into or out of a sliding window, every tap counted: tables have a row for each."""
MAX_PIPELINE_WORDS = 3 << 24
"""Words a frame through all streams of a pipeline; each is timed by tens of nanoseconds a few times.
Foldings of the largest published networks at 224 x 224 have some 40 million."""
MAX_SIZED_WORDS = 1 << 25
"""Reads and writes a frame of a pipeline whose FIFOs are sized: all cycles of two frames are kept."""
MAX_FRAME_CYCLES = 1 << 40
"""Cycles of an engine's frame (an hour and a half at 200 MHz)."""
MAX_FRAME_STEPS = 1 << 24
"""Steps of an engine's frame, repeats unrolled and bursts counted."""
MAX_WATCHED_WORDS = 1 << 30
"""Words of all frames and units that SimPy runs through one by one."""

MAX_TRIALS = 10_000_000
"""Designs of one search (four days at 30 a second)."""

MAX_READER_S = 15
"""Seconds of processor time for a library that reads a binary file of another tool."""
MAX_READER_BYTES = 2 << 30
"""Memory of the same, above what the process has."""
MAX_MODEL_BYTES = 2 << 30
"""A file of a model."""
MAX_ARRAY_BYTES = 1 << 30
"""Arrays of an .npz or .npy once they are unpacked."""
MAX_ARRAYS = 10_000
"""Arrays of an .npz."""
MAX_JOINED_CHANNELS = 1 << 20
"""Channels of all joins of an imported network: each has a function of its own."""
MAX_PIXELS = 1 << 26
"""Pixels of a picture, by its header."""
