"""Units with flushing pipelines in the compiled executor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnnsim.timing.channel_kernel import (
    decisive_from,
    next_open,
    note_blocked,
    note_ready,
    note_starved,
    places_cycle,
    places_ready,
    read_words,
    words_cycle,
    words_ready,
    write_words,
)
from bnnsim.timing.columns import (
    AT,
    BUSY,
    DEPTH,
    ENTERED,
    EVERY,
    FRAME,
    FROZEN_EXIT,
    FROZEN_STEP,
    GONE,
    HALTED,
    LOCAL,
    NEVER,
    PASSED,
    PIPE,
    PIPE_MASK,
    R_NEXT,
    READS,
    STALLED_IN,
    STALLED_OUT,
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
def run_flushing(
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
    """The next step that touches a word, if its cycle can be told by now.

    It enters in the first cycle in which its words are there and the pipeline is not frozen. Words that
    reach the exit by then come first, so when they leave must be known.
    """
    if draining:
        end_run(unit, u, barrier)
    step = min(unit[u, R_NEXT], unit[u, W_NEXT])
    if step == NEVER or unit[u, HALTED] & 1:
        return False
    if not draining and (unit[u, FRAME] >= barrier or step >= frame_end(unit, u)):
        return False
    reads = unit[u, R_NEXT] == step
    word = 0
    if reads:
        if unit[u, READS] >= barrier * unit[u, WORDS_IN]:
            return False
        if words_ready(unit, channel, plan, u) <= 0:
            return False
        word = words_cycle(unit, channel, pool, plan, u)
    wanted = unit[u, LOCAL] + step - unit[u, TICK]
    local = wanted
    frozen = unit[u, FROZEN_STEP]
    passed = unit[u, PASSED]
    cycle = max(wanted + frozen, word)
    since = decisive_from(wanted + frozen, cycle, 1)
    while passed < unit[u, ENTERED]:
        entry = unit[u, PIPE] + (passed & unit[u, PIPE_MASK])
        leaving = pool[entry]
        if leaving + frozen > cycle:
            break
        if passed == unit[u, GONE]:
            return False
        frozen += pool[entry + unit[u, PIPE_MASK] + 1]
        passed += 1
        local = max(local, leaving)
        cycle = max(local + frozen, word)
    if cycle >= horizon:
        unit[u, HALTED] |= 1
        return False
    if reads:
        note_starved(unit, channel, pool, plan, u, since, unit[u, FRAME])
    local = cycle - frozen
    unit[u, STALLED_IN] += local - wanted
    unit[u, BUSY] += 1
    unit[u, AT] = cycle
    unit[u, TICK] = step
    unit[u, LOCAL] = local
    unit[u, FROZEN_STEP] = frozen
    unit[u, PASSED] = passed
    if unit[u, W_NEXT] == step:
        entry = unit[u, PIPE] + (unit[u, ENTERED] & unit[u, PIPE_MASK])
        pool[entry] = local + unit[u, DEPTH]
        pool[entry + 2 * (unit[u, PIPE_MASK] + 1)] = cycle
        unit[u, ENTERED] += 1
        forward_writes(unit, plan, u)
    if reads:
        note_ready(unit, channel, pool, plan, u, cycle, 0, False)
        read_words(unit, channel, pool, plan, u, cycle)
        forward_reads(unit, plan, u)
    return True


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
