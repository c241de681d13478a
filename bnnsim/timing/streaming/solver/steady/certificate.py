"""The interval by a periodic schedule, and by a circuit that no schedule can beat.

Where frames follow each other L cycles apart, the frame before is this frame minus L, and so is each
event's cycle a maximum of others' plus constants minus multiples of L. If cycles can be found that
satisfy all of them, the pipeline can go on so for ever: its interval is L at most. If they rise
without end, they go round a circuit of events whose cycles are more than L for each of its frames:
the interval is that at least. So L starts at the slowest unit and goes from circuit to circuit until
it is both.

Where a flushing pipeline has several stages its bound stands for it (``kernels/flushing.py``). What is
found is proven then too, but for some such pipelines nothing is.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from bnnsim.timing.bottleneck import Circuit
from bnnsim.timing.streaming.programs.graph import TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep, Program
from bnnsim.timing.streaming.solver.kernels.records import NEVER
from bnnsim.timing.streaming.solver.mould import Key
from bnnsim.timing.streaming.solver.steady.circuit import circuit_of_hops
from bnnsim.timing.streaming.solver.steady.kernels import records as k
from bnnsim.timing.streaming.solver.steady.layout import lay_out
from bnnsim.timing.streaming.solver.steady.pieces import Piece, alone, around, piece

PLAIN_SWEEPS = 5
"""After so many sweeps that did not settle, and then after half as many again, each time, it is seen how
much is still to do. While that is less than half of all words, sweeps go on, up to ``SETTLING_SWEEPS``;
else a circuit is looked for in a piece around the slowest unit. Where that has none sweeps go on all the
same, and only then it is noted why they do not settle, which takes five times as long."""
SETTLING_SWEEPS = 22
LATER_PLAIN_SWEEPS = 10
"""The first sweeps behind a circuit, which most often is the last."""
PIECE_HOPS, PIECE_SHARE = 2, 2
"""A piece has units at most so many channels from the slowest, and one in so many of all words at most.
On 300 designs of a search, 96 with circuits of an elastic unit's words or of two units, that halves the
time (of 1, 2 and any number of hops and 1/2 to 1/16 of the words this took least)."""
MOST_MOVES, LEAST_SWEEPS = 1 << 22, 48
"""Words of all sweeps, as if each were over all of them, after which it is given up, but not before so
many sweeps. Words that are handed to and fro one by one, through FIFOs of one, take a sweep each, and
there each circuit may be but a cycle longer than the one before: frames show the interval sooner."""
SETTLING_FRAMES, BOUND_FRAMES = 8, 12
"""Where bounds stand for flushing pipelines it is noted why they do not settle, and given up, after the
work of so many sweeps over all words, for each circuit: they may never settle."""
MOST_HOPS = 1 << 18


def certify(graph: TimingGraph) -> Circuit | None:
    """A circuit whose ratio is the exact interval of ``graph``, or None where this finds no proof."""
    found = find_bounds(graph)
    return found.circuit if found is not None and found.is_exact else None


@dataclass(frozen=True)
class Bounds:
    """What is proven of an interval: no less than the circuit's ratio, and that is it if
    ``is_exact``. It never is where a program writes before its first frame: these words may be later
    than those of a frame before, and frames never get going."""

    circuit: Circuit
    is_exact: bool


def find_bounds(graph: TimingGraph) -> Bounds | None:
    """The circuit of the greatest ratio that is found in ``graph``.

    None where frames have no fixed pattern, or where events wait for each other within a frame,
    which is a deadlock.
    """
    pieces = _Pieces(graph)
    return _find_bounds(graph, pieces.slowest_alone, pieces)


def _find_bounds(graph: TimingGraph, circuit: Circuit, pieces: _Pieces | None) -> Bounds | None:
    """The same from a ``circuit`` on that is known; of ``pieces`` too, where the graph itself is none."""
    state = lay_out(graph)
    if state is None:
        return None
    moves = int(state.unit["words_in"].sum() + state.unit["words_out"].sum())
    most_sweeps = max(LEAST_SWEEPS, MOST_MOVES // moves)
    plain_sweeps = PLAIN_SWEEPS
    has_bounds = bool((state.unit["stages"] > 1).any())
    greater = None
    if pieces is not None and has_bounds:
        greater = pieces.greater(circuit, moves // PIECE_SHARE)
    if greater is not None:
        circuit, plain_sweeps = greater, LATER_PLAIN_SWEEPS
    while True:
        search = _Search(graph, state, circuit.ratio, moves, has_bounds)
        greater = None
        if not search.settle(plain_sweeps, most_sweeps):
            if pieces is not None:
                greater = pieces.greater(circuit, moves // PIECE_SHARE)
            if greater is None:
                greater = search.explain(most_sweeps, is_patient=pieces is not None)
        most_sweeps -= search.sweeps
        if greater is None:
            return Bounds(circuit, search.is_settled and not _writes_ahead(graph))
        if greater.frames <= 0:
            return None
        circuit, plain_sweeps = greater, LATER_PLAIN_SWEEPS


def _writes_ahead(graph: TimingGraph) -> bool:
    programs = (unit.program for unit in graph.units)
    return any(isinstance(one, Lockstep) and one.writes_ahead for one in programs)


class _Pieces:
    """The slowest unit of a graph, and the piece around it, which is looked at once."""

    def __init__(self, graph: TimingGraph) -> None:
        self.graph = graph
        paces = [_pace_alone(unit) for unit in graph.units]
        pace = max(paces)
        self.slowest = paces.index(pace)
        self.pace = Fraction(pace)
        self.is_seen = False

    @property
    def slowest_alone(self) -> Circuit:
        """The circuit that no unit takes longer for alone."""
        unit = self.graph.units[self.slowest]
        name = unit.part_of or unit.name
        return Circuit((name,), (), name, self.pace.numerator, self.pace.denominator)

    def greater(self, circuit: Circuit, most_words: int) -> Circuit | None:
        """A greater circuit of the piece, which has so many words at most; None where there is none, or
        where this was asked before."""
        if self.is_seen:
            return None
        self.is_seen = True
        members = around(self.graph, self.slowest, PIECE_HOPS, most_words)
        if len(members) < 2:
            return None
        found = _of_piece(Piece(piece(self.graph, members)), circuit)
        return found.circuit if found is not None and found.circuit.ratio > circuit.ratio else None


def _pace_alone(unit: TimingUnit) -> Fraction | int:
    """Cycles a frame that no unit of this program is faster than."""
    program = unit.program
    if isinstance(program, Elastic) and unit.inputs and unit.outputs:
        return _elastic_alone(Key(program))
    return _own_cycles(program)


@lru_cache(maxsize=256)
def _of_piece(key: Piece, circuit: Circuit) -> Bounds | None:
    """What is found in a piece; designs of a search have many in common."""
    return _find_bounds(key.graph, circuit, None)


@lru_cache(maxsize=4096)
def _elastic_alone(key: Key) -> Fraction:
    circuit = Circuit((), (), "", _own_cycles(key.program), 1)
    found = _find_bounds(alone(key.program), circuit, None)
    return circuit.ratio if found is None else found.circuit.ratio


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
    """Sweeps with one period until the cycles settle or show a circuit that takes longer.

    ``sweeps`` counts those that were done, or are being done; ``is_settled`` after the last.
    """

    def __init__(
        self, graph: TimingGraph, state: k.State, period: Fraction, moves: int, has_bounds: bool
    ) -> None:
        self.graph = graph
        self.state = state
        self.pace = k.Pace(period.numerator, period.denominator, only_rises=not has_bounds)
        self.period = period
        self.moves = moves
        self.most_work = BOUND_FRAMES * moves if has_bounds else NEVER
        self.most_settling = SETTLING_FRAMES * moves if has_bounds else NEVER
        self.work = np.array([0, self.most_settling], np.int64)
        self.dirty = np.ones(len(state.unit), np.int64)
        self.is_settled = False
        self.is_stuck = False
        self.sweeps = 0

    def settle(self, plain_sweeps: int, most_sweeps: int) -> bool:
        """Whether the cycles settle in some sweeps from below, and more while these do ever less."""
        from bnnsim.timing.streaming.solver.steady.kernels.sweep import forget

        forget(self.state)
        still_to_do = self._sweep(plain_sweeps)
        while 2 * still_to_do <= self.moves and self._may_settle(most_sweeps):
            still_to_do = self._sweep(self._more(most_sweeps))
        return self.is_settled

    def explain(self, most_sweeps: int, is_patient: bool) -> Circuit | None:
        """A circuit that keeps them from settling; None where they settle after all, or none is found in
        ``most_sweeps``. It is noted at once why they do not, unless it ``is_patient``."""
        while is_patient and self._may_settle(most_sweeps):
            self._sweep(self._more(most_sweeps))
        self.work[k.MOST_WORDS] = self.most_work
        return None if self.is_settled else self._noted(most_sweeps)

    def _sweep(self, more: int) -> int:
        """So many sweeps more; the words that each of them did in the mean."""
        from bnnsim.timing.streaming.solver.steady.kernels.sweep import sweep

        before, first = int(self.work[k.WORK_WORDS]), self.sweeps
        self.sweeps += more
        end = sweep(self.state, self.pace, self.dirty, self.work, first, self.sweeps)
        self.is_settled, self.is_stuck = end == k.SETTLED, end == k.STUCK
        return (int(self.work[k.WORK_WORDS]) - before) // more

    def _may_settle(self, most_sweeps: int) -> bool:
        most_sweeps = min(most_sweeps, SETTLING_SWEEPS)
        return not (self.is_settled or self.is_stuck or self._is_over(most_sweeps))

    def _more(self, most_sweeps: int) -> int:
        """Sweeps to do next."""
        return min(most_sweeps - self.sweeps, self.sweeps // 2)

    def _is_over(self, most_sweeps: int) -> bool:
        return self.sweeps >= most_sweeps or bool(self.work[k.WORK_WORDS] > self.work[k.MOST_WORDS])

    def _noted(self, most_sweeps: int) -> Circuit | None:
        from bnnsim.timing.streaming.solver.steady.kernels.trace import find_circuit, note_sweep

        units = len(self.state.unit)
        events, since = len(self.state.cycles) + units, 0
        causes, seen = np.zeros((events, 3), np.int64), np.full(events, -1, np.int64)
        hops = np.empty((min(events, MOST_HOPS) + 1, k.HOP), np.int64)
        while not self._is_over(most_sweeps):
            first = self.sweeps
            self.sweeps += self._more(most_sweeps)
            end = note_sweep(
                self.state, self.pace, causes, self.dirty, self.work, first, self.sweeps
            )
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
