"""The compiled executor: the same runs as SimPy's, to the cycle, for any number of frames.

A run simulates frames until it is proven how all that follow go (docs/steady-state.md), and then the end
of a run from there; a longer run has the same end, later. Where nothing can be proven, all frames are
simulated.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from bnnsim.timing.streaming.compiled.ended_run import EndedRun, end_run
from bnnsim.timing.streaming.compiled.layout import MachineOptions
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.compiled_run import CompiledRun, FrameEnds, UnprovenError, WordCycles
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic
from bnnsim.timing.streaming.result import TimingResult, UnitCycles
from bnnsim.timing.streaming.steady_state.api import MAX_FRAMES, most_frames_to_run, proven, settle
from bnnsim.timing.streaming.steady_state.proof import Proof
from bnnsim.timing.streaming.steady_state.record import SteadyState
from bnnsim.timing.streaming.steady_state.search import Search
from bnnsim.timing.streaming.steady_state.watch import TrackedMachine, most_frames_watched, watch

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
    where the steady state is not proven by then, and looks at what waits in it, all with one machine.
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
    if with_steady_state:
        most_frames = max(
            frames, most_frames_to_run(max_frames), most_frames_watched(graph, max_frames)
        )
        tracked = TrackedMachine(graph, MachineOptions(most_frames, snapshots=True, logged=logged))
        run, steady = _run(tracked, frames, True, exact_counts, max_frames, goes_on=True)
        assert steady is not None
        return replace(run, steady_state=steady, watched=watch(tracked, steady))
    machine = Machine(graph, MachineOptions(frames, snapshots=extrapolate, logged=logged))
    return _run(machine, frames, extrapolate, exact_counts, max_frames, goes_on=False)[0]


def _run(
    machine: Machine,
    frames: int,
    extrapolate: bool,
    exact_counts: bool,
    max_frames: int,
    goes_on: bool,
) -> tuple[CompiledRun, SteadyState | None]:
    """The run, and if it ``goes_on`` the steady state."""
    machine.run_to(1)
    first_frame = machine.copy()
    search = Search(machine)
    steady = None
    next_try = 1
    while extrapolate and search.frames < max_frames and search.next_frame(frames):
        proof = search.proof(complete=exact_counts) if search.frames >= next_try else None
        if proof is not None:
            if goes_on and steady is None:
                steady = proven(machine, proof, end_run(first_frame).cycles_total)
            run = _extrapolated(machine, search, proof, frames)
            if run is not None:
                return run, steady
            next_try = 2 * search.frames  # its end waits for what is outside; so may the next
    words = machine.words_moved * (frames - machine.frame_limit) // max(1, machine.frame_limit)
    if words > AFFORDABLE_WORDS:
        reason = search.comparison.obstacle or "no state came again and no bottleneck was saturated"
        raise UnprovenError(frames, search.frames, reason)
    if goes_on and steady is None and search.frames >= max_frames:
        steady = settle(search, end_run(first_frame).cycles_total, max_frames)
    run = _simulated(machine, frames)
    if goes_on and steady is None:
        steady = settle(search, end_run(first_frame).cycles_total, max_frames)
    return run, steady


def _simulated(machine: Machine, frames: int) -> CompiledRun:
    machine.run_to(frames)
    ended = end_run(machine)
    result = _result(ended, frames, tuple(ended.ends.tolist()), ended.units)
    reason = "every frame was simulated"
    words = _word_cycles(ended.machine)
    return CompiledRun(result, "simulated", reason, frames, frames, ended.cycles_total, words)


def _extrapolated(
    machine: Machine, search: Search, proof: Proof, frames: int
) -> CompiledRun | None:
    """The run of ``frames`` frames by a proof, or None where an end does not bear it out."""
    found, period = proof.stride, proof.stride.period_frames
    frame_limit = max(machine.frame_limit, proof.bounded.frame_limit if proof.bounded else 0)
    frame_limit += (frames - frame_limit) % period
    if frame_limit > frames:
        return None
    machine.run_to(frame_limit)
    ended = end_run(machine)
    bounded = None
    if proof.bounded is not None:
        proof.bounded.run_to(frame_limit)
        bounded = end_run(proof.bounded).machine
    if not search.holds(proof, ended.machine, bounded):
        return None
    periods = (frames - frame_limit) // period
    word_cycles = _word_cycles(machine if periods else ended.machine)
    units, counted_frames = ended.units, frame_limit
    if periods and found.is_complete and _counts_are_periodic(machine):
        machine.run_to(frame_limit + period)
        later = end_run(machine).units
        units = tuple(_extended(now, more, periods) for now, more in zip(units, later, strict=True))
        counted_frames = frames
    ends = FrameEnds(
        frames,
        tuple(machine.ends[: found.last].tolist()),
        tuple(ended.ends.tolist()),
        found.first,
        period,
        found.cycles,
    )
    return CompiledRun(
        result=_result(ended, frames, ends, units),
        argument=proof.argument if periods else "simulated",
        reason=proof.reason(machine.graph) if periods else "every frame was simulated",
        frames_simulated=machine.frame_limit,
        counted_frames=counted_frames,
        counted_cycles=ends[-1] + 1 if counted_frames == frames else ended.cycles_total,
        word_cycles=word_cycles,
    )


def _counts_are_periodic(machine: Machine) -> bool:
    """Whether no elastic unit takes words while one more than a whole frame before is still inside.

    Then the cycles before the end of a frame hold no event of a later period, and each period adds the
    same counts.
    """
    programs = [unit.program for unit in machine.graph.units]
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


def _word_cycles(machine: Machine) -> dict[str, WordCycles]:
    """The logs of a machine."""
    cycles = {}
    for number in machine.options.logged:
        row = machine.channel[number]
        written = 0 if row.supplies else row.written
        read = 0 if row.is_open else row.read
        cycles[machine.graph.channels[number].name] = WordCycles(
            machine.event_times[row.write_log :][:written].copy(),
            machine.event_times[row.read_log :][:read].copy(),
        )
    return cycles
