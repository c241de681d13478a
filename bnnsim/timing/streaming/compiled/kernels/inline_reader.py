"""Handing words over a full channel in the compiled executor, without a visit to its reader.

FIFOs are shallow, and most visits would find but a word or two. So a unit that runs out of room lets the
reader take what it can there and then. What the reader does besides waits for its own visit: it gets one
whenever words have been written that it waited for.
"""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels.channel import count_words, log_reads, log_writes
from bnnsim.timing.streaming.compiled.kernels.columns import (
    AT,
    ENDS,
    FLUSHING,
    FRAME,
    HALTED,
    IN0,
    IN1,
    KIND,
    LAG,
    LAST_READ,
    LATE,
    PLAIN,
    PROLOGUE,
    R_NEXT,
    READ,
    READ_MASK,
    READ_RING,
    READER,
    READS,
    STALLED_IN,
    STARVED_IN,
    STEPS,
    TICK,
    W_NEXT,
    WORDS_IN,
    WRITE_MASK,
    WRITE_RING,
    WRITTEN,
)
from bnnsim.timing.streaming.compiled.kernels.cursor import forward_reads, frame_end
from bnnsim.timing.streaming.compiled.kernels.flushing_step import do_late_step, do_step
from bnnsim.timing.streaming.compiled.kernels.jit import inner


@inner
def let_read(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    c: int,
    barrier: int,
    draining: bool,
    horizon: int,
    counts: bool,
) -> int:
    """Let the reader of a full channel take what it can; the places that gives."""
    u = channel[c, READER]
    if u < 0 or unit[u, KIND] == PLAIN:
        return let_plain_read(unit, channel, pool, plan, c, barrier, draining, horizon, counts)
    if unit[u, HALTED] or unit[u, FRAME] >= barrier or unit[u, IN1] - unit[u, IN0] > 1:
        return 0
    kind = unit[u, KIND]
    if kind not in (FLUSHING, LATE):
        return 0
    before = channel[c, READ]
    if counts:
        count_words(channel, pool, c)
    log_writes(channel, pool, c)
    if kind == FLUSHING:
        while channel[c, READ] < channel[c, WRITTEN]:
            if not do_step(unit, channel, pool, plan, u, barrier, draining, horizon):
                break
    else:
        while channel[c, READ] < channel[c, WRITTEN]:
            if not do_late_step(unit, channel, pool, plan, u, barrier, draining, horizon):
                break
    taken: int = channel[c, READ] - before
    if counts and taken:
        count_words(channel, pool, c)
    log_reads(channel, pool, c)
    return taken


@inner
def let_plain_read(
    unit: Int64s,
    channel: Int64s,
    pool: Int64s,
    plan: Int64s,
    c: int,
    barrier: int,
    draining: bool,
    horizon: int,
    counts: bool,
) -> int:
    """The same where the reader is a plain unit: what it can take without writing.

    Plain units hand over to such readers only: what is compiled into their loop slows it down.
    """
    u = channel[c, READER]
    if u < 0 or unit[u, KIND] != PLAIN or unit[u, HALTED] or unit[u, FRAME] >= barrier:
        return 0
    bound = unit[u, PROLOGUE] + barrier * unit[u, STEPS] if draining else frame_end(unit, u)
    if counts:
        count_words(channel, pool, c)
    log_writes(channel, pool, c)
    taken = 0
    while channel[c, READ] < channel[c, WRITTEN] and not unit[u, ENDS]:
        tick = unit[u, R_NEXT]
        if tick >= min(bound, unit[u, W_NEXT]) or unit[u, READS] >= barrier * unit[u, WORDS_IN]:
            break
        word = channel[c, READ]
        arrival = unit[u, AT] + tick - unit[u, TICK]
        cycle = pool[channel[c, WRITE_RING] + (word & channel[c, WRITE_MASK])] + channel[c, LAG]
        if cycle > arrival:
            channel[c, STARVED_IN] = unit[u, FRAME]
            if cycle >= horizon:
                break
            unit[u, STALLED_IN] += cycle - arrival
        cycle = max(cycle, arrival)
        if cycle >= horizon:
            break
        pool[channel[c, READ_RING] + (word & channel[c, READ_MASK])] = cycle
        channel[c, READ] = word + 1
        unit[u, READS] += 1
        unit[u, LAST_READ] = cycle
        unit[u, AT] = cycle
        unit[u, TICK] = tick
        forward_reads(unit, plan, u)
        taken += 1
    if counts and taken:
        count_words(channel, pool, c)
    log_reads(channel, pool, c)
    return taken
