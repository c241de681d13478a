"""Units with flushing pipelines in the compiled executor."""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels.channel import (
    decisive_from,
    next_open,
    note_blocked,
    places_cycle,
    places_ready,
    write_words,
)
from bnnsim.timing.streaming.compiled.kernels.columns import (
    AT,
    BLOCKED_IN,
    BUSY,
    DEPTH,
    DEPTH_WORDS,
    ENDS,
    ENTERED,
    EVERY,
    FRAME,
    FROZEN_EXIT,
    FROZEN_STEP,
    GONE,
    HALTED,
    IN0,
    IN1,
    LAG,
    LAST_READ,
    LAST_WRITE,
    LOCAL,
    NEVER,
    OUT0,
    OUT1,
    PASSED,
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
from bnnsim.timing.streaming.compiled.kernels.cursor import ends_frame, frame_end, next_segment
from bnnsim.timing.streaming.compiled.kernels.flushing_step import do_step
from bnnsim.timing.streaming.compiled.kernels.inline_reader import let_read
from bnnsim.timing.streaming.compiled.kernels.jit import inner


@inner
def run_flushing(
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
    is_single = is_single and unit[u, EVERY] == 1 and not unit[u, ENDS]
    while True:
        if is_single:
            _run_single(unit, channel, pool, plan, u, barrier, draining, horizon, counts)
        else:
            _let_words_leave(unit, channel, pool, plan, u, horizon)
            if do_step(unit, channel, pool, plan, u, barrier, draining, horizon):
                continue
        if draining or not ends_frame(unit, channel, pool, plan, u, barrier):
            return


@inner
def _let_words_leave(
    unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int, horizon: int
) -> None:
    """Words at the exit; when they leave does not depend on what enters behind them."""
    ring = unit[u, PIPE]
    mask = unit[u, PIPE_MASK]
    while unit[u, GONE] < unit[u, ENTERED] and not unit[u, HALTED] & 2:
        if places_ready(unit, channel, plan, u) <= 0:
            return
        entry = ring + (unit[u, GONE] & mask)
        arrival = pool[entry] + unit[u, FROZEN_EXIT]
        place = places_cycle(unit, channel, pool, plan, u)
        cycle = next_open(max(arrival, place), unit[u, EVERY])
        if cycle >= horizon:
            unit[u, HALTED] |= 2
            return
        since = decisive_from(arrival, cycle, unit[u, EVERY])
        # Told before the steps until then are: it may be in the next frame.
        note_blocked(unit, channel, pool, plan, u, since, unit[u, FRAME] + 1)
        unit[u, STALLED_OUT] += cycle - arrival
        unit[u, FROZEN_EXIT] += cycle - arrival
        pool[entry + mask + 1] = cycle - arrival
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
    """Steps of a frame, with one input or none and one output or none, always open.

    The same as :func:`_let_words_leave` and :func:`do_step` in turn, for nearly all units: all state in
    local variables.
    """
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
    given, places = 0, NEVER
    if unit[u, OUT0] < unit[u, OUT1]:
        target = plan[unit[u, OUT0]]
        free_ring, free_mask = channel[target, READ_RING], channel[target, READ_MASK]
        write_ring, write_mask = channel[target, WRITE_RING], channel[target, WRITE_MASK]
        depth, given = channel[target, DEPTH_WORDS], channel[target, WRITTEN]
        places = channel[target, READ] + depth - given
    r_block, r_repeat, r_segment = unit[u, R_BLOCK], unit[u, R_REPEAT], unit[u, R_SEGMENT]
    r_left, r_next = unit[u, R_LEFT], unit[u, R_NEXT]
    w_block, w_repeat, w_segment = unit[u, W_BLOCK], unit[u, W_REPEAT], unit[u, W_SEGMENT]
    w_left, w_next = unit[u, W_LEFT], unit[u, W_NEXT]
    if draining and (r_next >= bound or words_left <= 0):
        r_next = NEVER
    if draining and w_next >= bound:
        w_next = NEVER
    pipe, mask, stages = unit[u, PIPE], unit[u, PIPE_MASK], unit[u, DEPTH]
    at, tick, local = unit[u, AT], unit[u, TICK], unit[u, LOCAL]
    frozen, frozen_exit = unit[u, FROZEN_STEP], unit[u, FROZEN_EXIT]
    passed, gone, entered = unit[u, PASSED], unit[u, GONE], unit[u, ENTERED]
    halted = unit[u, HALTED]
    last_read, last_write = unit[u, LAST_READ], unit[u, LAST_WRITE]
    first_given = given
    busy, stalled_in, stalled_out = 0, 0, 0
    starved, blocked = False, False
    while True:
        while gone < entered and not halted & 2:
            if places <= 0:
                channel[target, WRITTEN] = given
                places = let_read(unit, channel, pool, plan, target, barrier, draining, horizon, counts)
                if places <= 0:
                    unit[u, WAIT_OUT] = target
                    break
            entry = pipe + (gone & mask)
            arrival = pool[entry] + frozen_exit
            place = pool[free_ring + ((given - depth) & free_mask)] + 1
            cycle = max(arrival, place)
            if cycle >= horizon:
                halted |= 2
                break
            if place > arrival:
                blocked = True
                stalled_out += place - arrival
                frozen_exit += place - arrival
            pool[entry + mask + 1] = cycle - arrival
            gone += 1
            pool[write_ring + (given & write_mask)] = cycle
            given += 1
            places -= 1
            last_write = cycle
        step = min(r_next, w_next)
        if step >= bound or halted & 1:
            break
        reads = r_next == step
        word = 0
        if reads:
            if words_left <= 0:
                break
            if words <= 0:
                unit[u, WAIT_IN] = source
                break
            if source >= 0:
                word = pool[come_ring + (taken & come_mask)] + lag
        wanted = local + step - tick
        due = wanted + frozen
        cycle = max(due, word)
        is_starved = word > due
        here, froze, past = wanted, frozen, passed
        is_known = True
        while past < entered:
            entry = pipe + (past & mask)
            leaving = pool[entry]
            if leaving + froze > cycle:
                break
            if past == gone:
                is_known = False
                break
            froze += pool[entry + mask + 1]
            past += 1
            here = max(here, leaving)
            cycle = max(here + froze, word)
        if not is_known:
            break
        if cycle >= horizon:
            halted |= 1
            break
        starved |= is_starved
        frozen, passed = froze, past
        local = cycle - frozen
        stalled_in += local - wanted
        busy += 1
        at, tick = cycle, step
        if w_next == step:
            entry = pipe + (entered & mask)
            pool[entry] = local + stages
            pool[entry + 2 * (mask + 1)] = cycle
            entered += 1
            w_next += 1
            w_left -= 1
            if w_left == 0:
                w_block, w_repeat, w_segment, w_left, w_next = next_segment(
                    plan, w_block, w_repeat, w_segment, w_next, unit[u, WRITE_FRAME], unit[u, WRITE_END]
                )
            if draining and w_next >= bound:
                w_next = NEVER
        if reads:
            if source >= 0:
                pool[read_ring + (taken & read_mask)] = cycle
                if ready_ring:
                    pool[ready_ring + (taken & read_mask)] = cycle
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
    unit[u, READS] = barrier * unit[u, WORDS_IN] - words_left
    unit[u, WRITES] += given - first_given
    unit[u, R_BLOCK], unit[u, R_REPEAT], unit[u, R_SEGMENT] = r_block, r_repeat, r_segment
    unit[u, R_LEFT], unit[u, R_NEXT] = r_left, r_next
    unit[u, W_BLOCK], unit[u, W_REPEAT], unit[u, W_SEGMENT] = w_block, w_repeat, w_segment
    unit[u, W_LEFT], unit[u, W_NEXT] = w_left, w_next
    unit[u, AT], unit[u, TICK], unit[u, LOCAL] = at, tick, local
    unit[u, FROZEN_STEP], unit[u, FROZEN_EXIT] = frozen, frozen_exit
    unit[u, PASSED], unit[u, GONE], unit[u, ENTERED] = passed, gone, entered
    unit[u, HALTED] = halted
    unit[u, LAST_READ], unit[u, LAST_WRITE] = last_read, last_write
    unit[u, BUSY] += busy
    unit[u, STALLED_IN] += stalled_in
    unit[u, STALLED_OUT] += stalled_out
    if source >= 0:
        channel[source, READ] = taken
        if starved:
            channel[source, STARVED_IN] = unit[u, FRAME]
    if target >= 0:
        channel[target, WRITTEN] = given
        if blocked:  # told before the steps until then are: it may be in the next frame
            channel[target, BLOCKED_IN] = unit[u, FRAME] + 1


@inner
def close_flushing(unit: Int64s, pool: Int64s, u: int, total: int) -> None:
    """Account for the waits that were on at the end of a run of ``total`` cycles."""
    frozen = unit[u, FROZEN_EXIT]
    local_end = total - frozen  # the local ticks before it are over
    if unit[u, GONE] < unit[u, ENTERED]:
        leaving = pool[unit[u, PIPE] + (unit[u, GONE] & unit[u, PIPE_MASK])]
        if leaving + frozen < total:
            unit[u, STALLED_OUT] += total - leaving - frozen
            local_end = leaving
    step = min(unit[u, R_NEXT], unit[u, W_NEXT])
    if step != NEVER:
        wanted = unit[u, LOCAL] + step - unit[u, TICK]
        unit[u, STALLED_IN] += max(0, local_end - wanted)
