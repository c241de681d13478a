"""One step of a flushing pipeline, or of its bound, in the compiled executor, with any ports."""

from __future__ import annotations

from bnnsim.timing.streaming.compiled.kernels.channel import (
    decisive_from,
    note_ready,
    note_stalled_reader,
    read_words,
    words_available,
    words_cycle,
)
from bnnsim.timing.streaming.compiled.kernels.cursor import (
    end_run,
    forward_reads,
    forward_writes,
    frame_end,
)
from bnnsim.timing.streaming.compiled.kernels.jit import inner
from bnnsim.timing.streaming.compiled.kernels.records import NEVER, STEPS_HALTED, Limits, State


@inner
def do_step(s: State, u: int, limits: Limits) -> bool:
    """The next step that touches a word, if its cycle can be told by now.

    It enters in the first cycle in which its words are there and the pipeline is not frozen. Words that
    reach the exit by then come first, so when they leave must be known.
    """
    unit = s.unit[u]
    if limits.draining:
        end_run(s, u, limits)
    step = min(unit.next_read, unit.next_write)
    if step == NEVER or unit.halted & STEPS_HALTED:
        return False
    if not limits.draining and (unit.frames_done >= limits.frame_limit or step >= frame_end(s, u)):
        return False
    reads = unit.next_read == step
    word = 0
    if reads:
        if unit.reads >= limits.frame_limit * unit.words_in:
            return False
        if words_available(s, u) <= 0:
            return False
        word = words_cycle(s, u)
    wanted = unit.local_tick + step - unit.last_step
    local = wanted
    frozen = unit.step_frozen
    passed = unit.passed
    cycle = max(wanted + frozen, word)
    since = decisive_from(wanted + frozen, cycle, 1)
    while passed < unit.entered:
        entry = unit.pipe_ring + (passed & unit.pipe_mask)
        leaving = s.event_times[entry]
        if leaving + frozen > cycle:
            break
        if passed == unit.exited:
            return False
        frozen += s.event_times[entry + unit.pipe_mask + 1]
        passed += 1
        local = max(local, leaving)
        cycle = max(local + frozen, word)
    if cycle >= limits.cycle_limit:
        unit.halted |= STEPS_HALTED
        return False
    if reads:
        note_stalled_reader(s, u, since, unit.frames_done)
    local = cycle - frozen
    unit.stalled_on_input += local - wanted
    unit.busy += 1
    unit.step_cycle = cycle
    unit.last_step = step
    unit.local_tick = local
    unit.step_frozen = frozen
    unit.passed = passed
    if unit.next_write == step:
        entry = unit.pipe_ring + (unit.entered & unit.pipe_mask)
        s.event_times[entry] = local + unit.stages
        s.event_times[entry + 2 * (unit.pipe_mask + 1)] = cycle
        unit.entered += 1
        forward_writes(s, u)
    if reads:
        note_ready(s, u, cycle, 0, False)
        read_words(s, u, cycle)
        forward_reads(s, u)
    return True


@inner
def do_bound_step(s: State, u: int, limits: Limits) -> bool:
    """The same for the bound; see :mod:`bnnsim.timing.streaming.compiled.kernels.bound`."""
    unit = s.unit[u]
    if limits.draining:
        end_run(s, u, limits)
    step = min(unit.next_read, unit.next_write)
    if step == NEVER or unit.halted or unit.exited < unit.entered:
        return False
    if not limits.draining and (unit.frames_done >= limits.frame_limit or step >= frame_end(s, u)):
        return False
    reads = unit.next_read == step
    gap = step - unit.last_step
    free = unit.space_cycle + gap - 1
    cycle = max(unit.step_cycle + gap, free)
    if reads:
        if unit.reads >= limits.frame_limit * unit.words_in:
            return False
        if words_available(s, u) <= 0:
            return False
        cycle = max(cycle, words_cycle(s, u))
    if cycle >= limits.cycle_limit:
        unit.halted |= STEPS_HALTED
        return False
    if reads:
        follows = gap == 1 and unit.last_read == unit.step_cycle
        note_ready(s, u, unit.step_cycle + gap, free, follows)
    unit.step_cycle = cycle
    unit.last_step = step
    if unit.next_write == step:
        entry = unit.pipe_ring + (unit.entered & unit.pipe_mask)
        s.event_times[entry + 2 * (unit.pipe_mask + 1)] = cycle
        unit.entered += 1
        forward_writes(s, u)
    if reads:
        read_words(s, u, cycle)
        forward_reads(s, u)
    return True
