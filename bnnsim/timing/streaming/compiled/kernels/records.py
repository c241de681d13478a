"""The tables of the compiled executor: what a unit's and a channel's record hold.

Four arrays hold a whole graph and its state, so that a copy of three of them is a copy of the run:

* ``unit`` and ``channel``: a record each. Their dataclasses below name the fields, with the value that a
  layout starts from; all are int64. The fields of ``UnitLayout`` and ``ChannelLayout`` say what a unit
  or channel is and stay, those added by ``UnitRecord`` and ``ChannelRecord`` say where it has got to;
* ``event_times``: rings with the cycles of the latest words, snapshots, logs, and at its end the frames'
  ends;
* ``program_words``: the programs, not changed by a run: a head, then by place: the units' ports, their
  views (blocks of four numbers: repeat, first segment, end segment, idle steps behind; segments of two:
  idle steps before, active steps) and the words of elastic programs.

A ring is a place in ``event_times`` and a mask: the cycle of word w stands at ``ring + (w & mask)``.
Cycles and steps that have not been yet are -1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from struct import Struct
from typing import Any, NamedTuple, Protocol, TypeVar, overload

import numpy as np

from bnnsim.arrays import Int64s

NEVER = 1 << 60
"""Later than any cycle, further than any step."""
OPEN_END_WORDS = 512
"""Words after which a unit at a test bench's end gives others a turn."""

PLAIN, FREEZING, FLUSHING, BOUND, ELASTIC = 0, 1, 2, 3, 4
"""Kinds of units. Plain: freezing, with one input or none and one output or none. Bound: what a flushing
unit never is later than."""

STEPS_HALTED, EXITS_HALTED = 1, 2
"""Bits of ``UnitRecord.halted``: the next step (elastic: the next word taken), or the next word to leave,
would come in the cycle limit or later, so that the unit does no more of them."""

SNAPSHOTS, SNAPSHOT_WORDS, SNAPSHOTS_AT, ENDS_AT = 0, 1, 2, 3
"""The head of the programs' words: frames whose snapshots are kept, words of one, and where in the event
times the snapshots and the frames' ends begin."""
HEAD = 4

SNAP_CYCLE = 0
"""In a unit's snapshot: the cycle of its last step. Freezing: that of its frame's last step, as if it had
waited for nothing behind its last word; elastic: of the last word taken."""
SNAP_LEFT = 1
"""Elastic: from here on the cycles of the latest words that left."""
SNAP_CURSORS, SNAP_READS, SNAP_WRITES, SNAP_ENTERED, SNAP_STEP, SNAP_STEPS = 1, 11, 12, 13, 14, 15
"""Lockstep: the cursors, words read, written and entered, the last step; flushing, behind it: the cycles
of the steps of the words in the pipeline's last steps, and how many ticks ahead each word in it was."""


@dataclass(slots=True)
class UnitLayout:
    """What a unit is."""

    kind: int = 0
    stages: int = 0  # of the pipeline
    steps: int = 0  # a frame
    prologue_steps: int = 0  # before the first frame
    first_input: int = 0  # place of the first input's channel in the programs' words
    end_input: int = 0
    first_output: int = 0
    end_output: int = 0
    read_frame: int = 0  # reading view: place of the first block of a frame
    read_end: int = 0  # ... and behind the last
    write_frame: int = 0
    write_end: int = 0
    words_in: int = 0  # a frame
    words_out: int = 0  # a frame
    ready_every: int = 1  # outputs are open only in cycles that are a multiple
    sink_words: int = 0  # sink: words that make a frame; else 0
    ends_on_write: int = 0  # sink: whether these are words written
    pipe_ring: int = 0  # flushing: local ticks of exits; behind it frozen cycles; cycles of steps
    pipe_mask: int = 0
    latency: int = 0  # elastic: cycles
    dependence_start: int = 0  # elastic: place of (word needed, words in a row that need it)
    dependence_end: int = 0
    release_start: int = 0  # elastic: place of the word that must have left, per word in
    taken_ring: int = 0  # elastic: cycles of words taken; behind it since when wanted
    taken_mask: int = 0
    left_ring: int = 0  # elastic: cycles of words that left; behind it since when due
    left_mask: int = 0
    snapshot_place: int = 0  # in a snapshot
    snapshot_words: int = 0  # words whose cycles are kept there


