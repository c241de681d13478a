"""One step of a flushing pipeline, or of its bound, in the compiled executor, with any ports."""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels.channel import (
    decisive_from,
    note_ready,
    note_starved,
    read_words,
    words_cycle,
    words_ready,
)
from bnnsim.timing.streaming.compiled.kernels.columns import (
    AT,
    BUSY,
    DEPTH,
    ENTERED,
    FRAME,
    FROZEN_STEP,
    GONE,
    HALTED,
    LAST_PLACE,
    LAST_READ,
    LOCAL,
    NEVER,
    PASSED,
    PIPE,
    PIPE_MASK,
    R_NEXT,
    READS,
    STALLED_IN,
    TICK,
    W_NEXT,
    WORDS_IN,
)
from bnnsim.timing.streaming.compiled.kernels.cursor import (
    end_run,
    forward_reads,
    forward_writes,
    frame_end,
)
from bnnsim.timing.streaming.compiled.kernels.jit import inner


@inner
def do_step(
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
def do_late_step(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    u: int,
    barrier: int,
    draining: bool,
    horizon: int,
) -> bool:
    """The same for a late unit; see :mod:`bnnsim.timing.streaming.compiled.kernels.bound`."""
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
