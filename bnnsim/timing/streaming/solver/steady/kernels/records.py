"""The tables of a periodic schedule.

* ``unit`` and ``channel``: a record each, all fields int64;
* ``cycles``: of every channel the cycles of one frame's writes, and of one frame's reads; the same
  word of the frame before is ``period`` earlier. Behind them scratch stretches, see
  :data:`NEED_AT`;
* ``words``: channels of ports, programs as laps of strides, dependences and releases; never changed.

All cycles are multiples of 1 / ``Pace.one``, so that periods may be fractions.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.records import LONG_AGO

NEED_AT, ROOM_AT, FREE_AT, TAKEN_AT, GIVEN_AT, READY_AT, OTHERS_AT = range(7)
"""The head of the words: places in the cycles of stretches for the unit at hand. When its words are
there, when they have room, from when on room is its readers' own affair; its reads, its writes,
since when it was ready for each read; when the words of all inputs but one are there."""
HEAD = 7

FREEZING, FLUSHING, ELASTIC = range(3)
"""Kinds of units; one without pipeline stages counts as freezing."""


FOR_NOTHING, FOR_OWN, FOR_WORD, FOR_ROOM = range(4)
"""What an event waited for: nothing that binds; what its own unit did before; a word; room."""

HOP_UNIT, HOP_CHANNEL, HOP_FOR_ROOM, HOP_CYCLES, HOP_FRAMES = range(5)
"""Columns of a hop, from an event to what it waits for: the unit; the channel that this is over, or -1,
and whether for room there; cycles between them; frames that what it waits for is earlier."""
HOP = 5


@dataclass(slots=True)
class UnitRecord:
    """What a unit is, and where its frame ends."""

    kind: int = 0
    stages: int = 0  # of the pipeline
    first_input: int = 0  # place of the first input's channel in the words
    end_input: int = 0
    first_output: int = 0
    end_output: int = 0
    words_in: int = 0  # a frame
    words_out: int = 0
    is_first: int = 0  # whether no input has a writer
    lap: int = 0  # lockstep: place of the first lap and behind the last: (rounds, first stride, end)
    lap_end: int = 0
    pause: int = 0  # flushing: steps behind the last that touches a word
    behind: int = 0  # flushing: steps from the last word's to the last one that touches a word
    apart: int = 0  # flushing: steps from the last but one word's to the last word's
    latency: int = 0  # elastic
    dependence: int = 0  # elastic: place of the words in that words out need
    release: int = 0  # elastic: place of the words out that words in wait for
    wraps_reading: int = 0  # whether the last step of a frame reads, and elastic
    tells_ready: int = 0  # whether a bound asks since when it was ready for its reads
    last: int = LONG_AGO  # cycle of the frame's last step; elastic: of its last word in
    last_left: int = LONG_AGO  # elastic: cycle of the frame's last word out
    last_free: int = LONG_AGO  # flushing: from when on the frame's last word out froze nothing


@dataclass(slots=True)
class ChannelRecord:
    """What a channel is."""

    writer: int = -1
    reader: int = -1
    words: int = 0  # a frame
    depth: int = 0
    lag: int = 0  # cycles
    shift: int = 0  # words that the reader's frame begins behind the writer's
    writes_at: int = 0  # place in the cycles
    reads_at: int = 0
    ready_at: int = 0  # since when the reader was ready; that of its reads where nobody asks


GOES_ON, SETTLED, STUCK = 0, 1, 2
"""How sweeps end: with more to do, with all equations satisfied, or with a unit that waits for itself."""
WORK_WORDS, MOST_WORDS = 0, 1
"""What sweeps have done, and may do, in words of the units that were found again."""


def _record(layout: type) -> np.dtype[np.void]:
    return np.dtype((np.record, [(field.name, np.int64) for field in fields(layout)]))


UNIT = _record(UnitRecord)
CHANNEL = _record(ChannelRecord)


class State(NamedTuple):
    """A graph's frame."""

    unit: Any
    channel: Any
    cycles: Int64s
    words: Int64s


class Pace(NamedTuple):
    """How far frames are apart, and what a cycle is: ``period / one`` cycles.

    ``only_rises``: whether all that is known of a cycle is that it is no earlier, from the first sweep
    to the last. Behind the bound of a flushing pipeline one may also fall.
    """

    period: int
    one: int
    only_rises: bool
