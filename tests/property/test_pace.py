"""The quick way to a pipeline's figures gives what the long one gives."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bnnsim.design import build_design
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing.graph import TimingGraph, build_timing
from bnnsim.timing.pace import find_pace
from bnnsim.timing.program import Elastic, Lockstep, step_flags
from bnnsim.timing.result import DeadlockError
from bnnsim.timing.steady import analyse
from bnnsim.timing.turned import active_before, step_of, turned_graph, turned_view

from .networks import design_graphs
from .pipelines import timing_graphs

exactly = settings(
    derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False
)


def _same(graph: TimingGraph) -> None:
    try:
        steady = analyse(graph, max_frames=200)
    except DeadlockError:
        with pytest.raises(DeadlockError, match="deadlock: nothing moves after cycle"):
            find_pace(graph, max_frames=200)
        return
    pace = find_pace(graph, max_frames=200)
    assert pace.latency_cycles == steady.latency_cycles
    if steady.initiation_interval_cycles is not None:
        assert pace.initiation_interval_cycles == steady.initiation_interval_cycles


@given(st.one_of(timing_graphs(), design_graphs()))
@settings(exactly, max_examples=300)
def test_pace_is_that_of_the_steady_state(graph: TimingGraph) -> None:
    _same(graph)


@given(timing_graphs(branches=False))
@settings(exactly, max_examples=300)
def test_pace_of_turned_pipelines_is_that_of_the_steady_state(graph: TimingGraph) -> None:
    turned = turned_graph(graph)
    assume(turned is not None)
    assert turned is not None
    for unit in turned.units:
        assert isinstance(unit.program, Elastic) or unit.program.pipeline_depth <= 1
    _same(graph)


@given(timing_graphs(branches=False), st.data())
@settings(exactly, max_examples=100)
def test_a_turned_view_has_the_frames_active_steps_in_their_new_places(
    graph: TimingGraph, data: st.DataObject
) -> None:
    programs = [u.program for u in graph.units if isinstance(u.program, Lockstep)]
    program = data.draw(st.sampled_from([p for p in programs if not p.has_lead]))
    first = data.draw(st.integers(0, program.steps - 1))
    for view, flags in zip((program.reading, program.writing), step_flags(program.blocks), strict=True):
        turned = turned_view(view, first)
        expected = [*flags[first:], *flags[:first]]
        for step in range(program.steps):
            assert active_before(turned, step) == sum(expected[:step])
        places = [step for step, active in enumerate(expected) if active]
        assert [step_of(turned, number) for number in range(len(places))] == places


def test_a_built_accelerator_is_turned_and_keeps_its_board_figures() -> None:
    graph = build_timing(build_design(load_architecture("pynq-cnv"), load_workload("cnv")).graph)
    assert turned_graph(graph) is not None
    pace = find_pace(graph)
    assert (pace.initiation_interval_cycles, pace.latency_cycles) == (32_768, 157_971)
