"""The steady state of a timing graph."""

from __future__ import annotations

from bnnsim.timing.streaming.compiled.ended_run import deadlock, end_run
from bnnsim.timing.streaming.compiled.layout import MachineOptions
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.steady_state.proof import Proof
from bnnsim.timing.streaming.steady_state.record import SteadyState
from bnnsim.timing.streaming.steady_state.retiming import retimed_graph
from bnnsim.timing.streaming.steady_state.search import Search

MAX_FRAMES = 4096
"""Frames within which a proof is looked for unless said otherwise."""
RUN_AHEAD_FRAMES = 256
"""Frames that the first units may be ahead of the last besides, in FIFOs that hold many small frames."""
RETIMED_AHEAD_FRAMES = 64
"""Frames that the first units of a retimed graph may be ahead of the last: it holds back none itself."""


def steady_state(graph: TimingGraph, *, fast: bool = False, max_frames: int = MAX_FRAMES) -> SteadyState:
    """The steady state of ``graph``, looked for within ``max_frames`` frames.

    ``fast`` looks on the retimed graph first: the same interval and latency from fewer frames, but no
    warm-up, which is the retimed graph's own; the period may be another with the same interval.

    Raises :class:`~bnnsim.timing.streaming.result.DeadlockError` where the pipeline gets stuck.
    """
    if fast:
        found = _retimed_steady_state(graph, max_frames)
        if found is not None:
            return found
    most_frames = most_frames_to_run(max_frames)
    machine = Machine(graph, MachineOptions(most_frames, snapshots=True, counts=False))
    machine.run_to(1)
    latency_cycles = end_run(machine).cycles_total
    return settle(Search(machine), latency_cycles, max_frames)


def most_frames_to_run(max_frames: int) -> int:
    """Frames that a search within ``max_frames`` may begin: the first units run ahead of the last."""
    return 2 * max_frames + RUN_AHEAD_FRAMES


def settle(search: Search, latency_cycles: int, max_frames: int) -> SteadyState:
    """Go on with a search from wherever it is, until there is a proof or ``max_frames`` are done.

    Raises :class:`~bnnsim.timing.streaming.result.DeadlockError` where the pipeline gets stuck.
    """
    machine = search.machine
    most_frames = most_frames_to_run(max_frames)
    while search.frames < max_frames:
        if not search.next_frame(most_frames):
            if machine.frame_limit >= most_frames:
                break  # not stuck: the first units are further ahead than they may be
            raise deadlock(machine)
        proof = search.proof()
        if proof is not None:
            return proven(machine, proof, latency_cycles)
    reason = search.comparison.obstacle or (
        f"within {max_frames} frames no state came again and no bottleneck was saturated"
    )
    return SteadyState(None, None, latency_cycles, "not proven", None, machine.frame_limit, reason)


def proven(machine: Machine, proof: Proof, latency_cycles: int) -> SteadyState:
    """The record of a proof that ends with the frames that ``machine`` has done."""
    found = proof.repetition
    return SteadyState(
        period_frames=found.period_frames,
        period_cycles=found.cycles,
        latency_cycles=latency_cycles,
        argument=proof.argument,
        warm_up_frames=found.first,
        frames_simulated=proof.bounded.frame_limit if proof.bounded else machine.frame_limit,
        reason=proof.reason(machine.graph),
    )


def _retimed_steady_state(graph: TimingGraph, max_frames: int) -> SteadyState | None:
    """By the retimed graph; None where there is none, or it gets stuck, or nothing is proven of it."""
    retimed = retimed_graph(graph)
    if retimed is None:
        return None
    most_frames = max_frames + RETIMED_AHEAD_FRAMES
    machine = Machine(retimed, MachineOptions(most_frames, snapshots=True, counts=False))
    search = Search(machine)
    while search.frames < max_frames and search.next_frame(most_frames):
        proof = search.proof()
        if proof is not None:
            found = proof.repetition
            return SteadyState(
                period_frames=found.period_frames,
                period_cycles=found.cycles,
                latency_cycles=_latency_cycles(graph),
                argument=proof.argument,
                warm_up_frames=None,
                frames_simulated=machine.frame_limit,
                reason=f"in the retimed pipeline {proof.reason(retimed)}",
            )
    return None


def _latency_cycles(graph: TimingGraph) -> int:
    machine = Machine(graph, MachineOptions(1, counts=False))
    machine.run_to(1)
    return end_run(machine).cycles_total
