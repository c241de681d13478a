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
from bnnsim.timing.streaming.solver.kernels.records import NEVER
from bnnsim.timing.streaming.solver.steady.circuit import circuit_of_hops
from bnnsim.timing.streaming.solver.steady.kernels import records as k
from bnnsim.timing.streaming.solver.steady.layout import lay_out

PLAIN_SWEEPS = 5
"""After so many sweeps that did not settle, and then after half as many again, each time, it is seen how
much is still to do. While that is less than half of all words, sweeps go on, up to ``SETTLING_SWEEPS``;
else it is noted why they do not settle, which takes three times as long, and a circuit is looked for.
Measured on designs of shipped spaces: most settle after 4 to 6 sweeps, few of those behind bounds only
after 17, and they show a circuit after 6 to 9."""
SETTLING_SWEEPS = 20
LATER_PLAIN_SWEEPS = 10
"""The same behind the first circuit, which most often is the last."""
MOST_MOVES, LEAST_SWEEPS = 1 << 22, 48
"""Words of all sweeps, as if each were over all of them, after which it is given up, but not before so
many sweeps. Words that are handed to and fro one by one, through FIFOs of one, take a sweep each, and
there each circuit may be but a cycle longer than the one before: frames show the interval sooner."""
BOUND_FRAMES = 12
"""Where bounds stand for flushing pipelines it is given up after the work of so many sweeps over all
words, for each circuit: they may never settle."""
MOST_HOPS = 1 << 18


def certify(graph: TimingGraph) -> Circuit | None:
    """A circuit whose ratio is the exact interval of ``graph``, or None where this finds no proof."""
    found = find_bounds(graph)
    return found.circuit if found is not None and found.is_exact else None


@dataclass(frozen=True)
class Bounds:
    """What is proven of an interval: no less than the circuit's ratio, and that is it if
    ``is_exact``."""

    circuit: Circuit
    is_exact: bool


def find_bounds(graph: TimingGraph) -> Bounds | None:
    """The circuit of the greatest ratio that is found in ``graph``.

    None where frames have no fixed pattern, or where events wait for each other within a frame,
    which is a deadlock.
    """
    state = lay_out(graph)
    if state is None:
        return None
    circuit = longest_program(graph)
    moves = int(state.unit["words_in"].sum() + state.unit["words_out"].sum())
    most_sweeps = max(LEAST_SWEEPS, MOST_MOVES // moves)
    plain_sweeps = PLAIN_SWEEPS
    while True:
        search = _Search(graph, state, circuit.ratio, moves)
        greater = search.run(most_sweeps, plain_sweeps)
        most_sweeps -= search.sweeps
        if greater is None:
            return Bounds(circuit, search.is_settled)
        if greater.frames <= 0:
            return None
        circuit, plain_sweeps = greater, LATER_PLAIN_SWEEPS


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

    def __init__(self, graph: TimingGraph, state: k.State, period: Fraction, moves: int) -> None:
        self.graph = graph
        self.state = state
        has_bounds = bool((state.unit["stages"] > 1).any())
        self.pace = k.Pace(period.numerator, period.denominator, only_rises=not has_bounds)
        self.period = period
        self.moves = moves
        self.work = np.array([0, BOUND_FRAMES * moves if has_bounds else NEVER], np.int64)
        self.is_settled = False
        self.sweeps = 0

    def run(self, most_sweeps: int, plain_sweeps: int) -> Circuit | None:
        """The circuit; None where the cycles settle, or no circuit is found in ``most_sweeps``."""
        from bnnsim.timing.streaming.solver.steady.kernels.sweep import forget, sweep

        forget(self.state)
        dirty = np.ones(len(self.state.unit), np.int64)
        self.sweeps = plain_sweeps
        end = sweep(self.state, self.pace, dirty, self.work, 0, self.sweeps)
        still_to_do = int(self.work[k.WORK_WORDS]) // self.sweeps
        settling_sweeps = min(SETTLING_SWEEPS, most_sweeps)
        while end == k.GOES_ON and 2 * still_to_do <= self.moves and self.sweeps < settling_sweeps:
            first, before = self._next_sweeps(most_sweeps), int(self.work[k.WORK_WORDS])
            end = sweep(self.state, self.pace, dirty, self.work, first, self.sweeps)
            still_to_do = (int(self.work[k.WORK_WORDS]) - before) // (self.sweeps - first)
        self.is_settled = end == k.SETTLED
        return None if self.is_settled else self._noted(dirty, most_sweeps)

    def _is_over(self, most_sweeps: int) -> bool:
        return self.sweeps >= most_sweeps or bool(self.work[k.WORK_WORDS] > self.work[k.MOST_WORDS])

    def _next_sweeps(self, most_sweeps: int) -> int:
        """The first of the sweeps that come next; ``sweeps`` counts them as done."""
        first = self.sweeps
        self.sweeps = min(most_sweeps, first + first // 2)
        return first

    def _noted(self, dirty: Int64s, most_sweeps: int) -> Circuit | None:
        """The same with notes, so that a circuit is found."""
        from bnnsim.timing.streaming.solver.steady.kernels.trace import find_circuit, note_sweep

        units = len(self.state.unit)
        events, since = len(self.state.cycles) + units, 0
        causes, seen = np.zeros((events, 3), np.int64), np.full(events, -1, np.int64)
        hops = np.empty((min(events, MOST_HOPS) + 1, k.HOP), np.int64)
        while not self._is_over(most_sweeps):
            first = self._next_sweeps(most_sweeps)
            end = note_sweep(self.state, self.pace, causes, dirty, self.work, first, self.sweeps)
            if end == k.SETTLED:
                self.is_settled = True
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
