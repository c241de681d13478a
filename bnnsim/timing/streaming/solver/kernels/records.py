"""The tables of the solver: what a unit's and a channel's record hold.

* ``unit`` and ``channel``: a record each of what it *is*; ``start`` and ``end``: where each unit is at
  the start of the window, and at its end as far as it was evaluated last; all fields are int64;
* ``cycles``: of every channel the cycles of its words' writes and of its words' reads, side by side in
  two stretches that begin with words of earlier windows; a scratch stretch for units with several ports;
* ``pipes``: the words in flushing pipelines, as two copies, at the start and at the end of the window;
* ``program_words``: the programs, as laps of strides, and dependences; never changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Int64s

NEVER = 1 << 60
"""Later than any cycle, further than any step."""
LONG_AGO = -(1 << 60)
"""Earlier than any cycle: what is not known yet is guessed so."""

Place = np.uint64
"""An index that is never negative: no code then looks whether it counts from the end, and loops can take
several words at a time."""
NOTHING_AT, NEED_AT, ROOM_AT, TAKEN_AT = 0, 1, 2, 3
"""The head of the programs' words: places in the cycles of stretches that belong to no channel: one that
is always long ago, those where the cycles of several ports are merged, and one that nobody reads."""
HEAD = 4

FREEZING, FLUSHING, BOUND, ELASTIC = 0, 1, 2, 3
"""Kinds of units; one without pipeline stages counts as freezing. Bound: what a flushing unit never is
later than."""

READS, WRITES = 1, 2
"""Bits of a stride's sides, as in tapes."""
FIRST, NEXT, AGAIN = 0, 1, 2
"""What window is solved: the first one, the one behind the last, or the same once more."""
EVALUATIONS, LAST_EVENT, IS_CROWDED, WORDS_MOVED, PROGRESS = 0, 1, 2, 3, 4
"""What is reported of a window: evaluations of units; the cycle of its last event, or -1; whether a
channel has no room for what the next may write; and of all windows reads and writes, and a number that
grows with everything that a unit does."""
REPORT = 5
WAITED_FOR_WORD, WAITED_FOR_ROOM = 1, 2
"""Bits of ``PlaceRecord.waited``: a word, or room, came in the cycle in which the unit went on after a
wait."""


@dataclass(slots=True)
class UnitRecord:
    """What a unit is."""

    kind: int = 0
    stages: int = 0  # of the pipeline
    steps: int = 0  # a frame
    once_ticks: int = 0  # before the first frame's part
    words_in: int = 0  # a frame
    words_out: int = 0
    first_input: int = 0  # place of the first input's channel in the programs' words
    end_input: int = 0
    first_output: int = 0
    end_output: int = 0
    frame_lap: int = 0  # place of a frame's first lap, and behind its last: (rounds, first stride, end)
    frame_end: int = 0
    goal: int = 0  # the step (freezing: tick) not to do in the window; elastic: the word not to take
    goal_writes: int = 0  # elastic: the word not to let leave
    most_reads: int = 0  # words in a window
    most_writes: int = 0
    ready_every: int = 1
    pipe: int = 0  # flushing: place in the pipes: local ticks of exits, frozen cycles, steps' cycles
    pipe_mask: int = 0
    is_behind_bound: int = 0
    latency: int = 0  # elastic
    dependence_start: int = 0  # elastic: place of (word needed, words in a row that need it)
    dependence_end: int = 0
    release_start: int = 0  # elastic: place of the word that must have left, per word in
    snapshot_at: int = 0  # place in a snapshot
    snapshot_left: int = 0  # elastic: words kept there that left, and words taken that still wait
    snapshot_taken: int = 0


@dataclass(slots=True)
class PlaceRecord:
    """Where a unit has got to."""

    cycle: int = -1  # of the last step; elastic: of the last word taken
    step: int = -1  # the last step; freezing: tick
    lap: int = 0  # place of the lap in the programs' words
    rounds: int = 0  # of the lap that are left, with this one
    stride: int = 0  # place of the stride
    left: int = 0  # times that it is left to do
    idled: int = 0  # ticks of the next of these that are past
    reads: int = 0  # words in all
    writes: int = 0
    local_tick: int = -1  # flushing: of the last step
    frozen: int = 0  # flushing: cycles frozen before the last step
    exit_frozen: int = 0  # flushing: cycles frozen before the last exit
    passed: int = 0  # flushing: words that left before the last step
    entered: int = 0  # flushing: words that entered the pipeline
    next_word: int = 0  # elastic: place in its frame of the next word taken
    input_frame: int = 0
    dependence: int = 0  # elastic: place of what the next word to leave needs
    dependence_left: int = 0
    output_frame: int = 0
    last_left: int = -1  # elastic: cycle
    waited: int = 0  # bits, of this window
    busy: int = 0  # flushing: steps with words
    stalled_on_input: int = 0  # lockstep: cycles
    stalled_on_output: int = 0
    free: int = 0  # bound: from which cycle on the last word that left freezes nothing
    behind: int = 0  # bound: steps from the last word's to the last one that touches a word, at least
    is_apart: int = 0  # bound: whether the last word's step was a pipeline's length behind the one before


