"""How often frames follow one another and how long one takes: what a search asks of every design."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.timing.streaming.compiled.ended_run import end_run
from bnnsim.timing.streaming.compiled.machine import Machine, MachineOptions
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.steady_state.retiming import retimed_graph
from bnnsim.timing.streaming.steady_state.search import Search
from bnnsim.timing.streaming.steady_state.steady import MAX_FRAMES, analyse

MORE_FRAMES = 64
"""Frames that the first units of a retimed graph may be ahead of the last, in FIFOs that hold many."""


@dataclass(frozen=True)
class Pace:
    """A pipeline's figures in cycles.

    ``initiation_interval_cycles`` is exact (the next whole number where a period of several frames does
    not divide), or None with a ``reason``. ``latency_cycles`` is the run of a single frame through the
    empty pipeline.
    """

    initiation_interval_cycles: int | None
    latency_cycles: int
    reason: str


def find_pace(graph: TimingGraph, max_frames: int = MAX_FRAMES) -> Pace:
    """The same figures as :func:`~bnnsim.timing.streaming.steady_state.steady.analyse`'s, sooner.

    Raises :class:`~bnnsim.timing.streaming.result.DeadlockError` where the pipeline gets stuck.
    """
    retimed = retimed_graph(graph)
    interval = None if retimed is None else _interval(retimed, max_frames)
    if interval is None:
        steady = analyse(graph, max_frames)
        return Pace(steady.initiation_interval_cycles, steady.latency_cycles, steady.reason)
    return Pace(interval, _latency(graph), "")


def _latency(graph: TimingGraph) -> int:
    machine = Machine(graph, MachineOptions(1, counts=False))
    machine.run_to(1)
    return end_run(machine).cycles_total


def _interval(retimed: TimingGraph, max_frames: int) -> int | None:
    """The interval of a retimed graph; None where it gets stuck or nothing is proven."""
    most_frames = max_frames + MORE_FRAMES
    search = Search(Machine(retimed, MachineOptions(most_frames, snapshots=True, counts=False)))
    while search.frames < max_frames and search.next_frame(most_frames):
        proof = search.proof()
        if proof is not None:
            found = proof.repetition
            return -(-found.cycles // found.period_frames)
    return None
