"""A frame of an elastic unit, with all that the others do given."""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.records import LONG_AGO
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
def run_elastic(s: State, u: int, port: int, pace: Pace, dirty: Int64s) -> bool:
    """The frame's cycles, and since when the unit was ready for the words of the input at ``port``.

    False where its own words wait for each other.
    """
    unit, cycles, words, one = s.unit[u], s.cycles, s.words, pace.one
    need, room, taken, given = words[NEED_AT], words[ROOM_AT], words[TAKEN_AT], words[GIVEN_AT]
    others, ready = words[OTHERS_AT], words[READY_AT]
    cycle, left_at = unit.last - pace.period, unit.last_left - pace.period
    if unit.is_first:
        cycle = max(cycle, -one)
    since = LONG_AGO
    if unit.tells_ready:
        since = last_ready(s, u, port, pace)
    left_before = s.channel[words[unit.first_output]].writes_at
    reads, writes, dependence, until = 0, 0, unit.dependence, 0
    while reads < unit.words_in or writes < unit.words_out:
        before = reads + writes
        while reads < unit.words_in and words[unit.release + reads] < writes:
            releasing = words[unit.release + reads]
            if releasing < 0:
                free = freed(s, u, releasing, left_before, pace) + one
            else:
                free = cycles[given + releasing] + one
            if unit.tells_ready:
                since = max(max(since + one, free), cycles[others + reads])
                cycles[ready + reads] = since
            cycle = max(max(cycle + one, free), cycles[need + reads])
            cycles[taken + reads] = cycle
            reads += 1
        while writes < unit.words_out and words[dependence] < reads:
            due = cycles[taken + words[dependence]] + unit.latency * one
            until += words[dependence + 1]
            for j in range(writes, until):
                left_at = max(max(left_at + one, due), cycles[room + j] + one)
                cycles[given + j] = left_at
            writes = until
            dependence += 2
        if reads + writes == before:
            return False
    unit.last, unit.last_left = cycle, left_at
    is_late = cycles[taken] < cycle - pace.period + one or cycles[given] < left_at - pace.period + one
    if is_late or _is_freed_later(s, u, pace):
        dirty[u] = 1  # the frame's end makes its beginning later
    return True


@inner
def freed(s: State, u: int, word: int, given: int, pace: Pace) -> int:
    """When a word left, which counts from the frame's first; ``given``: where a frame's cycles
    stand."""
    words_out = s.unit[u].words_out
    frame = word // words_out
    return s.cycles[given + word - frame * words_out] + frame * pace.period


@inner
def _is_freed_later(s: State, u: int, pace: Pace) -> bool:
    """Whether words of the frame before left later than was known when their places were taken."""
    unit, given = s.unit[u], s.words[GIVEN_AT]
    i = 0
    while i < unit.words_in and s.words[unit.release + i] < 0:
        free = freed(s, u, s.words[unit.release + i], given, pace) + pace.one
        if s.cycles[s.words[TAKEN_AT] + i] < free:
            return True
        i += 1
    return False
