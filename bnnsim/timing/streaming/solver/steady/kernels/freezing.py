"""A frame of a unit with a freezing pipeline, or none, with all that the others do given.

A tick does a step and lets the word of an earlier one leave, both in one cycle: once the word has
room and the step has its words.
"""

from __future__ import annotations

from bnnsim.timing.streaming.programs.strides import LAP, STRIDE
from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.records import LONG_AGO, NEVER, READS, WRITES
from bnnsim.timing.streaming.solver.steady.kernels.ports import last_ready
from bnnsim.timing.streaming.solver.steady.kernels.records import (
    GIVEN_AT,
    NEED_AT,
    OTHERS_AT,
    READY_AT,
    ROOM_AT,
    TAKEN_AT,
    Pace,
    State,
)


@inner
def run_freezing(s: State, u: int, pace: Pace) -> None:
    """The frame's cycles; once again where its end makes its beginning later.

    Twice is enough, as a frame's ticks take no longer than the period.
    """
    unit = s.unit[u]
    start = unit.last - pace.period
    if unit.is_first:
        start = max(start, -pace.one)
    last = _pass(s, u, pace, start, NEVER)
    if last - pace.period > start:
        last = _pass(s, u, pace, last - pace.period, last)
    unit.last = last


@inner
def _pass(s: State, u: int, pace: Pace, start: int, known: int) -> int:
    """The frame if the tick before it was in cycle ``start``; the cycle of its last tick.

    ``known``: that cycle with an earlier start, or NEVER; then only what the later one changes is done.
    """
    unit, cycles, words, one = s.unit[u], s.cycles, s.words, pace.one
    cycle, alone = start, start
    need, room, taken, given = words[NEED_AT], words[ROOM_AT], words[TAKEN_AT], words[GIVEN_AT]
    for lap in range(unit.lap, unit.lap_end, LAP):
        for _ in range(words[lap]):
            for stride in range(unit.lap + words[lap + 1], unit.lap + words[lap + 2], STRIDE):
                n, sides, each = words[stride], words[stride + 1], words[stride + 2]
                step = each * one
                if sides == READS:
                    for i in range(n):
                        cycle = max(cycle + step, cycles[need + i])
                        cycles[taken + i] = cycle
                    need += n
                    taken += n
                elif sides == WRITES:
                    for i in range(n):
                        cycle = max(cycle + step, cycles[room + i] + one)
                        cycles[given + i] = cycle
                    room += n
                    given += n
                elif sides == 0:
                    cycle += n * step
                else:
                    for i in range(n):
                        cycle = max(cycle + step, cycles[room + i] + one)
                        cycle = max(cycle, cycles[need + i])
                        cycles[taken + i] = cycle
                        cycles[given + i] = cycle
                    need += n
                    taken += n
                    room += n
                    given += n
                alone += n * step
                if known < NEVER and cycle > alone:
                    return known
    return cycle


@inner
def tell_freezing(s: State, u: int, port: int, pace: Pace) -> None:
    """Since when the unit was ready for each word of one input, were it not for words of that input.

    Where it reads in every cycle, waits for them in the cycles before do not count.
    """
    unit, cycles, words, one = s.unit[u], s.cycles, s.words, pace.one
    need, room, others, ready = words[NEED_AT], words[ROOM_AT], words[OTHERS_AT], words[READY_AT]
    cycle = unit.last - pace.period
    since, follows = last_ready(s, u, port, pace), unit.wraps_reading != 0
    for lap in range(unit.lap, unit.lap_end, LAP):
        for _ in range(words[lap]):
            for stride in range(unit.lap + words[lap + 1], unit.lap + words[lap + 2], STRIDE):
                n, sides, each = words[stride], words[stride + 1], words[stride + 2]
                if sides == 0:
                    cycle += n * each * one
                    follows = False
                    continue
                for _ in range(n):
                    cycle += each * one
                    free = LONG_AGO
                    if sides & WRITES:
                        free = cycles[room] + one
                        room += 1
                    if sides & READS:
                        since = since + one if follows and each == 1 else cycle
                        since = max(since, max(free, cycles[others]))
                        cycles[ready] = since
                        cycle = max(cycle, cycles[need])
                        ready += 1
                        others += 1
                        need += 1
                    cycle = max(cycle, free)
                    follows = sides & READS != 0
