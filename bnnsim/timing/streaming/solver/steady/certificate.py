"""The interval by a periodic schedule, and by a circuit that no schedule can beat.

Where frames follow each other L cycles apart, the frame before is this frame minus L, and so is each
event's cycle a maximum of others' plus constants minus multiples of L. If cycles can be found that
satisfy all of them, the pipeline can go on so for ever: its interval is L at most. If they rise
without end, they go round a circuit of events whose cycles are more than L for each of its frames:
the interval is that at least. So L starts at the longest program and goes from circuit to circuit
until it is both.

Where a flushing pipeline has several stages its bound stands for it (``kernels/flushing.py``). What is
found is proven then too, but for some such pipelines nothing is.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.bottleneck import Circuit
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic, Program
from bnnsim.timing.streaming.solver.steady.circuit import circuit_of_hops
from bnnsim.timing.streaming.solver.steady.kernels import records as k
from bnnsim.timing.streaming.solver.steady.layout import lay_out

PLAIN_SWEEPS = 5
"""After so many sweeps that did not settle it is noted why not, which takes three times as long; and
after half as many again, each time, a circuit is looked for. Measured on designs of shipped spaces: most
settle after 4 to 6 sweeps, and show a circuit after 6 to 9."""
MOST_MOVES, LEAST_SWEEPS = 1 << 22, 48
"""Words of all sweeps, after which it is given up, but not before so many sweeps. Words that are handed
to and fro one by one, through FIFOs of one, take a sweep each, and there each circuit may be but a cycle
longer than the one before: frames show the interval sooner."""
BOUND_SWEEPS = 8
"""Where bounds stand for flushing pipelines it is given up so early: they may never settle."""
MOST_HOPS = 1 << 18


def certify(graph: TimingGraph) -> Circuit | None:
    """A circuit whose ratio is the exact interval of ``graph``, or None where this finds no proof.

    Where bounds stand for flushing pipelines and do not settle at once, none is looked for: frames show
    the interval sooner.
    """
    found = find_bounds(graph, is_patient=False)
    return found.circuit if found is not None and found.is_exact else None


@dataclass(frozen=True)
class Bounds:
    """What is proven of an interval: no less than the circuit's ratio, and that is it if
    ``is_exact``."""

    circuit: Circuit
    is_exact: bool


def find_bounds(graph: TimingGraph, *, is_patient: bool = True) -> Bounds | None:
    """The circuit of the greatest ratio that is found in ``graph``; the longest program's where bounds
    for flushing pipelines do not settle at once, unless it ``is_patient``.

    None where frames have no fixed pattern, or where events wait for each other within a frame,
    which is a deadlock.
    """
    state = lay_out(graph)
    if state is None:
        return None
    circuit = longest_program(graph)
    moves = int(state.unit["words_in"].sum() + state.unit["words_out"].sum())
    most_sweeps = max(LEAST_SWEEPS, MOST_MOVES // moves)
    most_at_once = most_sweeps
    if (state.unit["stages"] > 1).any():
        most_at_once = BOUND_SWEEPS if is_patient else PLAIN_SWEEPS
    while True:
        search = _Search(graph, state, circuit.ratio)
        greater = search.run(min(most_sweeps, most_at_once))
        most_sweeps -= search.sweeps
        if greater is None:
            return Bounds(circuit, search.is_settled)
        if greater.frames <= 0:
            return None
        circuit = greater


def longest_program(graph: TimingGraph) -> Circuit:
    """The circuit of the unit whose own steps, or words, take longest."""
    own = [_own_cycles(unit.program) for unit in graph.units]
    cycles = max(own)
    unit = graph.units[own.index(cycles)]
    name = unit.part_of or unit.name
    return Circuit((name,), (), name, cycles, 1)


def _own_cycles(program: Program) -> int:
    if isinstance(program, Elastic):
        return max(program.words_in, program.words_out)
    return program.steps


class _Search:
    """Sweeps with one period until the cycles settle or show a circuit that takes longer."""

    def __init__(self, graph: TimingGraph, state: k.State, period: Fraction) -> None:
        self.graph = graph
        self.state = state
        has_bounds = bool((state.unit["stages"] > 1).any())
        self.pace = k.Pace(period.numerator, period.denominator, only_rises=not has_bounds)
        self.period = period
        self.is_settled = False
        self.sweeps = 0

    def run(self, most_sweeps: int) -> Circuit | None:
        """The circuit; None where the cycles settle, or no circuit is found in ``most_sweeps``."""
        from bnnsim.timing.streaming.solver.steady.kernels.sweep import forget, sweep

        forget(self.state)
        dirty = np.ones(len(self.state.unit), np.int64)
        self.sweeps = PLAIN_SWEEPS
        self.is_settled = sweep(self.state, self.pace, dirty, 0, PLAIN_SWEEPS)
        return None if self.is_settled else self._noted(dirty, most_sweeps)

    def _noted(self, dirty: Int64s, most_sweeps: int) -> Circuit | None:
        """The same with notes, so that a circuit is found."""
        from bnnsim.timing.streaming.solver.steady.kernels.trace import find_circuit, note_sweep

        units = len(self.state.unit)
        events, since = len(self.state.cycles) + units, 0
        causes, seen = np.zeros((events, 3), np.int64), np.full(events, -1, np.int64)
        hops = np.empty((min(events, MOST_HOPS) + 1, k.HOP), np.int64)
        while self.sweeps < most_sweeps:
            done, self.sweeps = self.sweeps, min(most_sweeps, self.sweeps + self.sweeps // 2)
            self.is_settled = note_sweep(self.state, self.pace, causes, dirty, done, self.sweeps)
            if self.is_settled:
                return None
            for unit in range(units):
                end = find_circuit(self.state, unit, self.pace, seen, since, causes, hops)
                if end >= 0:
                    circuit = circuit_of_hops(self.graph, hops[hops[-1, 0] : end])
                    if circuit.frames <= 0 or circuit.ratio > self.period:
                        return circuit
                since += len(hops)
            seen[:] = -1
        return None
