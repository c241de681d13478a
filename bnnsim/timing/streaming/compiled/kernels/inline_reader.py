"""Handing words over a full channel in the compiled executor, without a visit to its reader.

FIFOs are shallow, and most visits would find but a word or two. So a unit that runs out of room lets the
reader take what it can there and then. What the reader does besides waits for its own visit: it gets one
whenever words have been written that it waited for.
"""

from __future__ import annotations

from bnnsim.timing.streaming.compiled.kernels.channel import count_words, log_reads, log_writes
from bnnsim.timing.streaming.compiled.kernels.cursor import forward_reads, frame_end, run_end
from bnnsim.timing.streaming.compiled.kernels.flushing_step import do_bound_step, do_step
from bnnsim.timing.streaming.compiled.kernels.jit import inner
from bnnsim.timing.streaming.compiled.kernels.records import BOUND, FLUSHING, PLAIN, Limits, State


@inner
def read_inline(s: State, c: int, limits: Limits) -> int:
    """Let the reader of a full channel take what it can; the places that gives."""
    channel = s.channel[c]
    u = channel.reader
    if u < 0 or s.unit[u].kind == PLAIN:
        return read_inline_plain(s, c, limits)
    unit = s.unit[u]
    if (
        unit.halted
        or unit.frames_done >= limits.frame_limit
        or unit.end_input - unit.first_input > 1
    ):
        return 0
    kind = unit.kind
    if kind not in (FLUSHING, BOUND):
        return 0
    before = channel.read
    if limits.counts:
        count_words(channel, s.event_times)
    log_writes(channel, s.event_times)
    if kind == FLUSHING:
        while channel.read < channel.written:
            if not do_step(s, u, limits):
                break
    else:
        while channel.read < channel.written:
            if not do_bound_step(s, u, limits):
                break
    taken: int = channel.read - before
    if limits.counts and taken:
        count_words(channel, s.event_times)
    log_reads(channel, s.event_times)
    return taken


@inner
def read_inline_plain(s: State, c: int, limits: Limits) -> int:
    """The same where the reader is a plain unit: what it can take without writing.

    Plain units hand over to such readers only: what is compiled into their loop slows it down.
    """
    channel = s.channel[c]
    u = channel.reader
    if u < 0 or s.unit[u].kind != PLAIN:
        return 0
    unit = s.unit[u]
    if unit.halted or unit.frames_done >= limits.frame_limit:
        return 0
    end_step = run_end(s, u, limits) if limits.draining else frame_end(s, u)
    if limits.counts:
        count_words(channel, s.event_times)
    log_writes(channel, s.event_times)
    taken = 0
    while channel.read < channel.written and not unit.sink_words:
        tick = unit.next_read
        if tick >= min(end_step, unit.next_write):
            break
        if unit.reads >= limits.frame_limit * unit.words_in:
            break
        word = channel.read
        arrival = unit.step_cycle + tick - unit.last_step
        cycle = s.event_times[channel.write_ring + (word & channel.write_mask)] + channel.lag
        if cycle > arrival:
            channel.reader_stall_frame = unit.frames_done
            if cycle >= limits.cycle_limit:
                break
            unit.stalled_on_input += cycle - arrival
        cycle = max(cycle, arrival)
        if cycle >= limits.cycle_limit:
            break
        s.event_times[channel.read_ring + (word & channel.read_mask)] = cycle
        channel.read = word + 1
        unit.reads += 1
        unit.last_read = cycle
        unit.step_cycle = cycle
        unit.last_step = tick
        forward_reads(s, u)
        taken += 1
    if limits.counts and taken:
        count_words(channel, s.event_times)
    log_reads(channel, s.event_times)
    return taken
