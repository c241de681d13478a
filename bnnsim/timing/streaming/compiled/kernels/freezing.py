"""Units with freezing pipelines, or none, in the compiled executor.

Tick n of such a unit does step n and lets the word of step n - depth leave, both in one cycle: once the
word has room and the step has its words. So the unit's ticks follow one another, and only those that
read or write need a look.
"""

from __future__ import annotations

from bnnsim.timing.streaming.compiled.kernels.channel import (
    decisive_from,
    next_open,
    note_end,
    note_ready,
    note_stalled_reader,
    note_stalled_writer,
    read_words,
    spaces_available,
    spaces_cycle,
    words_available,
    words_cycle,
    write_words,
)
from bnnsim.timing.streaming.compiled.kernels.cursor import (
    end_run,
    ended,
    ends_frame,
    forward_reads,
    forward_writes,
    frame_end,
    load_reading,
    load_writing,
    next_segment,
    run_end,
    stepped,
    store_reading,
    store_writing,
)
from bnnsim.timing.streaming.compiled.kernels.inline_reader import read_inline_plain
from bnnsim.timing.streaming.compiled.kernels.jit import inner
from bnnsim.timing.streaming.compiled.kernels.ports import only_input, only_output
from bnnsim.timing.streaming.compiled.kernels.records import (
    NEVER,
    PLAIN,
    STEPS_HALTED,
    Limits,
    State,
)


@inner
def run_freezing(s: State, u: int, limits: Limits) -> None:
    """Do ticks as far as their cycles can be told."""
    unit = s.unit[u]
    while True:
        if limits.draining:
            end_run(s, u, limits)
        if not unit.halted and (limits.draining or unit.frames_done < limits.frame_limit):
            end_step = NEVER if limits.draining else frame_end(s, u)
            if unit.kind == PLAIN and not limits.general:
                _run_plain(s, u, limits, end_step)
            else:
                _run_general(s, u, limits, end_step)
        if limits.draining or not ends_frame(s, u, limits):
            return


@inner
def _run_general(s: State, u: int, limits: Limits, end_step: int) -> None:
    """Ticks before ``end_step``, with any number of ports."""
    unit = s.unit[u]
    while True:
        tick = min(unit.next_read, unit.next_write)
        if tick >= end_step:
            return
        reads = unit.next_read == tick
        writes = unit.next_write == tick
        if reads and unit.reads >= limits.frame_limit * unit.words_in:
            return
        if writes and spaces_available(s, u) <= 0:
            return
        if reads and words_available(s, u) <= 0:
            return
        arrival = unit.step_cycle + tick - unit.last_step
        word = words_cycle(s, u) if reads else 0
        space = spaces_cycle(s, u) if writes else 0
        every = unit.ready_every if writes else 1
        cycle = next_open(max(arrival, word, space), every)
        if cycle >= limits.cycle_limit:
            unit.halted = STEPS_HALTED
            return
        stalled_in = _input_stall_cycles(arrival, space, every, cycle)
        unit.stalled_on_input += stalled_in
        unit.stalled_on_output += cycle - arrival - stalled_in
        since = decisive_from(arrival, cycle, every)
        if reads:
            note_stalled_reader(s, u, since, unit.frames_done)
            follows = tick == unit.last_step + 1 and unit.last_read == unit.step_cycle
            note_ready(s, u, arrival, space, follows)
        if writes:
            note_stalled_writer(s, u, since, unit.frames_done)
        unit.step_cycle = cycle
        unit.last_step = tick
        if reads:
            read_words(s, u, cycle)
            forward_reads(s, u)
        if writes:
            write_words(s, u, cycle)
            forward_writes(s, u)
        if limits.draining:
            end_run(s, u, limits)


@inner
def _input_stall_cycles(arrival: int, space: int, every: int, until: int) -> int:
    """Of the cycles from ``arrival`` to before ``until``, those that had room and so lacked words."""
    start = max(arrival, space)
    if start >= until:
        return 0
    if every <= 1:
        return until - start
    return (until - 1) // every - (start - 1) // every  # an output is open only now and then