@dataclass(slots=True)
class UnitRecord(UnitLayout):
    """What a unit is and where it has got to; only visits to the unit write, or its writer's inline."""

    step_cycle: int = -1  # cycle of the last step (elastic: of the last word taken)
    last_step: int = -1  # that step; of a freezing unit that tick
    frames_done: int = 0
    read_block: int = 0  # cursor over the reading view: see Cursor
    read_repeat: int = 0
    read_segment: int = 0
    read_left: int = 0
    next_read: int = 0  # the step of the next read
    write_block: int = 0  # cursor over the writing view
    write_repeat: int = 0
    write_segment: int = 0
    write_left: int = 0
    next_write: int = 0  # the step of the next write; freezing: as many steps behind as stages
    reads: int = 0  # words
    writes: int = 0  # words
    stalled_on_input: int = 0  # cycles
    stalled_on_output: int = 0  # cycles
    busy: int = 0  # cycles; freezing: not counted here, see done_steps
    local_tick: int = -1  # flushing: of the last step, frozen cycles not counted
    step_frozen: int = 0  # flushing: frozen cycles before the last step
    exit_frozen: int = 0  # flushing: frozen cycles before the last exit
    passed: int = 0  # flushing: words that left before the last step
    exited: int = 0  # flushing: words that left
    entered: int = 0  # flushing: words that entered the pipeline
    missing_word: int = -1  # channel whose next write it waits for, or -1
    missing_space: int = -1  # channel whose next read it waits for, or -1
    halted: int = 0  # bits STEPS_HALTED, EXITS_HALTED
    last_read: int = -1  # cycle
    last_write: int = -1  # cycle
    next_word: int = 0  # elastic: place in its frame of the next word taken
    input_frame: int = 0  # elastic: frame of the next word taken
    dependence: int = 0  # elastic: place of what the next word to leave needs
    dependence_left: int = 0  # elastic: words in a row that still need the same
    output_frame: int = 0  # elastic: frame of the next word to leave
    booked_reads: int = 0  # elastic: words taken that are accounted for
    booked_writes: int = 0  # elastic: words left that are accounted for
    booked_cycles: int = 0  # elastic: cycles that are accounted for
    done_steps: int = 0  # freezing: steps done by the end of the run
    space_cycle: int = 0  # bound: from which cycle on the last word had space


@dataclass(slots=True)
class ChannelLayout:
    """What a channel is."""

    depth_words: int = 0
    read_ring: int = 0  # cycles of the latest reads
    read_mask: int = 0
    write_ring: int = 0  # cycles of the latest writes
    write_mask: int = 0
    lag: int = 0  # cycles from a write to the first possible read
    writer: int = -1  # unit, or -1
    reader: int = -1  # unit, or -1
    supplies: int = 0  # test bench: the reader never lacks a word
    is_open: int = 0  # test bench: the writer never lacks space
    snapshot_place: int = 0  # in a snapshot
    snapshot_reads: int = 0  # latest reads kept there
    write_log: int = 0  # place in the event times where every write's cycle is kept
    write_log_end: int = 0
    read_log: int = 0
    read_log_end: int = 0
    ready_ring: int = 0  # behind a bound unit: cycles in which the reader was ready, or 0


@dataclass(slots=True)
class ChannelRecord(ChannelLayout):
    """What a channel is and where it has got to."""

    written: int = 0  # words
    read: int = 0  # words
    counted_writes: int = 0
    counted_reads: int = 0
    max_occupancy: int = 0  # words, among those counted
    writer_stall_frame: int = -1  # last frame in which the writer waited for space
    reader_stall_frame: int = -1  # last frame in which the reader waited for a word
    logged_writes: int = 0
    logged_reads: int = 0


def _record(layout: type) -> np.dtype[np.void]:
    """As a structured type whose elements also have their fields as attributes, in plain Python."""
    return np.dtype((np.record, [(field.name, np.int64) for field in fields(layout)]))


UNIT = _record(UnitRecord)
CHANNEL = _record(ChannelRecord)

Row = TypeVar("Row", covariant=True)


class Table(Protocol[Row]):
    """An array of records: by number one of them, by name a field of all of them."""

    def __len__(self) -> int: ...

    @overload
    def __getitem__(self, key: int) -> Row: ...

    @overload
    def __getitem__(self, key: str) -> Int64s: ...

    def __setitem__(self, key: str, values: int | Int64s) -> None: ...

    def __iter__(self) -> Iterator[Row]: ...


class Cursor(NamedTuple):
    """Where a unit is in a view."""

    block: int
    """Place of the block in the programs' words."""
    repeat: int
    """Rounds of the block that are left, with this one."""
    segment: int
    """Place of the segment in the programs' words."""
    left: int
    """Active steps of the segment that are left."""
    step: int
    """The next active step, or NEVER."""


class State(NamedTuple):
    """A graph being run."""

    unit: Table[UnitRecord]
    channel: Table[ChannelRecord]
    event_times: Int64s
    program_words: Int64s


class Limits(NamedTuple):
    """How far a call of the kernel goes, and what for."""

    frame_limit: int
    """Frames: units stop before the frame of this number."""
    draining: bool
    """Whether frame ``frame_limit - 1`` is the run's last; else units run as if more followed."""
    cycle_limit: int
    """Nothing is done in or after this cycle."""
    counts: bool
    """Whether occupancies and the accounts of elastic units are kept."""
    general: bool
    """Whether each unit is run by the code for any ports, not by that which is fast for one."""


def table(rows: list[Any], record: np.dtype[np.void]) -> Any:
    """Rows laid out as dataclasses, as a table of records."""
    assert record.names is not None
    values, pack = attrgetter(*record.names), Struct(f"{len(record.names)}q").pack
    return np.frombuffer(bytearray(b"".join([pack(*values(row)) for row in rows])), record)


def copied(rows: Any) -> Any:
    """A copy of a table, made as bytes: numpy copies records field by field."""
    return np.ndarray(rows.shape, rows.dtype, bytearray(rows.tobytes()))
