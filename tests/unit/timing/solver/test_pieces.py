"""Pieces of pipelines, and circuits that show in them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.solver.steady import certificate
from bnnsim.timing.streaming.solver.steady.certificate import find_bounds
from bnnsim.timing.streaming.solver.steady.pieces import around, piece


def _steps(words: int, reads: bool, writes: bool, idle: int = 0, depth: int = 0) -> Lockstep:
    """So many words a frame, each behind so many idle steps."""
    runs = (Run(idle), Run(1, reads, writes)) if idle else (Run(1, reads, writes),)
    return Lockstep((Block(words, runs),), depth, freezes=False)


def _chain(*words: tuple[int, int], depth_words: int = 1, depth: int = 0) -> TimingGraph:
    """A source, units of (words, idle steps a word), and a sink."""
    count = len(words)
    units = [TimingUnit("source", _steps(words[0][0], False, True), (), (0,))]
    for number, (each, idle) in enumerate(words):
        program = _steps(each, True, True, idle, depth)
        units.append(TimingUnit(f"u{number}", program, (number,), (number + 1,)))
    units.append(TimingUnit("sink", _steps(words[-1][0], True, False), (count,), ()))
    channels = tuple(Channel(f"c{n}", depth_words) for n in range(count + 1))
    return TimingGraph(tuple(units), channels, (count + 1,))


def test_the_units_around_one_are_the_nearest_that_fit() -> None:
    """Words a frame: source 4, then 8 in each unit (4 in, 4 out), sink 4."""
    graph = _chain((4, 0), (4, 3), (4, 0))
    assert around(graph, 2, 1, 1000) == (1, 2, 3)
    assert around(graph, 2, 2, 1000) == (0, 1, 2, 3, 4)
    assert around(graph, 2, 2, 16) == (1, 2)
    assert around(graph, 3, 1, 12) == (3, 4)  # the smaller neighbour fits
    assert around(graph, 2, 2, 7) == ()


def test_a_piece_has_benches_where_it_is_cut() -> None:
    graph = _chain((4, 0), (4, 3), (4, 0), depth_words=3)
    cut = piece(graph, (2, 3))
    assert [unit.name for unit in cut.units] == ["u1", "u2"]
    assert cut.units[0].inputs == (0,) and cut.units[1].inputs == cut.units[0].outputs == (1,)
    assert cut.channels == (
        Channel("c1", 3, supplies=True),
        Channel("c2", 3),
        Channel("c3", 3, ready_every=1),
    )


def test_what_a_piece_takes_the_whole_takes() -> None:
    """A word of the slowest unit takes 4 steps, which its neighbours' single places do not make longer;
    two cycles a word is what any two units of these need."""
    graph = _chain((4, 0), (4, 3), (4, 0))
    pair = find_bounds(piece(graph, (0, 1)))
    whole = find_bounds(graph)
    assert pair is not None and whole is not None
    assert (pair.circuit.ratio, pair.is_exact) == (8, True)
    assert (whole.circuit.ratio, whole.is_exact) == (16, True)


def test_an_elastic_unit_s_own_words_are_its_pace() -> None:
    """A word is taken when the one before has left, two cycles after that was taken: three a word."""
    program = Elastic(np.arange(3), np.arange(3) - 1, latency=2)
    channels = (Channel("in", 1, supplies=True), Channel("out", 1, ready_every=1))
    found = find_bounds(TimingGraph((TimingUnit("u", program, (0,), (1,)),), channels, (0,)))
    assert found is not None and found.is_exact
    assert (found.circuit.units, found.circuit.ratio) == (("u",), 9)


def test_a_circuit_beside_the_slowest_unit_shows_before_the_whole_is_swept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three words through a FIFO of one take two cycles each; all other FIFOs are deep."""
    swept: list[tuple[int, Fraction]] = []
    search = certificate._Search

    def note(*arguments: Any) -> object:
        swept.append((len(arguments[0].units), arguments[2]))
        return search(*arguments)

    monkeypatch.setattr(certificate, "_Search", note)
    gather = Lockstep((Block(1, (Run(2, reads=True), Run(1, True, True))),), 0, True)
    scatter = Lockstep((Block(1, (Run(1, True, True), Run(2, writes=True))),), 0, True)
    programs = (gather, _steps(1, True, True, depth=3), scatter, _steps(3, True, True))
    units = [TimingUnit("source", _steps(3, False, True), (), (0,))]
    units += [TimingUnit(f"u{n}", one, (n,), (n + 1,)) for n, one in enumerate(programs)]
    units.append(TimingUnit("sink", _steps(3, True, False), (4,), ()))
    channels = (Channel("c0", 1), *(Channel(f"c{n}", 32) for n in range(1, 5)))
    found = find_bounds(TimingGraph(tuple(units), channels, (5,)))
    assert found is not None and found.is_exact
    assert (found.circuit.units, found.circuit.ratio) == (("source", "u0"), 6)
    assert swept[0] == (3, 3)
    assert [period for units, period in swept if units == 6] == [6]
