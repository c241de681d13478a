"""The tables of the compiled executor: what stands in which column.

Four int64 arrays hold a whole graph and its state, so that a copy of three of them is a copy of the run:

* ``unit`` and ``channel``: a row each, the columns below;
* ``pool``: rings with the cycles of the latest words, snapshots, logs, and at its end the frames' ends;
* ``plan``: the programs, not changed by a run: a head, then by place: the units' ports, their views
  (blocks of four numbers: repeat, first segment, end segment, idle steps behind; segments of two: idle
  steps before, active steps) and the words of elastic programs.

A ring is a place in the pool and a mask: the cycle of word w stands at ``place + (w & mask)``. Cycles
and steps that have not been yet are -1.
"""

from __future__ import annotations

NEVER = 1 << 60
"""Later than any cycle, further than any step."""
OPEN_END_WORDS = 512
"""Words after which a unit at a test bench's end gives others a turn."""

PLAIN, FREEZING, FLUSHING, LATE, ELASTIC = 0, 1, 2, 3, 4
"""Kinds of units. Plain: freezing, with one input or none and one output or none. Late: what a flushing
unit never is later than."""

# The plan's head.
SNAPSHOTS = 0  # frames whose snapshots are kept
SNAPSHOT_WORDS = 1
SNAPSHOTS_AT, ENDS_AT = 2, 3  # places in the pool
HEAD = 4

# A unit: what it is, ...
KIND = 0
DEPTH = 1  # stages of the pipeline
STEPS = 2  # a frame
PROLOGUE = 3  # steps before the first frame
IN0, IN1, OUT0, OUT1 = 4, 5, 6, 7  # places of the ports
READ_FRAME, READ_END = 8, 9  # places of the reading view: first block of a frame, end
WRITE_FRAME, WRITE_END = 10, 11
WORDS_IN, WORDS_OUT = 12, 13  # a frame
EVERY = 14  # outputs are open only in cycles that are a multiple
ENDS = 15  # sink: words that make a frame; else 0
ENDS_ON_WRITE = 16
PIPE, PIPE_MASK = 17, 18  # flushing: ring of leaving ticks; behind it of frozen cycles, of steps' cycles
LATENCY = 19
NEEDS, NEEDS_END, FREES = 20, 21, 22  # elastic: places of its words
TAKEN, TAKEN_MASK = 23, 24  # elastic: ring of cycles of words taken; behind it, since when wanted
LEFT, LEFT_MASK = 25, 26  # elastic: ring of cycles of words that left; behind it, since when due
SNAP, SNAP_WORDS = 27, 28  # place in a snapshot; words whose cycles are kept there, see below

# ... and where it has got to.
AT = 29  # cycle of the last step (elastic: word taken)
TICK = 30  # that step; of a freezing unit that tick
FRAME = 31  # frames completed
R_BLOCK, R_REPEAT, R_SEGMENT, R_LEFT, R_NEXT = 32, 33, 34, 35, 36  # cursor of the reading view
W_BLOCK, W_REPEAT, W_SEGMENT, W_LEFT, W_NEXT = 37, 38, 39, 40, 41  # freezing: DEPTH steps behind
READS, WRITES = 42, 43
STALLED_IN, STALLED_OUT, BUSY = 44, 45, 46
LOCAL = 47  # flushing: local tick of the last step
FROZEN_STEP, FROZEN_EXIT = 48, 49  # flushing: frozen cycles before the last step, the last exit
PASSED, GONE, ENTERED = 50, 51, 52  # flushing: words that left before the last step, left, entered
WAIT_IN, WAIT_OUT = 53, 54  # the channel whose next write or read is missing, or -1
HALTED = 55  # reached the horizon: 1 steps, words taken; 2 exits, words left
LAST_READ, LAST_WRITE = 56, 57  # cycles
PLACE, IN_FRAME = 58, 59  # elastic: the next word taken: its position in its frame, and the frame
NEED, NEED_LEFT, OUT_FRAME = 60, 61, 62  # elastic: the next word to leave: its need, and the frame
BOOKED_IN, BOOKED_OUT, BOOKED = 63, 64, 65  # elastic: words and cycles accounted for
DONE_STEPS = 66  # freezing: steps done by the end of the run
LAST_PLACE = 67  # late: from which cycle the last word had room
UNIT_COLUMNS = 68

# A unit in a snapshot. All: the cycle of its last step (freezing: in which its next frame could begin at
# the earliest, less one; elastic: of the last word taken).
SNAP_AT = 0
SNAP_LEFT = 1  # elastic: cycles of the latest words that left
# Lockstep: the cursors, what it had counted, flushing: the cycles of the steps of the words in the
# pipeline's last steps, and how many ticks ahead each word in the pipeline was.
SNAP_CURSORS, SNAP_READ, SNAP_WRITTEN, SNAP_ENTERED, SNAP_TICK, SNAP_STEPS = 1, 11, 12, 13, 14, 15

# A channel: what it is, ...
DEPTH_WORDS = 0
READ_RING, READ_MASK, WRITE_RING, WRITE_MASK = 1, 2, 3, 4
LAG = 5  # cycles from a write to the first possible read
WRITER, READER = 6, 7  # units or -1
SUPPLIES, IS_OPEN = 8, 9
CHANNEL_SNAP, SNAP_READS = 10, 11  # place in a snapshot; latest reads kept there
LOG_WRITES, LOG_WRITES_END, LOG_READS, LOG_READS_END = 12, 13, 14, 15  # places in the pool
READY_RING = 16  # behind a late unit: ring of cycles in which the reader was ready, or 0; see late_kernel

# ... and where it has got to.
WRITTEN, READ = 17, 18
SEEN_WRITES, SEEN_READS, TOP = 19, 20, 21  # words counted, and the highest occupancy found
BLOCKED_IN, STARVED_IN = 22, 23  # last frame in which the writer waited for room, the reader for a word
LOGGED_WRITES, LOGGED_READS = 24, 25
CHANNEL_COLUMNS = 26
