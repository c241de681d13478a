"""Cursors over a lockstep program's views, as nested counters, and the ends of a frame and of a run."""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels.channel import keep_reads, snapshot_place
from bnnsim.timing.streaming.compiled.kernels.columns import (
    AT,
    DEPTH,
    ENTERED,
    FRAME,
    FREEZING,
    KIND,
    LOCAL,
    NEVER,
    PASSED,
    PIPE,
    PIPE_MASK,
    PROLOGUE,
    R_BLOCK,
    R_NEXT,
    READ_END,
    READ_FRAME,
    READS,
    SNAP,
    SNAP_AT,
    SNAP_CURSORS,
    SNAP_ENTERED,
    SNAP_READ,
    SNAP_STEPS,
    SNAP_TICK,
    SNAP_WORDS,
    SNAP_WRITTEN,
    STEPS,
    TICK,
    W_BLOCK,
    W_NEXT,
    WORDS_IN,
    WRITE_END,
    WRITE_FRAME,
    WRITES,
)
from bnnsim.timing.streaming.compiled.kernels.jit import inner


@inner
def next_segment(
    plan: Int64s, block: int, repeat: int, segment: int, step: int, first: int, end: int
) -> tuple[int, int, int, int, int]:
    """A cursor whose segment is used up, moved on: block, repeats left, segment, its steps, next step."""
    segment += 2
    while segment == plan[block + 2]:
        step += plan[block + 3]
        repeat -= 1
        if repeat == 0:
            block = block + 4 if block + 4 < end else first
            repeat = plan[block]
        segment = plan[block + 1]
    return block, repeat, segment, plan[segment + 1], step + plan[segment]


@inner
def _forward(unit: Int64s, plan: Int64s, u: int, cursor: int, first: int, end: int) -> None:
    """The active step under a cursor is done."""
    unit[u, cursor + 4] += 1
    unit[u, cursor + 3] -= 1
    if unit[u, cursor + 3] == 0:
        block, repeat, segment, left, step = next_segment(
            plan,
            unit[u, cursor],
            unit[u, cursor + 1],
            unit[u, cursor + 2],
            unit[u, cursor + 4],
            first,
            end,
        )
        unit[u, cursor] = block
        unit[u, cursor + 1] = repeat
        unit[u, cursor + 2] = segment
        unit[u, cursor + 3] = left
        unit[u, cursor + 4] = step


@inner
def forward_reads(unit: Int64s, plan: Int64s, u: int) -> None:
    """The reading step under the cursor is done."""
    _forward(unit, plan, u, R_BLOCK, unit[u, READ_FRAME], unit[u, READ_END])


@inner
def forward_writes(unit: Int64s, plan: Int64s, u: int) -> None:
    """The writing step under the cursor is done."""
    _forward(unit, plan, u, W_BLOCK, unit[u, WRITE_FRAME], unit[u, WRITE_END])


@inner
def end_run(unit: Int64s, u: int, barrier: int) -> None:
    """In a run that ends with frame ``barrier - 1``: no step behind its last, no read behind its words.

    A freezing unit's writing cursor counts ticks, a pipeline's depth behind the steps.
    """
    end = unit[u, PROLOGUE] + barrier * unit[u, STEPS]
    if unit[u, R_NEXT] >= end or unit[u, READS] >= barrier * unit[u, WORDS_IN]:
        unit[u, R_NEXT] = NEVER
    if unit[u, W_NEXT] >= end + (unit[u, DEPTH] if unit[u, KIND] <= FREEZING else 0):
        unit[u, W_NEXT] = NEVER


@inner
def frame_end(unit: Int64s, u: int) -> int:
    """The step behind the frame at hand."""
    return unit[u, PROLOGUE] + (unit[u, FRAME] + 1) * unit[u, STEPS]


@inner
def ends_frame(unit: Int64s, channel: Int64s, pool: Int64s, plan: Int64s, u: int, barrier: int) -> bool:
    """Whether a frame was completed just now, and others may follow; keeps what they depend on."""
    if unit[u, FRAME] >= barrier or min(unit[u, R_NEXT], unit[u, W_NEXT]) < frame_end(unit, u):
        return False
    last_step = frame_end(unit, u) - 1
    unit[u, FRAME] += 1
    snapshot = snapshot_place(plan, unit[u, FRAME])
    place = snapshot + unit[u, SNAP]
    pool[place + SNAP_AT] = unit[u, AT]
    for k in range(R_BLOCK, W_NEXT + 1):
        pool[place + SNAP_CURSORS + k - R_BLOCK] = unit[u, k]
    pool[place + SNAP_READ] = unit[u, READS]
    pool[place + SNAP_WRITTEN] = unit[u, WRITES]
    pool[place + SNAP_ENTERED] = unit[u, ENTERED]
    pool[place + SNAP_TICK] = unit[u, TICK]
    if unit[u, KIND] <= FREEZING:
        pool[place + SNAP_AT] += last_step - unit[u, TICK]
        pool[place + SNAP_TICK] = last_step
    else:
        _keep_pipeline(unit, pool, u, place)
    keep_reads(unit, channel, pool, plan, u, snapshot)
    return unit[u, FRAME] < barrier


@inner
def _keep_pipeline(unit: Int64s, pool: Int64s, u: int, place: int) -> None:
    """Words that left before the last step did, others may have been seen to leave later."""
    pool[place + SNAP_WRITTEN] = unit[u, PASSED]
    size = unit[u, PIPE_MASK] + 1
    at = place + SNAP_STEPS
    for word in range(unit[u, ENTERED] - unit[u, SNAP_WORDS], unit[u, ENTERED]):
        pool[at] = pool[unit[u, PIPE] + 2 * size + (word & unit[u, PIPE_MASK])]
        at += 1
    for word in range(unit[u, PASSED], unit[u, PASSED] + unit[u, DEPTH]):
        pool[at] = -1
        if word < unit[u, ENTERED]:
            pool[at] = pool[unit[u, PIPE] + (word & unit[u, PIPE_MASK])] - unit[u, LOCAL]
        at += 1
