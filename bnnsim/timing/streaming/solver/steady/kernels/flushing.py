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

With one stage r_w is the cycle in which w leaves, and the bound is the unit itself.
"""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.records import LONG_AGO, NEVER, READS, WRITES
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
    unit, cycles, words, one = s.unit[u], s.cycles, s.words, pace.one
    need, room, taken, given = words[NEED_AT], words[ROOM_AT], words[TAKEN_AT], words[GIVEN_AT]
    others, ready, asked = words[OTHERS_AT], words[READY_AT], words[FREE_AT]
    cycle, free, gap = unit.last - pace.period, unit.last_free - pace.period, unit.pause
    if unit.is_first:
        cycle = max(cycle, -one * (1 + gap))
    since, follows = LONG_AGO, unit.wraps_reading != 0
    if unit.tells_ready:
        since = last_ready(s, u, port, pace)
    first, first_gap = NEVER, 0
    for lap in range(unit.lap, unit.lap_end, 3):
        for _ in range(words[lap]):
            for stretch in range(unit.lap + words[lap + 1], unit.lap + words[lap + 2], 2):
                n, sides = words[stretch], words[stretch + 1]
                if sides == 0:
                    gap += n
                    follows = False
                    continue
                for _ in range(n):
                    wanted = cycle + one + gap * one
                    unfrozen = free + gap * one
                    cycle = max(wanted, unfrozen)
                    if sides & READS:
                        since = max(since + one if follows else wanted, unfrozen)
                        since = max(since, cycles[others])
                        cycles[ready] = since
                        cycle = max(cycle, cycles[need])
                        cycles[taken] = cycle
                        need, taken, others, ready = need + 1, taken + 1, others + 1, ready + 1
                    if sides & WRITES:
                        left = max(cycle + one, free) + (unit.stages - 1) * one
                        left = max(left, cycles[room] + one)
                        cycles[given] = left
                        free = left if unit.stages == 1 else cycles[asked] + one
                        room, given, asked = room + 1, given + 1, asked + 1
                    if first == NEVER:
                        first, first_gap = cycle, gap
                    gap = 0
                    follows = sides & READS != 0
    unit.last, unit.last_free = cycle, free
    start, frozen = cycle - pace.period, free - pace.period
    if first < max(start + one, frozen) + first_gap * one:
        dirty[u] = 1  # the frame's end makes its beginning later
