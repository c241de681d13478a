"""Sweeps that note why cycles rise, and the way from cause to cause until it bites its own tail.

A cause is noted where a cycle rises, never where it stays: a circuit of such causes takes longer
than the period for its frames. For let the last note that closes it be that of event i, which rises
because of j; by the notes from j back to i, j is no later than the old i and the way between them
allow; so the whole way round is longer than nothing. Behind a flushing pipeline cycles may also
fall; what is noted there is true, but a circuit of it need not be longer, and is passed over then.
"""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.jit import entry, part
from bnnsim.timing.streaming.solver.kernels.records import READS, WRITES
from bnnsim.timing.streaming.solver.steady.kernels.causes import (
    note_elastic,
    note_lockstep,
    reads_place,
    writes_place,
)
from bnnsim.timing.streaming.solver.steady.kernels.elastic import run_elastic
from bnnsim.timing.streaming.solver.steady.kernels.ports import gather, gather_free, spread
from bnnsim.timing.streaming.solver.steady.kernels.records import (
    ELASTIC,
    FLUSHING,
    FOR_NOTHING,
    FOR_OWN,
    FOR_WORD,
    GOES_ON,
    HOP_CHANNEL,
    HOP_CYCLES,
    HOP_FOR_ROOM,
    HOP_FRAMES,
    HOP_UNIT,
    MOST_WORDS,
    SETTLED,
    STUCK,
    WORK_WORDS,
    Pace,
    State,
)
from bnnsim.timing.streaming.solver.steady.kernels.sweep import tell_ready


@entry
def note_sweep(
    s: State, pace: Pace, causes: Int64s, dirty: Int64s, work: Int64s, first: int, end: int
) -> int:
    """As :func:`~...sweep.sweep`, with notes of why cycles rise."""
    units = len(s.unit)
    for number in range(first, end):
        found = False
        for i in range(units):
            u = i if number % 2 == 0 else units - 1 - i
            if dirty[u]:
                dirty[u] = 0
                found = True
                work[WORK_WORDS] += s.unit[u].words_in + s.unit[u].words_out
                if not _note_evaluation(s, u, pace, causes, dirty):
                    dirty[u] = 1
                    return STUCK
        if not found:
            return SETTLED
        if work[WORK_WORDS] > work[MOST_WORDS]:
            return GOES_ON
    return GOES_ON


@part
def _note_evaluation(s: State, u: int, pace: Pace, causes: Int64s, dirty: Int64s) -> bool:
    unit = s.unit[u]
    last, last_left, last_free = unit.last, unit.last_left, unit.last_free
    gather(s, u, pace)
    if unit.kind == FLUSHING and unit.stages > 1:
        gather_free(s, u, pace)
    if unit.kind == ELASTIC:
        if not run_elastic(s, u, unit.first_input, pace, dirty):
            return False
        note_elastic(s, u, pace, last, last_left, causes)
    else:
        note_lockstep(s, u, pace, causes, dirty)
    spread(s, u, pace, dirty)
    return tell_ready(s, u, pace, last, last_left, last_free, dirty)


@entry
def find_circuit(
    s: State, u: int, pace: Pace, seen: Int64s, since: int, causes: Int64s, hops: Int64s
) -> int:
    """Note hop by hop why the unit's last step rose; behind the last hop of a circuit, or -1.

    ``seen``: a number for each event, less than ``since`` before, and at most ``since`` and the
    hops after. The circuit's first hop is in the last row of ``hops`` ``(most, HOP)``, as its first
    number. ``causes`` ``(events, 3)``. Events are the cycles of the state, and behind them a
    frame's last step of each unit.
    """
    side, word = 0, 0
    if s.unit[u].kind == ELASTIC:
        side, word = WRITES, s.unit[u].words_out - 1
    for hop in range(len(hops) - 1):
        place = len(s.cycles) + u
        if side == READS:
            place = reads_place(s, u) + word
        elif side == WRITES:
            place = writes_place(s, u) + word
        if seen[place] >= since:
            hops[-1, 0] = seen[place] - since
            return hop
        if seen[place] >= 0:
            return -1  # from here on it was in vain before
        seen[place] = since + hop
        what, needed, cycles = causes[place, 0], causes[place, 1], causes[place, 2]
        row, kind = hops[hop], what & 3
        row[HOP_UNIT], row[HOP_CHANNEL], row[HOP_FOR_ROOM], row[HOP_FRAMES] = u, -1, 0, 0
        row[HOP_CYCLES] = cycles // pace.one
        if kind == FOR_NOTHING:
            return -1
        if kind == FOR_OWN:
            side, word, row[HOP_FRAMES] = what >> 2 & 3, needed, what >> 4
            continue
        channel = s.channel[what >> 4]
        position = needed + channel.shift
        if kind == FOR_WORD:
            side, u = WRITES, channel.writer
            row[HOP_CYCLES] += channel.lag
        else:
            side, u = READS, channel.reader
            position = needed - channel.depth - channel.shift
            row[HOP_FOR_ROOM] = 1
        frame = position // channel.words
        word = position - frame * channel.words
        row[HOP_CHANNEL], row[HOP_FRAMES] = what >> 4, -frame
    return -1
