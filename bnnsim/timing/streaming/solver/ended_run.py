"""The end of a run: the drain, the counts, and what is stuck where nothing moves any more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.result import DeadlockError, UnitCycles
from bnnsim.timing.streaming.solver.kernels import records as k
from bnnsim.timing.streaming.solver.solver import Solver


@dataclass(frozen=True)
class EndedRun:
    """A run that has ended; positions are those of the timing graph.

    ``units``: where each one's cycles went, and ``max_occupancy_words``: the highest occupancy of each
    channel at the end of a cycle, both empty where nothing was counted.
    """

    solver: Solver
    cycles_total: int
    units: tuple[UnitCycles, ...]

    @property
    def ends(self) -> tuple[int, ...]:
        """The cycle in which each frame ended: its last word at the last of the sinks."""
        return tuple(self.solver.ends)

    @property
    def max_occupancy_words(self) -> tuple[int, ...]:
        return _most_filled(self.solver) if self.units else ()


def end_run(solver: Solver, frames: int) -> EndedRun:
    """The run that ends with frame number ``frames``, from where ``solver`` is; leaves that as it is.

    Raises :class:`DeadlockError` where a sink cannot get its last word.
    """
    ending = solver.ending(frames)
    if not ending.finish():
        raise deadlock(ending)
    total = ending.ends[-1] + 1
    if solver.counts is None:
        return EndedRun(ending, total, ())
    if ending.last_event_cycle >= total:
        # Units that go on when the sinks have their last words: what they do from then on does not count.
        if solver.last_event_cycle >= total:
            solver = Solver(solver.graph, solver.most_frames, has_counts=True, logged=[*solver.logs])
        ending = solver.ending(frames, cycle_limit=total)
        ending.finish()
    assert ending.counts is not None
    return EndedRun(ending, total, ending.counts.finish(ending.state, ending.limits, total))


def latency_cycles(graph: TimingGraph) -> int:
    """How long a single frame takes through the empty pipeline.

    Raises :class:`DeadlockError` where a sink cannot get its last word.
    """
    solver = Solver(graph, 1)
    solver.frames = 1
    if not solver.finish():
        raise deadlock(solver)
    return solver.ends[-1] + 1


def most_filled_words(graph: TimingGraph, frames: int) -> tuple[int, ...]:
    """For each channel the most words that it holds in a run of ``frames`` frames, of which nothing else
    is kept: that takes half the memory.

    Raises :class:`DeadlockError` where a sink cannot get its last word.
    """
    solver = Solver(graph, frames, has_counts=True)
    solver.frames = frames
    if not solver.finish():
        raise deadlock(solver)
    assert solver.counts is not None
    solver.counts.finish(solver.state, solver.limits, solver.last_event_cycle + 1)
    return _most_filled(solver)


def _most_filled(solver: Solver) -> tuple[int, ...]:
    return tuple(solver.state.channel["max_occupancy"].tolist())


def deadlock(solver: Solver) -> DeadlockError:
    """What is stuck in a run that ends and cannot go on."""
    from bnnsim.timing.streaming.solver.kernels.account import wanted_sides

    graph, channel = solver.graph, solver.state.channel
    held = (channel["held"] + channel["written"] - channel["read"]).tolist()
    sides = np.zeros(len(graph.units), np.int64)
    wanted_sides(solver.state, solver.limits, sides)
    waiting = {}
    for unit, wanted in zip(graph.units, sides.tolist(), strict=True):
        full = [graph.channels[c].name for c in unit.outputs if held[c] >= channel[c].depth]
        empty = [graph.channels[c].name for c in unit.inputs if held[c] == 0]
        if wanted & k.WAITED_FOR_ROOM and full:
            waiting[unit.name] = "room in " + ", ".join(full)
        elif wanted & k.WAITED_FOR_WORD and empty:
            waiting[unit.name] = "a word in " + ", ".join(empty)
    occupancy = {
        c.name: (0 if c.supplies else held[n], c.depth_words) for n, c in enumerate(graph.channels)
    }
    return DeadlockError(solver.last_event_cycle, waiting, occupancy)