@dataclass(slots=True)
class ChannelRecord:
    """What a channel is, and its words in this window."""

    depth: int = 0  # words
    is_bounded: int = 0  # whether the depth can ever matter
    ready_at: int = 0  # behind a bound: how far behind a read's place that is from which cycle on the
    # reader was ready for it
    lag: int = 0
    writer: int = -1
    reader: int = -1
    old_writes: int = 0  # words already read whose writes are kept, in front
    old_reads: int = 0  # words whose reads are kept in front of the window's first
    writes_at: int = 0  # place of the first kept write in the cycles
    reads_at: int = 0
    writes_from: int = 0  # the stretch of writes
    writes_to: int = 0
    reads_from: int = 0
    reads_to: int = 0
    most: int = 0  # words in a window
    held: int = 0  # words in the channel between the windows
    written: int = 0  # words in this window
    read: int = 0
    writes_to_count: int = 0  # words before the window's first whose occupancy is not counted yet
    reads_to_count: int = 0
    max_occupancy: int = 0
    writer_waited: int = -1  # last window in which the writer waited for room
    reader_waited: int = -1  # ... the reader for a word
    snapshot_at: int = 0  # place in a snapshot
    snapshot_reads: int = 0  # reads kept there, and behind them words held
    snapshot_held: int = 0
    snapshot_ready: int = 0  # reads for which the reader's being ready is kept as well, behind all


def _record(layout: type) -> np.dtype[np.void]:
    return np.dtype((np.record, [(field.name, np.int64) for field in fields(layout)]))


UNIT = _record(UnitRecord)
PLACE = _record(PlaceRecord)
CHANNEL = _record(ChannelRecord)


class State(NamedTuple):
    """A graph in one window."""

    unit: Any
    start: Any
    end: Any
    channel: Any
    cycles: Int64s
    pipes: Int64s
    program_words: Int64s


class Limits(NamedTuple):
    """How far a window goes."""

    frames: int
    """Nothing is done of later frames than these."""
    is_ending: bool
    """Whether the run ends with them, and so units that have read all their words go on without."""
    shift: int
    """A window is this power of two smaller than a frame."""
    cycle_limit: int
    """Nothing is done in or after this cycle."""
    more_frames: int = 0
    """How many each unit may do from here on; 0 where that was said for an earlier window."""
    window: int = 0
    """Its number."""
    has_counts: bool = False
    """Whether occupancies are counted."""
    most_evaluations: int = NEVER
    """Evaluations of units after which a window counts as not settled, unless none is left to do."""
    is_careful: bool = False
    """Whether nothing is guessed but what is known of other units by now; then what was evaluated stands,
    and each evaluation goes on from the end of the one before."""


Table = Any
"""Records of one of the layouts, ``(units,)`` or ``(channels,)``."""


def packed(row: Any) -> bytes:
    """A row, a dataclass of whole numbers, as a table holds it."""
    values = [getattr(row, field.name) for field in fields(row)]
    return Struct(f"{len(values)}q").pack(*values)


def tabled(rows: Iterable[bytes], record: np.dtype[np.void]) -> Table:
    """Packed rows as a table of records."""
    return np.frombuffer(bytearray(b"".join(rows)), record)


def copied(rows: Any) -> Any:
    """A copy of a table, made as bytes: numpy copies records field by field."""
    return np.ndarray(rows.shape, rows.dtype, bytearray(rows.tobytes()))


def has_both_ends(channel: Table) -> npt.NDArray[np.bool_]:
    """Which channels have a unit at either end, not a test bench."""
    both: npt.NDArray[np.bool_] = (channel["writer"] >= 0) & (channel["reader"] >= 0)
    return both


def written(s: State, channel: int) -> Int64s:
    """The cycles of the words written to a channel in the window."""
    at, old, held, count = (
        s.channel[name][channel] for name in ("writes_at", "old_writes", "held", "written")
    )
    return s.cycles[at + old + held : at + old + held + count]


def read(s: State, channel: int) -> Int64s:
    """The cycles of the words read from a channel in the window."""
    at, old, count, reader = (
        s.channel[name][channel] for name in ("reads_at", "old_reads", "read", "reader")
    )
    return s.cycles[at + old : at + old + (count if reader >= 0 else 0)]
