"""The compiled executor: the same runs as SimPy's, to the cycle, for any number of frames.

A run simulates frames until it is proven how all that follow go (docs/steady-state.md), and then the end
of a run from there; a longer run has the same end, later. Where nothing can be proven, all frames are
simulated.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from bnnsim.timing.streaming.compiled_run import CompiledRun, FrameEnds, UnprovenError, WordCycles
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic
from bnnsim.timing.streaming.result import TimingResult, UnitCycles
from bnnsim.timing.streaming.solver.ended_run import EndedRun, end_run
from bnnsim.timing.streaming.solver.solver import Solver, UnsettledError
from bnnsim.timing.streaming.steady_state.api import MAX_FRAMES, most_frames_to_run, proven, settle
from bnnsim.timing.streaming.steady_state.proof import Proof
from bnnsim.timing.streaming.steady_state.record import SteadyState
from bnnsim.timing.streaming.steady_state.search import Search
from bnnsim.timing.streaming.steady_state.watch import most_frames_watched, watch

AFFORDABLE_WORDS = 4_000_000_000
"""Reads and writes that a run may take where it has to be simulated to the end: about two minutes."""


def run_compiled(
    graph: TimingGraph,
    frames: int,
    *,
    extrapolate: bool = True,
    exact_counts: bool = False,
    with_steady_state: bool = False,
    max_frames: int = MAX_FRAMES,
    channels: Collection[str] = (),
) -> CompiledRun:
    """Run ``frames`` frames.

    Simulates no more than needed, and where nothing is proven within ``max_frames``, or without
    ``extrapolate``, all of them. ``exact_counts`` goes on until the whole state repeats, so that the
    counts of units and FIFOs cover all frames. ``with_steady_state`` goes on behind the run's last frame
    where the steady state is not proven by then, and looks at what waits in it, all with one solver.
    ``channels`` names those whose words' cycles are wanted.

    Raises :class:`~bnnsim.timing.streaming.result.DeadlockError` where nothing can move any more,
    :class:`UnprovenError` where the frames are too many to simulate, and ValueError for a graph that no
    hardware could be, no frames, or a steady state without ``extrapolate``.
    """
    if frames < 1:
        raise ValueError(f"a run has at least one frame, not {frames}")
    if with_steady_state and not extrapolate:
        raise ValueError("a steady state is found on the way to extrapolate; extrapolate is off")
    logged = [graph.channel_position[name] for name in channels]
    most_frames = frames
    if with_steady_state:
        most_frames = max(
            frames, most_frames_to_run(max_frames), most_frames_watched(graph, max_frames, frames)
        )
    solver = Solver(graph, most_frames, has_counts=True, logged=logged)
    if not extrapolate:
        return _simulated(solver, frames)
    search = Search(solver)
    if not with_steady_state:
        return _run(search, frames, exact_counts, max_frames, None)[0]
    first, since = end_run(solver, 1), solver.window + 1
    run, steady = _run(search, frames, exact_counts, max_frames, first.cycles_total)
    assert steady is not None
    return replace(run, steady_state=steady, watched=watch(solver, steady, first, since))


def _run(
    search: Search, frames: int, exact_counts: bool, max_frames: int, latency_cycles: int | None
) -> tuple[CompiledRun, SteadyState | None]:
    """The run, and if ``latency_cycles`` are given the steady state."""
    solver = search.solver
    steady = None
    next_try = 1
    while True:
        proof = None
        if solver.source_frames >= next_try:
            proof = search.proof(complete=exact_counts)
        if proof is not None:
            if latency_cycles is not None and steady is None:
                steady = proven(search, proof, latency_cycles)
            run = _extrapolated(search, proof, frames)
            if run is not None:
                return run, steady
            next_try = 2 * solver.source_frames  # its end waits for what is outside; so may the next
        if solver.source_frames >= frames or solver.ended_frames >= max_frames:
            break
        if not search.next_frame():
            break
    words = solver.words_moved * (frames - solver.source_frames) // solver.source_frames
    if words > AFFORDABLE_WORDS:
        reason = search.comparison.obstacle or "no state came again and no bottleneck was saturated"
        raise UnprovenError(frames, solver.source_frames, reason)
    if latency_cycles is not None and steady is None and solver.ended_frames >= max_frames:
        steady = settle(search, latency_cycles, max_frames)
    run = _simulated(solver, frames)
    if latency_cycles is not None and steady is None:
        steady = settle(search, latency_cycles, max_frames)
    return run, steady


def _simulated(solver: Solver, frames: int) -> CompiledRun:
    solver.advance(frames)
    ended = end_run(solver, frames)
    result = _result(ended, frames, ended.ends, ended.units)
    reason = "every frame was simulated"
    words = _word_cycles(ended.solver)
    return CompiledRun(result, "simulated", reason, frames, frames, ended.cycles_total, words)


def _extrapolated(search: Search, proof: Proof, frames: int) -> CompiledRun | None:
    """The run of ``frames`` frames by a proof, or None where an end does not bear it out."""
    solver, bounded, found = search.solver, proof.bounded, proof.repetition
    period = found.period_frames
    last = max(solver.source_frames, bounded.source_frames if bounded else 0)
    last += (frames - last) % period
    while True:
        if last > frames:
            return None
        solver.advance(last)
        if solver.ended_frames >= found.last:
            break
        last += period
    ended = end_run(solver, last)
    held_against = ended.solver
    if bounded is not None:
        try:
            bounded.advance(last)
            held_against = end_run(bounded, last).solver
        except UnsettledError:
            return None
    if not search.holds(proof, held_against):
        return None
    periods = (frames - last) // period
    words = _word_cycles(solver if periods else ended.solver)
    units, counted_frames = ended.units, last
    if periods and found.is_complete and _counts_are_periodic(solver):
        solver.advance(last + period)
        later = end_run(solver, last + period).units
        units = tuple(_extended(now, more, periods) for now, more in zip(units, later, strict=True))
        counted_frames = frames
    ends = FrameEnds(
        frames, tuple(solver.ends[: found.last]), ended.ends, found.first, period, found.cycles
    )
    return CompiledRun(
        result=_result(ended, frames, ends, units),
        argument=proof.argument if periods else "simulated",
        reason=proof.reason(solver.graph) if periods else "every frame was simulated",
        frames_simulated=solver.source_frames,
        counted_frames=counted_frames,
        counted_cycles=ends[-1] + 1 if counted_frames == frames else ended.cycles_total,
        word_cycles=words,
    )


def _counts_are_periodic(solver: Solver) -> bool:
    """Whether no elastic unit takes words while one more than a whole frame before is still inside.

    Then the cycles before the end of a frame hold no event of a later period, and each period adds the
    same counts.
    """
    programs = [unit.program for unit in solver.graph.units]
    return all(p.order.release[0] >= -p.words_out for p in programs if isinstance(p, Elastic))


def _extended(cycles: UnitCycles, later: UnitCycles, periods: int) -> UnitCycles:
    """``cycles``, with ``periods`` times what one period adds to them."""
    return UnitCycles(
        busy=cycles.busy + periods * (later.busy - cycles.busy),
        stalled_on_input=cycles.stalled_on_input
        + periods * (later.stalled_on_input - cycles.stalled_on_input),
        stalled_on_output=cycles.stalled_on_output
        + periods * (later.stalled_on_output - cycles.stalled_on_output),
        idle=cycles.idle + periods * (later.idle - cycles.idle),
    )


def _result(
    ended: EndedRun, frames: int, ends: Sequence[int], units: tuple[UnitCycles, ...]
) -> TimingResult:
    return TimingResult(
        frames=frames,
        cycles_total=ends[-1] + 1,
        frame_end_cycles=ends,
        units=units,
        max_occupancy_words=ended.max_occupancy_words,
    )


def _word_cycles(solver: Solver) -> dict[str, WordCycles]:
    """The logs of a solver."""
    none = np.zeros(0, np.int64)
    return {
        solver.graph.channels[number].name: WordCycles(
            np.concatenate([none, *written]), np.concatenate([none, *read])
        )
        for number, (written, read) in solver.logs.items()
    }
