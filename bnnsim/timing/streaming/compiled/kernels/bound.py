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

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels.channel import (
    places_cycle,
    places_ready,
    ready_cycle,
    write_words,
)
from bnnsim.timing.streaming.compiled.kernels.columns import (
    AT,
    DEPTH,
    DEPTH_WORDS,
    ENDS,
    ENTERED,
    FRAME,
    GONE,
    HALTED,
    IN0,
    IN1,
    LAG,
    LAST_PLACE,
    LAST_READ,
    LAST_WRITE,
    NEVER,
    OUT0,
    OUT1,
    PIPE,
    PIPE_MASK,
    PROLOGUE,
    R_BLOCK,
    R_LEFT,
    R_NEXT,
    R_REPEAT,
    R_SEGMENT,
    READ,
    READ_END,
    READ_FRAME,
    READ_MASK,
    READ_RING,
    READS,
    READY_RING,
    STEPS,
    TICK,
    W_BLOCK,
    W_LEFT,
    W_NEXT,
    W_REPEAT,
    W_SEGMENT,
    WAIT_IN,
    WAIT_OUT,
    WORDS_IN,
    WRITE_END,
    WRITE_FRAME,
    WRITE_MASK,
    WRITE_RING,
    WRITES,
    WRITTEN,
)
from bnnsim.timing.streaming.compiled.kernels.cursor import ends_frame, frame_end, next_segment
from bnnsim.timing.streaming.compiled.kernels.flushing_step import do_late_step
from bnnsim.timing.streaming.compiled.kernels.inline_reader import let_read
from bnnsim.timing.streaming.compiled.kernels.jit import inner


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
    counts: bool,
) -> None:
    """Do steps and let words leave as far as their cycles can be told."""
    is_single = unit[u, IN1] - unit[u, IN0] <= 1 and unit[u, OUT1] - unit[u, OUT0] <= 1
    is_single = is_single and not unit[u, ENDS]
    while True:
        if is_single:
            _run_single(unit, channel, pool, plan, u, barrier, draining, horizon, counts)
        else:
            _let_words_leave(unit, channel, pool, plan, u, horizon)
            if do_late_step(unit, channel, pool, plan, u, barrier, draining, horizon):
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
def _run_single(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    u: int,
    barrier: int,
    draining: bool,
    horizon: int,
    counts: bool,
) -> None:
    """Steps of a frame, with one input or none and one output or none: the same, in local variables."""
    bound = unit[u, PROLOGUE] + barrier * unit[u, STEPS] if draining else frame_end(unit, u)
    if not draining and unit[u, FRAME] >= barrier:
        bound = -1
    words_left = barrier * unit[u, WORDS_IN] - unit[u, READS]
    source, come_ring, come_mask, lag, read_ring, read_mask, ready_ring = -1, 0, 0, 0, 0, 0, 0
    taken, words = 0, NEVER
    if unit[u, IN0] < unit[u, IN1]:
        source = plan[unit[u, IN0]]
        come_ring, come_mask = channel[source, WRITE_RING], channel[source, WRITE_MASK]
        read_ring, read_mask = channel[source, READ_RING], channel[source, READ_MASK]
        ready_ring = channel[source, READY_RING]
        lag, taken = channel[source, LAG], channel[source, READ]
        words = channel[source, WRITTEN] - taken
    target, free_ring, free_mask, depth, write_ring, write_mask = -1, 0, 0, 0, 0, 0
    given, places, ready_from = 0, NEVER, 0
    if unit[u, OUT0] < unit[u, OUT1]:
        target = plan[unit[u, OUT0]]
        free_ring, free_mask = channel[target, READ_RING], channel[target, READ_MASK]
        write_ring, write_mask = channel[target, WRITE_RING], channel[target, WRITE_MASK]
        depth, given = channel[target, DEPTH_WORDS], channel[target, WRITTEN]
        places = channel[target, READ] + depth - given
        ready_from = channel[target, READY_RING] if channel[target, READY_RING] else free_ring
    r_block, r_repeat, r_segment = unit[u, R_BLOCK], unit[u, R_REPEAT], unit[u, R_SEGMENT]
    r_left, r_next = unit[u, R_LEFT], unit[u, R_NEXT]
    w_block, w_repeat, w_segment = unit[u, W_BLOCK], unit[u, W_REPEAT], unit[u, W_SEGMENT]
    w_left, w_next = unit[u, W_LEFT], unit[u, W_NEXT]
    if draining and (r_next >= bound or words_left <= 0):
        r_next = NEVER
    if draining and w_next >= bound:
        w_next = NEVER
    mask, stages = unit[u, PIPE_MASK], unit[u, DEPTH]
    steps = unit[u, PIPE] + 2 * (mask + 1)
    at, tick, gone, entered = unit[u, AT], unit[u, TICK], unit[u, GONE], unit[u, ENTERED]
    last_place, last_read, last_write = unit[u, LAST_PLACE], unit[u, LAST_READ], unit[u, LAST_WRITE]
    halted = unit[u, HALTED]
    first_given = given
    while True:
        while gone < entered and not halted:
            if places <= 0:
                channel[target, WRITTEN] = given
                places = let_read(unit, channel, pool, plan, target, barrier, draining, horizon, counts)
                if places <= 0:
                    unit[u, WAIT_OUT] = target
                    break
            freed_by = (given - depth) & free_mask
            leaving = max(pool[steps + (gone & mask)], last_place - 1) + stages
            cycle = max(leaving, pool[free_ring + freed_by] + 1)
            if cycle >= horizon:
                halted |= 2
                break
            last_place = pool[ready_from + freed_by] + 1
            gone += 1
            pool[write_ring + (given & write_mask)] = cycle
            given += 1
            places -= 1
            last_write = cycle
        step = min(r_next, w_next)
        if step >= bound or halted or gone < entered:
            break
        reads = r_next == step
        gap = step - tick
        free = last_place + gap - 1
        wanted = at + gap
        cycle = max(wanted, free)
        if reads:
            if words_left <= 0:
                break
            if words <= 0:
                unit[u, WAIT_IN] = source
                break
            if source >= 0:
                cycle = max(cycle, pool[come_ring + (taken & come_mask)] + lag)
        if cycle >= horizon:
            halted |= 1
            break
        if reads:
            if ready_ring:
                ready = max(wanted, free)
                if gap == 1 and last_read == at:
                    ready = max(pool[ready_ring + ((taken - 1) & read_mask)] + 1, free)
                pool[ready_ring + (taken & read_mask)] = ready
            if source >= 0:
                pool[read_ring + (taken & read_mask)] = cycle
                taken += 1
                words -= 1
            last_read = cycle
            words_left -= 1
            r_next += 1
            r_left -= 1
            if r_left == 0:
                r_block, r_repeat, r_segment, r_left, r_next = next_segment(
                    plan, r_block, r_repeat, r_segment, r_next, unit[u, READ_FRAME], unit[u, READ_END]
                )
            if draining and (r_next >= bound or words_left <= 0):
                r_next = NEVER
        at, tick = cycle, step
        if w_next == step:
            pool[steps + (entered & mask)] = cycle
            entered += 1
            w_next += 1
            w_left -= 1
            if w_left == 0:
                w_block, w_repeat, w_segment, w_left, w_next = next_segment(
                    plan, w_block, w_repeat, w_segment, w_next, unit[u, WRITE_FRAME], unit[u, WRITE_END]
                )
            if draining and w_next >= bound:
                w_next = NEVER
    unit[u, READS] = barrier * unit[u, WORDS_IN] - words_left
    unit[u, WRITES] += given - first_given
    unit[u, R_BLOCK], unit[u, R_REPEAT], unit[u, R_SEGMENT] = r_block, r_repeat, r_segment
    unit[u, R_LEFT], unit[u, R_NEXT] = r_left, r_next
    unit[u, W_BLOCK], unit[u, W_REPEAT], unit[u, W_SEGMENT] = w_block, w_repeat, w_segment
    unit[u, W_LEFT], unit[u, W_NEXT] = w_left, w_next
    unit[u, AT], unit[u, TICK], unit[u, GONE], unit[u, ENTERED] = at, tick, gone, entered
    unit[u, LAST_PLACE], unit[u, LAST_READ], unit[u, LAST_WRITE] = last_place, last_read, last_write
    unit[u, HALTED] = halted
    if source >= 0:
        channel[source, READ] = taken
    if target >= 0:
        channel[target, WRITTEN] = given
