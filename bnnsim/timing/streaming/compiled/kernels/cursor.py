"""Cursors over a lockstep program's views, as nested counters, and the ends of a frame and of a run."""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels.channel import keep_reads, snapshot_place
from bnnsim.timing.streaming.compiled.kernels.jit import inner
from bnnsim.timing.streaming.compiled.kernels.records import (
    FREEZING,
    NEVER,
    SNAP_CURSORS,
    SNAP_CYCLE,
    SNAP_ENTERED,
    SNAP_READS,
    SNAP_STEP,
    SNAP_STEPS,
    SNAP_WRITES,
    Cursor,
    Limits,
    State,
)


@inner
def load_reading(s: State, u: int) -> Cursor:
    """The cursor over the unit's reads."""
    unit = s.unit[u]
    return Cursor(
        unit.read_block, unit.read_repeat, unit.read_segment, unit.read_left, unit.next_read
    )


@inner
def store_reading(s: State, u: int, at: Cursor) -> None:
    """Set the cursor over the unit's reads."""
    unit = s.unit[u]
    unit.read_block = at.block
    unit.read_repeat = at.repeat
    unit.read_segment = at.segment
    unit.read_left = at.left
    unit.next_read = at.step


@inner
def load_writing(s: State, u: int) -> Cursor:
    """The cursor over the unit's writes."""
    unit = s.unit[u]
    return Cursor(
        unit.write_block, unit.write_repeat, unit.write_segment, unit.write_left, unit.next_write
    )


@inner
def store_writing(s: State, u: int, at: Cursor) -> None:
    """Set the cursor over the unit's writes."""
    unit = s.unit[u]
    unit.write_block = at.block
    unit.write_repeat = at.repeat
    unit.write_segment = at.segment
    unit.write_left = at.left
    unit.next_write = at.step


@inner
def stepped(at: Cursor, steps: int) -> Cursor:
    """A cursor ``steps`` active steps on in its segment; where that is used up, see next_segment."""
    return Cursor(at.block, at.repeat, at.segment, at.left - steps, at.step + steps)


@inner
def next_segment(words: Int64s, at: Cursor, first: int, end: int) -> Cursor:
    """A cursor whose segment is used up, moved on to the next.

    ``words``: the programs'; ``first`` and ``end``: places there of the first block of a frame and behind
    the last.
    """
    block, repeat, segment, step = at.block, at.repeat, at.segment + 2, at.step
    while segment == words[block + 2]:
        step += words[block + 3]
        repeat -= 1
        if repeat == 0:
            block = block + 4 if block + 4 < end else first
            repeat = words[block]
        segment = words[block + 1]
    return Cursor(block, repeat, segment, words[segment + 1], step + words[segment])


@inner
def ended(at: Cursor) -> Cursor:
    """A cursor that nothing comes behind."""
    return Cursor(at.block, at.repeat, at.segment, at.left, NEVER)


@inner
def forward_reads(s: State, u: int) -> None:
    """The reading step under the cursor is done."""
    unit = s.unit[u]
    unit.next_read += 1
    unit.read_left -= 1
    if unit.read_left == 0:
        at = load_reading(s, u)
        store_reading(s, u, next_segment(s.program_words, at, unit.read_frame, unit.read_end))


@inner
def forward_writes(s: State, u: int) -> None:
    """The writing step under the cursor is done."""
    unit = s.unit[u]
    unit.next_write += 1
    unit.write_left -= 1
    if unit.write_left == 0:
        at = load_writing(s, u)
        store_writing(s, u, next_segment(s.program_words, at, unit.write_frame, unit.write_end))


@inner
def end_run(s: State, u: int, limits: Limits) -> None:
    """In a run that ends with the frame before the limit: no step behind it, no read of more words.

    A freezing unit's writing cursor counts ticks, a pipeline's depth behind the steps.
    """
    unit = s.unit[u]
    end = run_end(s, u, limits)
    if unit.next_read >= end or unit.reads >= limits.frame_limit * unit.words_in:
        unit.next_read = NEVER
    if unit.next_write >= end + (unit.stages if unit.kind <= FREEZING else 0):
        unit.next_write = NEVER


@inner
def run_end(s: State, u: int, limits: Limits) -> int:
    """The step behind the last frame before the limit."""
    return s.unit[u].prologue_steps + limits.frame_limit * s.unit[u].steps


@inner
def frame_end(s: State, u: int) -> int:
    """The step behind the frame at hand."""
    unit = s.unit[u]
    return unit.prologue_steps + (unit.frames_done + 1) * unit.steps


@inner
def ends_frame(s: State, u: int, limits: Limits) -> bool:
    """Whether a frame was completed just now, and others may follow; keeps what they depend on."""
    unit = s.unit[u]
    if unit.frames_done >= limits.frame_limit:
        return False
    if min(unit.next_read, unit.next_write) < frame_end(s, u):
        return False
    last_step = frame_end(s, u) - 1
    unit.frames_done += 1
    snapshot = snapshot_place(s, unit.frames_done)
    place = snapshot + unit.snapshot_place
    times = s.event_times
    times[place + SNAP_CYCLE] = unit.step_cycle
    _keep_cursor(s, load_reading(s, u), place + SNAP_CURSORS)
    _keep_cursor(s, load_writing(s, u), place + SNAP_CURSORS + 5)
    times[place + SNAP_READS] = unit.reads
    times[place + SNAP_WRITES] = unit.writes
    times[place + SNAP_ENTERED] = unit.entered
    times[place + SNAP_STEP] = unit.last_step
    if unit.kind <= FREEZING:
        times[place + SNAP_CYCLE] += last_step - unit.last_step
        times[place + SNAP_STEP] = last_step
    else:
        _keep_pipeline(s, u, place)
    keep_reads(s, u, snapshot)
    return unit.frames_done < limits.frame_limit


@inner
def _keep_cursor(s: State, at: Cursor, place: int) -> None:
    s.event_times[place] = at.block
    s.event_times[place + 1] = at.repeat
    s.event_times[place + 2] = at.segment
    s.event_times[place + 3] = at.left
    s.event_times[place + 4] = at.step


@inner
def _keep_pipeline(s: State, u: int, place: int) -> None:
    """Words that left before the last step did, others may have been seen to leave later."""
    unit = s.unit[u]
    times = s.event_times
    times[place + SNAP_WRITES] = unit.passed
    steps = unit.pipe_ring + 2 * (unit.pipe_mask + 1)
    at = place + SNAP_STEPS
    for word in range(unit.entered - unit.snapshot_words, unit.entered):
        times[at] = times[steps + (word & unit.pipe_mask)]
        at += 1
    for word in range(unit.passed, unit.passed + unit.stages):
        times[at] = -1
        if word < unit.entered:
            times[at] = times[unit.pipe_ring + (word & unit.pipe_mask)] - unit.local_tick
        at += 1
