"""A frame of the bound of a flushing pipeline, with all that the others do given.

What a flushing unit does is no maximum of what the others do: its bubbles do not close up while it
stands still. The bound is never earlier, and is one. Let s and e be the cycles in which a word's
step is done and in which it leaves, w the word before, and r_w a cycle from which on the unit is
not frozen by w or any word before it. A step ``gap`` steps behind the last one (in cycle s') waits
at most until its words are there, until s' + gap, or until r_w + gap - 1: ticks that passed while
the unit was frozen are made up for from then on. And its word leaves at the latest once it has
room, in s + stages, or in r_w + stages - 1.

What is r_w? The cycle in which w has room would do: the one after word w - d was read, d being the
FIFO's depth. But it is enough to count from when on the reader was ready for w - d: not counting,
while it reads a word in every cycle, that it had to wait for word i of this same channel. For if w
is at the exit in cycle c, word i had left by c - (w - i), so that wait let w - d be read by c - (w
- i) + lag + (w - d - i) = c + lag - d, which is before c if d > lag.

Words whose steps are a pipeline's length apart hold up less: see ``solver/kernels/bound.py``.

With one stage r_w is the cycle in which w leaves, and the bound is the unit itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.strides import LAP, STRIDE
from bnnsim.timing.streaming.solver.kernels.bound import leaves, unfrozen
from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.records import NEVER, READS, WRITES
from bnnsim.timing.streaming.solver.steady.kernels.ports import last_ready
from bnnsim.timing.streaming.solver.steady.kernels.records import (
    FREE_AT,
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
def run_flushing(s: State, u: int, port: int, pace: Pace, dirty: Int64s) -> None:
    """The frame's cycles, and since when the unit was ready for the words of the input at ``port``."""
    start = _ready_pass(s, u, port, pace) if s.unit[u].tells_ready else _pass(s, u, pace)
    unit, one = s.unit[u], pace.one
    is_apart = unit.apart >= unit.stages
    later = unit.last - pace.period + start.gap * one
    free = unit.last_free - pace.period
    thawed = unfrozen(free, start.gap, unit.behind, is_apart, unit.stages, one)
    if start.cycle < max(later, thawed):
        dirty[u] = 1  # the frame's end makes its beginning later


class _Start(NamedTuple):
    """A frame's first step that touches a word, and how many steps it is behind the one before."""

    cycle: int
    gap: int


@inner
def _begun(s: State, u: int, pace: Pace) -> Any:
    """The cycle of the step before the frame, from when on it freezes nothing, and steps since then."""
    unit = s.unit[u]
    cycle, free, gap = unit.last - pace.period, unit.last_free - pace.period, unit.pause
    if unit.is_first:
        cycle = max(cycle, -pace.one * (1 + gap))
    return cycle, free, gap


@inner
def _pass(s: State, u: int, pace: Pace) -> _Start:
    """The frame's cycles. Between two writes a freeze can hold up the first step alone."""
    unit, cycles, words, one = s.unit[u], s.cycles, s.words, pace.one
    need, room, taken, given = words[NEED_AT], words[ROOM_AT], words[TAKEN_AT], words[GIVEN_AT]
    asked, stages = words[FREE_AT], unit.stages
    cycle, free, gap = _begun(s, u, pace)
    behind, is_apart = unit.behind, unit.apart >= unit.stages
    first, first_gap = NEVER, 0
    for lap in range(unit.lap, unit.lap_end, LAP):
        for _ in range(words[lap]):
            for stride in range(unit.lap + words[lap + 1], unit.lap + words[lap + 2], STRIDE):
                n, sides, each = words[stride], words[stride + 1], words[stride + 2]
                if sides == 0:
                    gap += n * each
                    continue
                step = each * one
                gap += each
                wanted = max(cycle + gap * one, unfrozen(free, gap, behind, is_apart, stages, one))
                if first == NEVER:
                    first, first_gap = wanted, gap
                    if sides & READS:
                        first = max(first, cycles[need])
                behind += gap
                gap = 0
                if sides == READS:
                    cycle = wanted - step
                    for i in range(n):
                        cycle = max(cycle + step, cycles[need + i])
                        cycles[taken + i] = cycle
                    behind += (n - 1) * each
                    need, taken = need + n, taken + n
                    continue
                for i in range(n):
                    if i:
                        behind = each
                        wanted = max(cycle + step, unfrozen(free, each, 0, is_apart, stages, one))
                    cycle = wanted
                    if sides & READS:
                        cycle = max(cycle, cycles[need + i])
                        cycles[taken + i] = cycle
                    is_apart = behind >= stages
                    left = leaves(cycle, free, cycles[room + i] + one, is_apart, stages, one)
                    cycles[given + i] = left
                    free = left if stages == 1 else cycles[asked + i] + one
                behind = 0
                room, given, asked = room + n, given + n, asked + n
                if sides & READS:
                    need, taken = need + n, taken + n
    unit.last, unit.last_free = cycle, free
    return _Start(first, first_gap)


@inner
def _ready_pass(s: State, u: int, port: int, pace: Pace) -> _Start:
    """The frame's cycles, and since when the unit was ready for the words of the input at ``port``."""
    unit, cycles, words, one = s.unit[u], s.cycles, s.words, pace.one
    need, room, taken, given = words[NEED_AT], words[ROOM_AT], words[TAKEN_AT], words[GIVEN_AT]
    others, ready, asked = words[OTHERS_AT], words[READY_AT], words[FREE_AT]
    cycle, free, gap = _begun(s, u, pace)
    since, follows = last_ready(s, u, port, pace), unit.wraps_reading != 0
    behind, is_apart = unit.behind, unit.apart >= unit.stages
    first, first_gap = NEVER, 0
    for lap in range(unit.lap, unit.lap_end, LAP):
        for _ in range(words[lap]):
            for stride in range(unit.lap + words[lap + 1], unit.lap + words[lap + 2], STRIDE):
                n, sides, each = words[stride], words[stride + 1], words[stride + 2]
                if sides == 0:
                    gap += n * each
                    follows = False
                    continue
                for _ in range(n):
                    gap += each
                    wanted = cycle + gap * one
                    thawed = unfrozen(free, gap, behind, is_apart, unit.stages, one)
                    cycle = max(wanted, thawed)
                    behind += gap
                    if sides & READS:
                        since = max(since + one if follows and each == 1 else wanted, thawed)
                        since = max(since, cycles[others])
                        cycles[ready] = since
                        cycle = max(cycle, cycles[need])
                        cycles[taken] = cycle
                        need, taken, others, ready = need + 1, taken + 1, others + 1, ready + 1
                    if sides & WRITES:
                        is_apart = behind >= unit.stages
                        behind = 0
                        left = leaves(cycle, free, cycles[room] + one, is_apart, unit.stages, one)
                        cycles[given] = left
                        free = left if unit.stages == 1 else cycles[asked] + one
                        room, given, asked = room + 1, given + 1, asked + 1
                    if first == NEVER:
                        first, first_gap = cycle, gap
                    gap = 0
                    follows = sides & READS != 0
    unit.last, unit.last_free = cycle, free
    return _Start(first, first_gap)
