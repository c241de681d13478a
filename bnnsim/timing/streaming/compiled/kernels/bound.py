"""A bound for flushing pipelines in the compiled executor: never earlier than they, and monotone.

A flushing unit may do a step later because a word came earlier: one that reaches the blocked exit before
the step freezes it. Let s and e be the cycles in which a word's step is done and in which it leaves, w
the word before, and r_w a cycle from which on the unit is not frozen by w or any word before it. A step
``gap`` steps behind the last one (in cycle s') waits at most until its words are there, until s' + gap,
or until r_w + gap - 1: ticks that passed while the unit was frozen are made up for from then on, the
first in cycle r_w itself. And its word leaves at the latest once it has room, in s + depth, or in
r_w + depth - 1. The bound does every step and lets every word leave exactly in those cycles. They
are maxima of others plus constants: with events no earlier than a flushing unit's it is never earlier.

What is r_w? The cycle in which w has room would do: the one after word w - d was read, d being the
FIFO's depth. That counts too much where the reader had been waiting for words, for it will always have
read w - d before w comes to the exit. It is enough to count from when on the reader was ready for w - d:
not counting, while it reads a word in every cycle, that it had to wait for word i of this same channel.
For if w is at the exit in cycle c, word i had left by c - (w - i), so that wait let w - d be read by
c - (w - i) + lag + (w - d - i) = c + lag - d, which is before c if d > lag.
"""

from __future__ import annotations

from bnnsim.timing.streaming.compiled.kernels.channel import (
    ready_cycle,
    spaces_available,
    spaces_cycle,
    write_words,
)
from bnnsim.timing.streaming.compiled.kernels.cursor import (
    ended,
    ends_frame,
    frame_end,
    load_reading,
    load_writing,
    next_segment,
    run_end,
    stepped,
    store_reading,
    store_writing,
)
from bnnsim.timing.streaming.compiled.kernels.flushing_step import do_bound_step
from bnnsim.timing.streaming.compiled.kernels.inline_reader import read_inline
from bnnsim.timing.streaming.compiled.kernels.jit import inner
from bnnsim.timing.streaming.compiled.kernels.ports import only_input, only_output
from bnnsim.timing.streaming.compiled.kernels.records import (
    EXITS_HALTED,
    NEVER,
    STEPS_HALTED,
    Limits,
    State,
)


@inner
def run_bound(s: State, u: int, limits: Limits) -> None:
    """Do steps and let words leave as far as their cycles can be told."""
    unit = s.unit[u]
    is_single = unit.end_input - unit.first_input <= 1 and unit.end_output - unit.first_output <= 1
    is_single = is_single and not unit.sink_words and not limits.general
    while True:
        if is_single:
            _run_single(s, u, limits)
        else:
            _let_words_leave(s, u, limits)
            if do_bound_step(s, u, limits):
                continue
        if limits.draining or not ends_frame(s, u, limits):
            return


@inner
def _let_words_leave(s: State, u: int, limits: Limits) -> None:
    unit = s.unit[u]
    steps = unit.pipe_ring + 2 * (unit.pipe_mask + 1)
    while unit.exited < unit.entered and not unit.halted & EXITS_HALTED:
        if spaces_available(s, u) <= 0:
            return
        space = spaces_cycle(s, u)
        step = s.event_times[steps + (unit.exited & unit.pipe_mask)]
        arrival = max(step + unit.stages, unit.space_cycle + unit.stages - 1)
        cycle = max(arrival, space)
        if cycle >= limits.cycle_limit:
            unit.halted |= EXITS_HALTED
            return
        unit.space_cycle = ready_cycle(s, u)
        unit.exited += 1
        write_words(s, u, cycle)


