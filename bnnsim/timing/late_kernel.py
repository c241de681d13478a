"""A bound for flushing pipelines in the compiled executor: never earlier than they, and monotone.

A flushing unit may do a step later because a word came earlier: one that reaches the blocked exit before
the step freezes it. Let s and e be the cycles in which a word's step is done and in which it leaves, w
the word before, and r_w a cycle from which on the unit is not frozen by w or any word before it. A step
``gap`` steps behind the last one (in cycle s') waits at most until its words are there, until s' + gap,
or until r_w + gap - 1: ticks that passed while the unit was frozen are made up for from then on, the
first in cycle r_w itself. And its word leaves at the latest once it has room, in s + depth, or in
r_w + depth - 1. The late unit does every step and lets every word leave exactly in those cycles. They
are maxima of others plus constants: with events no earlier than a flushing unit's it is never earlier.

What is r_w? The cycle in which w has room would do: the one after word w - d was read, d being the
FIFO's depth. That counts too much where the reader had been waiting for words, for it will always have
read w - d before w comes to the exit. It is enough to count from when on the reader was ready for w - d:
not counting, while it reads a word in every cycle, that it had to wait for word i of this same channel.
For if w is at the exit in cycle c, word i had left by c - (w - i), so that wait let w - d be read by
c - (w - i) + lag + (w - d - i) = c + lag - d, which is before c if d > lag.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnnsim.timing.channel_kernel import (
    note_ready,
    places_cycle,
    places_ready,
    read_words,
    ready_cycle,
    words_cycle,
    words_ready,
    write_words,
)
from bnnsim.timing.columns import (
    AT,
    DEPTH,
    ENTERED,
    FRAME,
    GONE,
    HALTED,
    LAST_PLACE,
    LAST_READ,
    NEVER,
    PIPE,
    PIPE_MASK,
    R_NEXT,
    READS,
    TICK,
    W_NEXT,
    WORDS_IN,
)
from bnnsim.timing.cursor_kernel import (
    end_run,
    ends_frame,
    forward_reads,
    forward_writes,
    frame_end,
)
from bnnsim.timing.jit import inner

Int64s = NDArray[np.int64]


@inner
def run_late(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    u: int,
    barrier: int,
    draining: bool,
    horizon: int,
) -> None:
    """Do steps and let words leave as far as their cycles can be told."""
    while True:
        _let_words_leave(unit, channel, pool, plan, u, horizon)
        if _do_step(unit, channel, pool, plan, u, barrier, draining, horizon):
            continue
        if draining or not ends_frame(unit, channel, pool, plan, u, barrier):
            return


@inner
def _let_words_leave(
    unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int, horizon: int
) -> None:
    steps = unit[u, PIPE] + 2 * (unit[u, PIPE_MASK] + 1)
    while unit[u, GONE] < unit[u, ENTERED] and not unit[u, HALTED] & 2:
        if places_ready(unit, channel, plan, u) <= 0:
            return
        place = places_cycle(unit, channel, pool, plan, u)
        step = pool[steps + (unit[u, GONE] & unit[u, PIPE_MASK])]
        arrival = max(step + unit[u, DEPTH], unit[u, LAST_PLACE] + unit[u, DEPTH] - 1)
        cycle = max(arrival, place)
        if cycle >= horizon:
            unit[u, HALTED] |= 2
            return
        unit[u, LAST_PLACE] = ready_cycle(unit, channel, pool, plan, u)
        unit[u, GONE] += 1
        write_words(unit, channel, pool, plan, u, cycle)


@inner
def _do_step(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    u: int,
    barrier: int,
    draining: bool,
    horizon: int,
) -> bool:
    if draining:
        end_run(unit, u, barrier)
    step = min(unit[u, R_NEXT], unit[u, W_NEXT])
    if step == NEVER or unit[u, HALTED] or unit[u, GONE] < unit[u, ENTERED]:
        return False
    if not draining and (unit[u, FRAME] >= barrier or step >= frame_end(unit, u)):
        return False
    reads = unit[u, R_NEXT] == step
    gap = step - unit[u, TICK]
    free = unit[u, LAST_PLACE] + gap - 1
    cycle = max(unit[u, AT] + gap, free)
    if reads:
        if unit[u, READS] >= barrier * unit[u, WORDS_IN]:
            return False
        if words_ready(unit, channel, plan, u) <= 0:
            return False
        cycle = max(cycle, words_cycle(unit, channel, pool, plan, u))
    if cycle >= horizon:
        unit[u, HALTED] |= 1
        return False
    if reads:
        follows = gap == 1 and unit[u, LAST_READ] == unit[u, AT]
        note_ready(unit, channel, pool, plan, u, unit[u, AT] + gap, free, follows)
    unit[u, AT] = cycle
    unit[u, TICK] = step
    if unit[u, W_NEXT] == step:
        entry = unit[u, PIPE] + (unit[u, ENTERED] & unit[u, PIPE_MASK])
        pool[entry + 2 * (unit[u, PIPE_MASK] + 1)] = cycle
        unit[u, ENTERED] += 1
        forward_writes(unit, plan, u)
    if reads:
        read_words(unit, channel, pool, plan, u, cycle)
        forward_reads(unit, plan, u)
    return True
