"""What waits in steady state: seen in the run that proves it, by going on with its own solver."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.solver.ended_run import EndedRun, end_run
from bnnsim.timing.streaming.solver.solver import Solver
from bnnsim.timing.streaming.steady_state.record import SteadyState

MORE_PERIODS = 8
"""Periods run at most beyond the frames that the proof took."""
ENOUGH_FRAMES, ENOUGH_WORDS = 1000, 200_000
"""Frames in which FIFOs may fill where they are quickly run: so many, or that many reads and writes."""


@dataclass(frozen=True)
class Watched:
    """A pipeline a period into its steady state.

    ``frames``: those in which FIFOs were watched. ``stalled`` ``(units,)``: cycles a period. Of each
    channel, ``(channels,)``: ``is_full``, whether it ever was; ``writer_stalled`` and
    ``reader_stalled``, whether in the last period its writer was stalled on output by it, its reader on
    input.
    """

    frames: int
    stalled: tuple[int, ...]
    is_full: tuple[bool, ...]
    writer_stalled: tuple[bool, ...]
    reader_stalled: tuple[bool, ...]


def enough_frames(graph: TimingGraph) -> int:
    """Frames in which FIFOs may fill before one counts as never full."""
    words = sum(unit.program.words_in + unit.program.words_out for unit in graph.units)
    return max(1, min(ENOUGH_FRAMES, ENOUGH_WORDS // words))


def most_frames_watched(graph: TimingGraph, max_frames: int, frames: int) -> int:
    """Frames that :func:`watch` may run behind a run of ``frames``, where a proof was looked for within
    ``max_frames``."""
    return max(enough_frames(graph), frames) + (MORE_PERIODS + 2) * max_frames


def watch(solver: Solver, steady: SteadyState, first: EndedRun, since: int) -> Watched | None:
    """Go on until every unit is a period into the steady state and runs grow by just the period.

    ``steady`` was proven in the run of ``solver``, which has counts; ``first`` is its run of one frame,
    and ``since`` the number of the window behind that. None where nothing is proven.
    """
    period = steady.period_frames
    if period is None:
        return None
    frames = max(enough_frames(solver.graph), steady.frames_simulated, solver.source_frames)
    last = frames + MORE_PERIODS * period
    earlier, later = first, _end_run(solver, frames)
    is_seen = _is_first_repeated(steady, frames, later.cycles_total - earlier.cycles_total)
    frames += period
    while not is_seen:
        since = solver.window + 1
        earlier, later = later, _end_run(solver, frames)
        grown = later.cycles_total - earlier.cycles_total
        is_seen = grown == steady.period_cycles or frames >= last
        frames += 0 if is_seen else period
    stalled = (
        b.stalled_on_input + b.stalled_on_output - a.stalled_on_input - a.stalled_on_output
        for a, b in zip(earlier.units, later.units, strict=True)
    )
    channel = solver.state.channel
    return Watched(
        frames=frames,
        stalled=tuple(stalled),
        is_full=tuple(
            words >= channel.depth_words
            for words, channel in zip(later.max_occupancy_words, solver.graph.channels, strict=True)
        ),
        writer_stalled=tuple((channel["writer_waited"] >= since).tolist()),
        reader_stalled=tuple((channel["reader_waited"] >= since).tolist()),
    )


def _is_first_repeated(steady: SteadyState, frames: int, more_cycles: int) -> bool:
    """Whether frame 2, the last of ``frames`` that were run, left the whole state as frame 1 did.

    Then it was a period of the steady state, and the next frame is the same again: it need not be run.
    """
    return (
        frames == 2
        and steady.argument == "state repeats"
        and (steady.period_frames, steady.frames_simulated) == (1, 2)
        and more_cycles == steady.period_cycles
    )


def _end_run(solver: Solver, frames: int) -> EndedRun:
    """The run that ends with frame number ``frames``, once the solver has got there."""
    solver.advance(frames)
    return end_run(solver, frames)
