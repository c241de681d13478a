"""Units with freezing pipelines, or none, in the compiled executor.

Tick n of such a unit does step n and lets the word of step n - depth leave, both in one cycle: once the
word has room and the step has its words. So the unit's ticks follow one another, and only those that
read or write need a look.
"""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels.channel import (
    decisive_from,
    next_open,
    note_blocked,
    note_end,
    note_ready,
    note_starved,
    places_cycle,
    places_ready,
    read_words,
    words_cycle,
    words_ready,
    write_words,
)
from bnnsim.timing.streaming.compiled.kernels.columns import (
    AT,
    BLOCKED_IN,
    DEPTH,
    DEPTH_WORDS,
    DONE_STEPS,
    ENDS,
    ENDS_ON_WRITE,
    EVERY,
    FRAME,
    HALTED,
    IN0,
    IN1,
    KIND,
    LAG,
    LAST_READ,
    LAST_WRITE,
    NEVER,
    OUT0,
    OUT1,
    PLAIN,
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
    STALLED_IN,
    STALLED_OUT,
    STARVED_IN,
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
from bnnsim.timing.streaming.compiled.kernels.cursor import (
    end_run,
    ends_frame,
    forward_reads,
    forward_writes,
    frame_end,
    next_segment,
)
from bnnsim.timing.streaming.compiled.kernels.inline_reader import let_plain_read
from bnnsim.timing.streaming.compiled.kernels.jit import inner


@inner
def run_freezing(
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
    """Do ticks as far as their cycles can be told."""
    while True:
        if draining:
            end_run(unit, u, barrier)
        if not unit[u, HALTED] and (draining or unit[u, FRAME] < barrier):
            bound = NEVER if draining else frame_end(unit, u)
            if unit[u, KIND] == PLAIN:
                _run_plain(unit, channel, pool, plan, u, barrier, bound, draining, horizon, counts)
            else:
                _run_any(unit, channel, pool, plan, u, barrier, bound, draining, horizon)
        if draining or not ends_frame(unit, channel, pool, plan, u, barrier):
            return


@inner
def _run_any(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    u: int,
    barrier: int,
    bound: int,
    draining: bool,
    horizon: int,
) -> None:
    """Ticks before ``bound``, with any number of ports."""
    while True:
        tick = min(unit[u, R_NEXT], unit[u, W_NEXT])
        if tick >= bound:
            return
        reads = unit[u, R_NEXT] == tick
        writes = unit[u, W_NEXT] == tick
        if reads and unit[u, READS] >= barrier * unit[u, WORDS_IN]:
            return
        if writes and places_ready(unit, channel, plan, u) <= 0:
            return
        if reads and words_ready(unit, channel, plan, u) <= 0:
            return
        arrival = unit[u, AT] + tick - unit[u, TICK]
        word = words_cycle(unit, channel, pool, plan, u) if reads else 0
        place = places_cycle(unit, channel, pool, plan, u) if writes else 0
        every = unit[u, EVERY] if writes else 1
        cycle = next_open(max(arrival, word, place), every)
        if cycle >= horizon:
            unit[u, HALTED] = 1
            return
        stalled_in = _starved_cycles(arrival, place, every, cycle)
        unit[u, STALLED_IN] += stalled_in
        unit[u, STALLED_OUT] += cycle - arrival - stalled_in
        since = decisive_from(arrival, cycle, every)
        if reads:
            note_starved(unit, channel, pool, plan, u, since, unit[u, FRAME])
            follows = tick == unit[u, TICK] + 1 and unit[u, LAST_READ] == unit[u, AT]
            note_ready(unit, channel, pool, plan, u, arrival, place, follows)
        if writes:
            note_blocked(unit, channel, pool, plan, u, since, unit[u, FRAME])
        unit[u, AT] = cycle
        unit[u, TICK] = tick
        if reads:
            read_words(unit, channel, pool, plan, u, cycle)
            forward_reads(unit, plan, u)
        if writes:
            write_words(unit, channel, pool, plan, u, cycle)
            forward_writes(unit, plan, u)
        if draining:
            end_run(unit, u, barrier)


@inner
def _starved_cycles(arrival: int, place: int, every: int, until: int) -> int:
    """Of the cycles from ``arrival`` to before ``until``, those that had room and so lacked words."""
    start = max(arrival, place)
    if start >= until:
        return 0
    if every <= 1:
        return until - start
    return (until - 1) // every - (start - 1) // every  # an output is open only now and then


@inner
def _run_plain(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    u: int,
    barrier: int,
    bound: int,
    draining: bool,
    horizon: int,
    counts: bool,
) -> None:
    """Ticks before ``bound``, with one input or none and one output or none, always open.

    The same as :func:`_run_any` for most of all units. FIFOs are shallow and a visit finds but a word
    or two, so that what it costs is getting in and out: all state in local variables, runs of ticks
    that touch the same sides in one loop.
    """
    words_left = barrier * unit[u, WORDS_IN] - unit[u, READS]
    source, come_ring, come_mask, lag, read_ring, read_mask = -1, 0, 0, 0, 0, 0
    taken, words = 0, NEVER
    if unit[u, IN0] < unit[u, IN1]:
        source = plan[unit[u, IN0]]
        come_ring = channel[source, WRITE_RING]
        come_mask = channel[source, WRITE_MASK]
        lag = channel[source, LAG]
        read_ring = channel[source, READ_RING]
        read_mask = channel[source, READ_MASK]
        taken = channel[source, READ]
        words = channel[source, WRITTEN] - taken
    target, free_ring, free_mask, depth, write_ring, write_mask = -1, 0, 0, 0, 0, 0
    given, places = 0, NEVER
    if unit[u, OUT0] < unit[u, OUT1]:
        target = plan[unit[u, OUT0]]
        free_ring = channel[target, READ_RING]
        free_mask = channel[target, READ_MASK]
        depth = channel[target, DEPTH_WORDS]
        write_ring = channel[target, WRITE_RING]
        write_mask = channel[target, WRITE_MASK]
        given = channel[target, WRITTEN]
        places = channel[target, READ] + depth - given
    r_block, r_repeat, r_segment = unit[u, R_BLOCK], unit[u, R_REPEAT], unit[u, R_SEGMENT]
    r_left, r_next = unit[u, R_LEFT], unit[u, R_NEXT]
    w_block, w_repeat, w_segment = unit[u, W_BLOCK], unit[u, W_REPEAT], unit[u, W_SEGMENT]
    w_left, w_next = unit[u, W_LEFT], unit[u, W_NEXT]
    end = NEVER
    if draining:
        end = unit[u, PROLOGUE] + barrier * unit[u, STEPS]
    at, last = unit[u, AT], unit[u, TICK]
    starved, blocked = False, False
    while True:
        tick = min(r_next, w_next)
        if tick >= bound:
            break
        reads = r_next == tick
        writes = w_next == tick
        most = bound - tick
        if writes:
            if places <= 0:
                channel[target, WRITTEN] = given
                places = let_plain_read(
                    unit, channel, pool, plan, target, barrier, draining, horizon, counts
                )
            most = min(most, w_left, places)
            if places <= 0:
                unit[u, WAIT_OUT] = target
        else:
            most = min(most, w_next - tick)
        if reads:
            most = min(most, r_left, words, words_left)
            if words <= 0:
                unit[u, WAIT_IN] = source
        else:
            most = min(most, r_next - tick)
        if most <= 0:
            break
        if unit[u, ENDS]:
            most = 1
        arrival = at + tick - last
        takes = reads and source >= 0
        gives = writes and target >= 0
        word, place, done = 0, 0, 0
        while done < most:
            if takes:
                word = pool[come_ring + (taken & come_mask)] + lag
            if gives:
                place = pool[free_ring + ((given - depth) & free_mask)] + 1
            unblocked = max(arrival, place)
            cycle = max(unblocked, word)
            if cycle >= horizon:
                break
            if cycle > arrival:
                unit[u, STALLED_OUT] += unblocked - arrival
                unit[u, STALLED_IN] += cycle - unblocked
                starved |= word == cycle
                blocked |= place == cycle
            if takes:
                pool[read_ring + (taken & read_mask)] = cycle
                taken += 1
            if gives:
                pool[write_ring + (given & write_mask)] = cycle
                given += 1
            at = cycle
            arrival = cycle + 1
            done += 1
        if done:
            last = tick + done - 1
        if reads and done:
            unit[u, READS] += done
            unit[u, LAST_READ] = at
            words_left -= done
            words -= done
            r_next += done
            r_left -= done
            if r_left == 0:
                r_block, r_repeat, r_segment, r_left, r_next = next_segment(
                    plan,
                    r_block,
                    r_repeat,
                    r_segment,
                    r_next,
                    unit[u, READ_FRAME],
                    unit[u, READ_END],
                )
            if r_next >= end or (draining and words_left == 0):
                r_next = NEVER
            if unit[u, ENDS] and not unit[u, ENDS_ON_WRITE]:
                note_end(unit, pool, plan, u, unit[u, READS], at)
        if writes and done:
            unit[u, WRITES] += done
            unit[u, LAST_WRITE] = at
            places -= done
            w_next += done
            w_left -= done
            if w_left == 0:
                w_block, w_repeat, w_segment, w_left, w_next = next_segment(
                    plan,
                    w_block,
                    w_repeat,
                    w_segment,
                    w_next,
                    unit[u, WRITE_FRAME],
                    unit[u, WRITE_END],
                )
            if w_next - unit[u, DEPTH] >= end:
                w_next = NEVER
            if unit[u, ENDS_ON_WRITE]:
                note_end(unit, pool, plan, u, unit[u, WRITES], at)
        if done < most:
            unit[u, HALTED] = 1
            break
    unit[u, R_BLOCK], unit[u, R_REPEAT], unit[u, R_SEGMENT] = r_block, r_repeat, r_segment
    unit[u, R_LEFT], unit[u, R_NEXT] = r_left, r_next
    unit[u, W_BLOCK], unit[u, W_REPEAT], unit[u, W_SEGMENT] = w_block, w_repeat, w_segment
    unit[u, W_LEFT], unit[u, W_NEXT] = w_left, w_next
    unit[u, AT], unit[u, TICK] = at, last
    if source >= 0:
        channel[source, READ] = taken
        if starved:
            channel[source, STARVED_IN] = unit[u, FRAME]
    if target >= 0:
        channel[target, WRITTEN] = given
        if blocked:
            channel[target, BLOCKED_IN] = unit[u, FRAME]


@inner
def close_freezing(unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int, total: int) -> None:
    """Account for the wait that was on at the end of a run of ``total`` cycles, count the steps done."""
    tick = min(unit[u, R_NEXT], unit[u, W_NEXT])
    if tick == NEVER:
        unit[u, DONE_STEPS] = NEVER
        return
    arrival = unit[u, AT] + tick - unit[u, TICK]
    if arrival >= total:
        unit[u, DONE_STEPS] = tick - (arrival - total)
        return
    unit[u, DONE_STEPS] = tick
    place = 0
    every = 1
    if unit[u, W_NEXT] == tick:
        every = unit[u, EVERY]
        known = places_ready(unit, channel, plan, u) > 0
        place = places_cycle(unit, channel, pool, plan, u) if known else NEVER
    stalled_in = _starved_cycles(arrival, place, every, total)
    unit[u, STALLED_IN] += stalled_in
    unit[u, STALLED_OUT] += total - arrival - stalled_in