@inner
def _run_single(s: State, u: int, limits: Limits) -> None:
    """Steps of a frame, with one input or none and one output or none: the same, in local variables."""
    unit, times = s.unit[u], s.event_times
    end_step = run_end(s, u, limits) if limits.draining else frame_end(s, u)
    if not limits.draining and unit.frames_done >= limits.frame_limit:
        end_step = -1
    words_left = limits.frame_limit * unit.words_in - unit.reads
    source, target = only_input(s, u), only_output(s, u)
    taken, words = 0, NEVER
    if source.channel >= 0:
        taken = s.channel[source.channel].read
        words = s.channel[source.channel].written - taken
    given, spaces = 0, NEVER
    if target.channel >= 0:
        given = s.channel[target.channel].written
        spaces = s.channel[target.channel].read + target.depth - given
    reading, writing = load_reading(s, u), load_writing(s, u)
    if limits.draining and (reading.step >= end_step or words_left <= 0):
        reading = ended(reading)
    if limits.draining and writing.step >= end_step:
        writing = ended(writing)
    mask, stages = unit.pipe_mask, unit.stages
    steps = unit.pipe_ring + 2 * (mask + 1)
    at, tick, exited, entered = unit.step_cycle, unit.last_step, unit.exited, unit.entered
    last_space, last_read, last_write = unit.space_cycle, unit.last_read, unit.last_write
    halted = unit.halted
    first_given = given
    while True:
        while exited < entered and not halted:
            if spaces <= 0:
                s.channel[target.channel].written = given
                spaces = read_inline(s, target.channel, limits)
                if spaces <= 0:
                    unit.missing_space = target.channel
                    break
            freed_by = (given - target.depth) & target.read_mask
            leaving = max(times[steps + (exited & mask)], last_space - 1) + stages
            cycle = max(leaving, times[target.read_ring + freed_by] + 1)
            if cycle >= limits.cycle_limit:
                halted |= EXITS_HALTED
                break
            last_space = times[target.ready_ring + freed_by] + 1
            exited += 1
            times[target.write_ring + (given & target.write_mask)] = cycle
            given += 1
            spaces -= 1
            last_write = cycle
        step = min(reading.step, writing.step)
        if step >= end_step or halted or exited < entered:
            break
        reads = reading.step == step
        gap = step - tick
        free = last_space + gap - 1
        wanted = at + gap
        cycle = max(wanted, free)
        if reads:
            if words_left <= 0:
                break
            if words <= 0:
                unit.missing_word = source.channel
                break
            if source.channel >= 0:
                cycle = max(
                    cycle, times[source.write_ring + (taken & source.write_mask)] + source.lag
                )
        if cycle >= limits.cycle_limit:
            halted |= STEPS_HALTED
            break
        if reads:
            if source.ready_ring:
                ready = max(wanted, free)
                if gap == 1 and last_read == at:
                    ready = max(
                        times[source.ready_ring + ((taken - 1) & source.read_mask)] + 1, free
                    )
                times[source.ready_ring + (taken & source.read_mask)] = ready
            if source.channel >= 0:
                times[source.read_ring + (taken & source.read_mask)] = cycle
                taken += 1
                words -= 1
            last_read = cycle
            words_left -= 1
            reading = stepped(reading, 1)
            if reading.left == 0:
                reading = next_segment(s.program_words, reading, unit.read_frame, unit.read_end)
            if limits.draining and (reading.step >= end_step or words_left <= 0):
                reading = ended(reading)
        at, tick = cycle, step
        if writing.step == step:
            times[steps + (entered & mask)] = cycle
            entered += 1
            writing = stepped(writing, 1)
            if writing.left == 0:
                writing = next_segment(s.program_words, writing, unit.write_frame, unit.write_end)
            if limits.draining and writing.step >= end_step:
                writing = ended(writing)
    unit.reads = limits.frame_limit * unit.words_in - words_left
    unit.writes += given - first_given
    store_reading(s, u, reading)
    store_writing(s, u, writing)
    unit.step_cycle, unit.last_step = at, tick
    unit.exited, unit.entered = exited, entered
    unit.space_cycle, unit.last_read, unit.last_write = last_space, last_read, last_write
    unit.halted = halted
    if source.channel >= 0:
        s.channel[source.channel].read = taken
    if target.channel >= 0:
        s.channel[target.channel].written = given