@inner
def _run_plain(s: State, u: int, limits: Limits, end_step: int) -> None:
    """Ticks before ``end_step``, with one input or none and one output or none, always open.

    The same as :func:`_run_general` for most of all units. FIFOs are shallow and a visit finds but a word
    or two, so that what it costs is getting in and out: all state in local variables, runs of ticks
    that touch the same sides in one loop.
    """
    unit, times = s.unit[u], s.event_times
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
    end = NEVER
    if limits.draining:
        end = run_end(s, u, limits)
    at, last = unit.step_cycle, unit.last_step
    lacked_word, lacked_space = False, False
    while True:
        tick = min(reading.step, writing.step)
        if tick >= end_step:
            break
        reads = reading.step == tick
        writes = writing.step == tick
        most = end_step - tick
        if writes:
            if spaces <= 0:
                s.channel[target.channel].written = given
                spaces = read_inline_plain(s, target.channel, limits)
            most = min(most, writing.left, spaces)
            if spaces <= 0:
                unit.missing_space = target.channel
        else:
            most = min(most, writing.step - tick)
        if reads:
            most = min(most, reading.left, words, words_left)
            if words <= 0:
                unit.missing_word = source.channel
        else:
            most = min(most, reading.step - tick)
        if most <= 0:
            break
        if unit.sink_words:
            most = 1
        arrival = at + tick - last
        takes = reads and source.channel >= 0
        gives = writes and target.channel >= 0
        word, space, done = 0, 0, 0
        while done < most:
            if takes:
                word = times[source.write_ring + (taken & source.write_mask)] + source.lag
            if gives:
                space = times[target.read_ring + ((given - target.depth) & target.read_mask)] + 1
            ready = max(arrival, space)
            cycle = max(ready, word)
            if cycle >= limits.cycle_limit:
                break
            if cycle > arrival:
                unit.stalled_on_output += ready - arrival
                unit.stalled_on_input += cycle - ready
                lacked_word |= word == cycle
                lacked_space |= space == cycle
            if takes:
                times[source.read_ring + (taken & source.read_mask)] = cycle
                taken += 1
            if gives:
                times[target.write_ring + (given & target.write_mask)] = cycle
                given += 1
            at = cycle
            arrival = cycle + 1
            done += 1
        if done:
            last = tick + done - 1
        if reads and done:
            unit.reads += done
            unit.last_read = at
            words_left -= done
            words -= done
            reading = stepped(reading, done)
            if reading.left == 0:
                reading = next_segment(s.program_words, reading, unit.read_frame, unit.read_end)
            if reading.step >= end or (limits.draining and words_left == 0):
                reading = ended(reading)
            if unit.sink_words and not unit.ends_on_write:
                note_end(s, u, unit.reads, at)
        if writes and done:
            unit.writes += done
            unit.last_write = at
            spaces -= done
            writing = stepped(writing, done)
            if writing.left == 0:
                writing = next_segment(s.program_words, writing, unit.write_frame, unit.write_end)
            if writing.step - unit.stages >= end:
                writing = ended(writing)
            if unit.ends_on_write:
                note_end(s, u, unit.writes, at)
        if done < most:
            unit.halted = STEPS_HALTED
            break
    store_reading(s, u, reading)
    store_writing(s, u, writing)
    unit.step_cycle, unit.last_step = at, last
    if source.channel >= 0:
        s.channel[source.channel].read = taken
        if lacked_word:
            s.channel[source.channel].reader_stall_frame = unit.frames_done
    if target.channel >= 0:
        s.channel[target.channel].written = given
        if lacked_space:
            s.channel[target.channel].writer_stall_frame = unit.frames_done


@inner
def close_freezing(s: State, u: int, total: int) -> None:
    """Account for the wait that was on at the end of a run of ``total`` cycles, count the steps done."""
    unit = s.unit[u]
    tick = min(unit.next_read, unit.next_write)
    if tick == NEVER:
        unit.done_steps = NEVER
        return
    arrival = unit.step_cycle + tick - unit.last_step
    if arrival >= total:
        unit.done_steps = tick - (arrival - total)
        return
    unit.done_steps = tick
    space = 0
    every = 1
    if unit.next_write == tick:
        every = unit.ready_every
        known = spaces_available(s, u) > 0
        space = spaces_cycle(s, u) if known else NEVER
    stalled_in = _input_stall_cycles(arrival, space, every, total)
    unit.stalled_on_input += stalled_in
    unit.stalled_on_output += total - arrival - stalled_in
