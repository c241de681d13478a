"""The interval that a periodic schedule and a circuit prove is the one that frames show."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import strategies as st

from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.timing.streaming.solver.kernels.records import NEVER
from bnnsim.timing.streaming.solver.steady.certificate import find_bounds
from bnnsim.timing.streaming.solver.steady.pieces import around, piece
from bnnsim.timing.streaming.steady_state.api import steady_state
from tests.property.examples import few_or_all, hold
from tests.property.networks import design_graphs
from tests.property.pipelines import bench_graphs, timing_graphs

from .folded_layers import convolutions, folded_layers
from .fork_joins import fork_joins

WARM_UP = 40
"""Frames after which the small pipelines here repeat themselves."""
LONGEST_PERIOD = 24


def is_maximum(graph: TimingGraph) -> bool:
    """Whether all cycles are maxima of others plus constants."""
    programs = [unit.program for unit in graph.units]
    return all(isinstance(p, Elastic) or p.freezes or p.pipeline_depth <= 1 for p in programs)


def _proven(graph: TimingGraph, is_small: bool) -> None:
    found = find_bounds(graph)
    try:
        interval = steady_state(graph, max_frames=200).interval
    except DeadlockError:
        assert found is None or not found.is_exact
        return
    if any(channel.ready_every > 1 for channel in graph.channels):
        assert found is None
        return
    assert found is not None
    assert found.is_exact or not is_maximum(graph) or not is_small
    if interval is not None:
        assert found.circuit.ratio == interval or not found.is_exact
        assert found.circuit.ratio <= interval


@pytest.mark.parametrize("examples", few_or_all(3000))
def test_bounds_hold_and_are_exact_where_cycles_are_maxima(examples: int) -> None:
    graphs = (timing_graphs(may_flush=False), timing_graphs(), fork_joins(), bench_graphs())
    hold(_proven, st.one_of(*graphs), st.just(True), examples=examples)


@pytest.mark.parametrize("examples", few_or_all(1000))
def test_bounds_hold_of_whole_designs(examples: int) -> None:
    hold(_proven, design_graphs(), st.just(False), examples=examples)


@pytest.mark.parametrize("examples", few_or_all(2000))
def test_bounds_hold_of_layers_that_hold_each_other_up(examples: int) -> None:
    graphs = st.one_of(folded_layers(), convolutions())
    hold(_proven, graphs, st.just(False), examples=examples)


def _pieces_hold(graph: TimingGraph, hops: int) -> None:
    """No piece takes longer than the whole."""
    try:
        interval = steady_state(graph, max_frames=200).interval
    except DeadlockError:
        return
    for unit in range(len(graph.units) if interval is not None else 0):
        found = find_bounds(piece(graph, around(graph, unit, hops, NEVER)))
        assert found is None or found.circuit.ratio <= interval


@pytest.mark.parametrize("examples", few_or_all(1000))
def test_no_piece_of_a_pipeline_takes_longer_than_the_whole(examples: int) -> None:
    graphs = st.one_of(timing_graphs(), design_graphs(), fork_joins(), folded_layers(), convolutions())
    hold(_pieces_hold, graphs, st.integers(0, 3), examples=examples)


def _same_fast(graph: TimingGraph) -> None:
    try:
        steady = steady_state(graph, max_frames=200)
    except DeadlockError:
        with pytest.raises(DeadlockError, match="deadlock: nothing moves after cycle"):
            steady_state(graph, fast=True, max_frames=200)
        return
    fast = steady_state(graph, fast=True, max_frames=200)
    assert fast.latency_cycles == steady.latency_cycles
    if steady.interval is not None:
        assert fast.interval == steady.interval


@pytest.mark.parametrize("examples", few_or_all(300))
def test_the_fast_figures_are_those_of_the_whole_steady_state(examples: int) -> None:
    graphs = st.one_of(timing_graphs(), design_graphs(), fork_joins(), folded_layers(), convolutions())
    hold(_same_fast, graphs, examples=examples)


def _held_frames(graph: TimingGraph) -> int:
    """Frames that pipelines and FIFOs can hold, which a run's end lets out at another pace."""
    held = 1
    for unit in graph.units:
        program = unit.program
        if isinstance(program, Lockstep):
            held += 1 + program.pipeline_depth // program.steps
            held += program.words_ahead // program.words_in if unit.inputs else 0
        held += sum(1 + graph.channels[c].depth_words // program.words_out for c in unit.outputs)
    return held


def _shown_by_simpy(graph: TimingGraph) -> None:
    found = find_bounds(graph)
    late = WARM_UP + LONGEST_PERIOD
    try:
        ends = run_simpy(graph, late + _held_frames(graph)).frame_end_cycles
    except DeadlockError:
        assert found is None or not found.is_exact
        return
    assert found is not None
    periods = range(1, LONGEST_PERIOD + 1)
    shown = [Fraction(ends[late] - ends[late - p], p) == found.circuit.ratio for p in periods]
    assert any(shown) or not found.is_exact


@pytest.mark.parametrize(
    "examples",
    [30, pytest.param(300, marks=pytest.mark.long), pytest.param(1000, marks=pytest.mark.by_hand)],
)
def test_frames_that_simpy_runs_are_as_far_apart_as_certified(examples: int) -> None:
    graphs = st.one_of(timing_graphs(), fork_joins(), folded_layers(), convolutions())
    hold(_shown_by_simpy, graphs, examples=examples)
