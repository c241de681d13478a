"""Units with flushing pipelines in the compiled executor."""

from __future__ import annotations

from bnnsim.timing.streaming.compiled.kernels.channel import (
    decisive_from,
    next_open,
    note_stalled_writer,
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
from bnnsim.timing.streaming.compiled.kernels.flushing_step import do_step
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
def run_flushing(s: State, u: int, limits: Limits) -> None:
    """Do steps and let words leave as far as their cycles can be told."""
    unit = s.unit[u]
    is_single = unit.end_input - unit.first_input <= 1 and unit.end_output - unit.first_output <= 1
    is_single = is_single and unit.ready_every == 1 and not unit.sink_words and not limits.general
    while True:
        if is_single:
            _run_single(s, u, limits)
        else:
            _let_words_leave(s, u, limits)
            if do_step(s, u, limits):
                continue
        if limits.draining or not ends_frame(s, u, limits):
            return


@inner
def _let_words_leave(s: State, u: int, limits: Limits) -> None:
    """Words at the exit; when they leave does not depend on what enters behind them."""
    unit = s.unit[u]
    ring = unit.pipe_ring
    mask = unit.pipe_mask
    while unit.exited < unit.entered and not unit.halted & EXITS_HALTED:
        if spaces_available(s, u) <= 0:
            return
        entry = ring + (unit.exited & mask)
        arrival = s.event_times[entry] + unit.exit_frozen
        space = spaces_cycle(s, u)
        cycle = next_open(max(arrival, space), unit.ready_every)
        if cycle >= limits.cycle_limit:
            unit.halted |= EXITS_HALTED
            return
        since = decisive_from(arrival, cycle, unit.ready_every)
        # Told before the steps until then are: it may be in the next frame.
        note_stalled_writer(s, u, since, unit.frames_done + 1)
        unit.stalled_on_output += cycle - arrival
        unit.exit_frozen += cycle - arrival
        s.event_times[entry + mask + 1] = cycle - arrival
        unit.exited += 1
        write_words(s, u, cycle)


@inner
def _run_single(s: State, u: int, limits: Limits) -> None:
    """Steps of a frame, with one input or none and one output or none, always open.

    The same as :func:`_let_words_leave` and :func:`do_step` in turn, for nearly all units: all state in
    local variables.
    """
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
    pipe, mask, stages = unit.pipe_ring, unit.pipe_mask, unit.stages
    at, tick, local = unit.step_cycle, unit.last_step, unit.local_tick
    frozen, frozen_exit = unit.step_frozen, unit.exit_frozen
    passed, exited, entered = unit.passed, unit.exited, unit.entered
    halted = unit.halted
    last_read, last_write = unit.last_read, unit.last_write
    first_given = given
    busy, stalled_in, stalled_out = 0, 0, 0
    lacked_word, lacked_space = False, False
    while True:
        while exited < entered and not halted & EXITS_HALTED:
            if spaces <= 0:
                s.channel[target.channel].written = given
                spaces = read_inline(s, target.channel, limits)
                if spaces <= 0:
                    unit.missing_space = target.channel
                    break
            entry = pipe + (exited & mask)
            arrival = times[entry] + frozen_exit
            space = times[target.read_ring + ((given - target.depth) & target.read_mask)] + 1
            cycle = max(arrival, space)
            if cycle >= limits.cycle_limit:
                halted |= EXITS_HALTED
                break
            if space > arrival:
                lacked_space = True
                stalled_out += space - arrival
                frozen_exit += space - arrival
            times[entry + mask + 1] = cycle - arrival
            exited += 1
            times[target.write_ring + (given & target.write_mask)] = cycle
            given += 1
            spaces -= 1
            last_write = cycle
        step = min(reading.step, writing.step)
        if step >= end_step or halted & STEPS_HALTED:
            break
        reads = reading.step == step
        word = 0
        if reads:
            if words_left <= 0:
                break
            if words <= 0:
                unit.missing_word = source.channel
                break
            if source.channel >= 0:
                word = times[source.write_ring + (taken & source.write_mask)] + source.lag
        wanted = local + step - tick
        due = wanted + frozen
        cycle = max(due, word)
        lacks_word = word > due
        here, froze, past = wanted, frozen, passed
        is_known = True
        while past < entered:
            entry = pipe + (past & mask)
            leaving = times[entry]
            if leaving + froze > cycle:
                break
            if past == exited:
                is_known = False
                break
            froze += times[entry + mask + 1]
            past += 1
            here = max(here, leaving)
            cycle = max(here + froze, word)
        if not is_known:
            break
        if cycle >= limits.cycle_limit:
            halted |= STEPS_HALTED
            break
        lacked_word |= lacks_word
        frozen, passed = froze, past
        local = cycle - frozen
        stalled_in += local - wanted
        busy += 1
        at, tick = cycle, step
        if writing.step == step:
            entry = pipe + (entered & mask)
            times[entry] = local + stages
            times[entry + 2 * (mask + 1)] = cycle
            entered += 1
            writing = stepped(writing, 1)
            if writing.left == 0:
                writing = next_segment(s.program_words, writing, unit.write_frame, unit.write_end)
            if limits.draining and writing.step >= end_step:
                writing = ended(writing)
        if reads:
            if source.channel >= 0:
                times[source.read_ring + (taken & source.read_mask)] = cycle
                if source.ready_ring:
                    times[source.ready_ring + (taken & source.read_mask)] = cycle
                taken += 1
                words -= 1
            last_read = cycle
            words_left -= 1
            reading = stepped(reading, 1)
            if reading.left == 0:
                reading = next_segment(s.program_words, reading, unit.read_frame, unit.read_end)
            if limits.draining and (reading.step >= end_step or words_left <= 0):
                reading = ended(reading)
    unit.reads = limits.frame_limit * unit.words_in - words_left
    unit.writes += given - first_given
    store_reading(s, u, reading)
    store_writing(s, u, writing)
    unit.step_cycle, unit.last_step, unit.local_tick = at, tick, local
    unit.step_frozen, unit.exit_frozen = frozen, frozen_exit
    unit.passed, unit.exited, unit.entered = passed, exited, entered
    unit.halted = halted
    unit.last_read, unit.last_write = last_read, last_write
    unit.busy += busy
    unit.stalled_on_input += stalled_in
    unit.stalled_on_output += stalled_out
    if source.channel >= 0:
        s.channel[source.channel].read = taken
        if lacked_word:
            s.channel[source.channel].reader_stall_frame = unit.frames_done
    if target.channel >= 0:
        s.channel[target.channel].written = given
        if lacked_space:  # told before the steps until then are: it may be in the next frame
            s.channel[target.channel].writer_stall_frame = unit.frames_done + 1


@inner
def close_flushing(s: State, u: int, total: int) -> None:
    """Account for the waits that were on at the end of a run of ``total`` cycles."""
    unit = s.unit[u]
    frozen = unit.exit_frozen
    local_end = total - frozen  # the local ticks before it are over
    if unit.exited < unit.entered:
        leaving = s.event_times[unit.pipe_ring + (unit.exited & unit.pipe_mask)]
        if leaving + frozen < total:
            unit.stalled_on_output += total - leaving - frozen
            local_end = leaving
    step = min(unit.next_read, unit.next_write)
    if step != NEVER:
        wanted = unit.local_tick + step - unit.last_step
        unit.stalled_on_input += max(0, local_end - wanted)
