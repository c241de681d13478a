"""The interval between an engine's frames."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bnnsim.design.engine.program import EngineProgram, Op, Repeat, Transfer, counted, op_cycles
from bnnsim.timing.engine.account import frame_account, frame_cycles
from bnnsim.timing.engine.result import PartCycles
from bnnsim.timing.engine.schedule import has_double
from bnnsim.timing.engine.tables import TableBuilder

STEADY_FRAMES = 4
"""Prefetching reaches two transfers ahead, so the first frame's start is special, and the last one's end:
a run that ends loads nothing for a frame to come, which then waits for no port. One more is run."""


def steady_interval(program: EngineProgram) -> tuple[int | None, int, str]:
    """Cycles between frames once they are equally spaced, those of one frame alone, and why.

    A frame that others follow may end later than one alone: what is loaded for the next one shares its
    port.
    """
    if not has_double(program):  # nothing overlaps: a frame is what its operations take
        cycles = frame_cycles(program)
        return cycles, cycles, "a frame starts when the one before it is done"

    from bnnsim.timing.engine.compiled import frame_ends  # numba takes its time

    builder = TableBuilder()
    gaps, first = _gaps(program, builder)
    (alone,) = frame_ends(program, 1, builder)
    if len(gaps) > 1:
        return (
            None,
            alone,
            f"frames 2 to {STEADY_FRAMES} are not equally spaced: {sorted(gaps)} cycles",
        )
    (gap,) = gaps
    if gap == first:
        return gap, alone, "a frame starts when the one before it is done"
    return gap, alone, "frames after the first, whose loads nothing precedes, are equally spaced"


def least_interval(program: EngineProgram) -> int:
    """What no gap between frames is shorter than: all that the controller does by itself, or one port."""
    controller = 0
    ports: dict[str, int] = {}
    for part in program.parts:
        controller += _controller_cycles(part.ops)
        for op, times in counted(part.ops):
            if isinstance(op, Transfer):
                ports[op.port] = ports.get(op.port, 0) + op.cycles * times
    return max(controller, *ports.values(), 0)


def _controller_cycles(ops: Sequence[Op]) -> int:
    cycles = 0
    for op in ops:
        if isinstance(op, Repeat):
            cycles += op.trips * _controller_cycles(op.body)
        elif not isinstance(op, Transfer) or not op.double:
            cycles += op_cycles(op)
    return cycles


def longest_interval(program: EngineProgram, builder: TableBuilder | None = None) -> int:
    """The longest of the gaps between frames after the first.

    A ``builder`` has the tables of parts that programs timed before have in common with this one.
    """
    if not has_double(program):
        return frame_cycles(program)
    return max(_gaps(program, builder)[0])


def interval_below(program: EngineProgram, limit: int, builder: TableBuilder) -> int | None:
    """As :func:`longest_interval`; None where that is ``limit`` or more, which is found sooner."""
    if not has_double(program):
        cycles = frame_cycles(program)
        return cycles if cycles < limit else None
    from bnnsim.timing.engine.compiled import frame_ends_below  # numba takes its time

    ends = frame_ends_below(program, STEADY_FRAMES + 1, builder, limit)
    return None if ends is None else max(late - early for early, late in pairwise(ends[1:-1]))


def shortest_gap(program: EngineProgram) -> int:
    """The shortest of the gaps between frames and the first frame."""
    if not has_double(program):
        return frame_cycles(program)
    gaps, first = _gaps(program)
    return min(*gaps, first)


def steady_frame(program: EngineProgram) -> tuple[PartCycles, ...]:
    """The account of a frame after the first ones, by part."""
    if not has_double(program):
        return tuple(frame_account(program, 1))
    from bnnsim.timing.engine.compiled import run_engine_compiled  # numba takes its time

    before, after = (run_engine_compiled(program, n).parts for n in (STEADY_FRAMES - 1, STEADY_FRAMES))
    return tuple(late.since(early) for early, late in zip(before, after, strict=True))


def _gaps(program: EngineProgram, builder: TableBuilder | None = None) -> tuple[set[int], int]:
    """The gaps between frames after the first, and the cycles of the first."""
    from bnnsim.timing.engine.compiled import frame_ends  # numba takes its time

    ends = frame_ends(program, STEADY_FRAMES + 1, builder)[:-1]
    return {later - earlier for earlier, later in pairwise(ends[1:])}, ends[0]
