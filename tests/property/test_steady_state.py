"""Every way to a pipeline's steady state gives the same: at once, by the retimed graph, behind a run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bnnsim.design.build import build_streaming_design
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit, build_timing
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run, step_flags
from bnnsim.timing.streaming.programs.view import active_before, rotated_view, step_of
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.timing.streaming.steady_state.api import steady_state
from bnnsim.timing.streaming.steady_state.retiming import retimed_graph

from .examples import few_or_all, hold
from .networks import design_graphs
from .pipelines import timing_graphs


def _same(graph: TimingGraph) -> None:
    try:
        steady = steady_state(graph, max_frames=200)
    except DeadlockError:
        with pytest.raises(DeadlockError, match="deadlock: nothing moves after cycle"):
            steady_state(graph, max_frames=200, fast=True)
        return
    fast = steady_state(graph, max_frames=200, fast=True)
    assert fast.latency_cycles == steady.latency_cycles
    if steady.initiation_interval_cycles is not None:
        assert fast.initiation_interval_cycles == steady.initiation_interval_cycles


@pytest.mark.parametrize("examples", few_or_all(300))
def test_the_fast_figures_are_those_of_the_whole_steady_state(examples: int) -> None:
    hold(_same, st.one_of(timing_graphs(), design_graphs()), examples=examples)


@pytest.mark.parametrize("examples", few_or_all(300))
def test_a_retimed_pipeline_has_the_figures_of_the_whole_steady_state(examples: int) -> None:
    hold(_same_when_retimed, timing_graphs(branches=False), examples=examples)


def _same_when_retimed(graph: TimingGraph) -> None:
    retimed = retimed_graph(graph)
    assume(retimed is not None)
    assert retimed is not None
    for unit in retimed.units:
        assert isinstance(unit.program, Elastic) or unit.program.pipeline_depth <= 1
    _same(graph)


@given(st.one_of(timing_graphs(), design_graphs()), st.integers(1, 40))
@settings(max_examples=150)
def test_a_run_that_goes_on_to_the_steady_state_is_the_same_run_and_finds_the_same(
    graph: TimingGraph, frames: int
) -> None:
    try:
        steady = steady_state(graph, max_frames=200)
    except DeadlockError:
        with pytest.raises(DeadlockError, match="deadlock: nothing moves after cycle"):
            run_compiled(graph, frames, with_steady_state=True, max_frames=200)
        return
    run = run_compiled(graph, frames, with_steady_state=True, max_frames=200)
    assert run.steady_state == steady
    assert replace(run, steady_state=None, watched=None) == run_compiled(graph, frames, max_frames=200)


def test_a_steady_state_is_not_found_where_nothing_is_extrapolated() -> None:
    source = TimingUnit("source", Lockstep((Block(1, (Run(1, writes=True),)),), 0, True), (), (0,))
    sink = TimingUnit("sink", Lockstep((Block(1, (Run(1, reads=True),)),), 0, True), (0,), ())
    graph = TimingGraph((source, sink), (Channel("wire", 1),), (1,))
    with pytest.raises(ValueError, match="extrapolate is off"):
        run_compiled(graph, 1, extrapolate=False, with_steady_state=True)


@st.composite
def fork_joins(draw: st.DrawFn) -> TimingGraph:
    """A fork, two branches of up to three units, a join: few words a frame, pipelines of many frames."""
    words = draw(st.integers(1, 3))

    def program(reads: bool = True, writes: bool = True) -> Lockstep:
        idle = draw(st.integers(0, 3))
        runs = (Run(1, reads, writes), *([Run(idle)] if idle else []))
        prologue: tuple[Block, ...] = ()
        if reads and writes and draw(st.integers(0, 5)) == 0:
            prologue = (Block(draw(st.integers(1, 2 * words)), (Run(1, reads=True),)),)
        depth = draw(st.integers(0, 4)) if draw(st.booleans()) else draw(st.integers(0, 14))
        return Lockstep((Block(words, runs),), depth, True, prologue=prologue)

    channels: list[Channel] = []

    def wire() -> int:
        channels.append(Channel(f"c{len(channels)}", draw(st.integers(1, 2)) * draw(st.integers(1, 6))))
        return len(channels) - 1

    source, left, right = wire(), wire(), wire()
    units = [
        TimingUnit("source", program(reads=False), (), (source,)),
        TimingUnit("fork", program(), (source,), (left, right)),
    ]
    ends = []
    for branch in (left, right):
        end = branch
        for _ in range(draw(st.integers(0, 3))):
            behind = wire()
            units.append(TimingUnit(f"u{len(units)}", program(), (end,), (behind,)))
            end = behind
        ends.append(end)
    out = wire()
    units.append(TimingUnit("join", program(), (ends[0], ends[1]), (out,)))
    units.append(TimingUnit("sink", program(writes=False), (out,), ()))
    return TimingGraph(tuple(units), tuple(channels), (len(units) - 1,))


@pytest.mark.parametrize("examples", few_or_all(600))
def test_branches_that_hold_back_different_frames_are_not_taken_for_equal(examples: int) -> None:
    hold(_same, fork_joins(), examples=examples)


def test_a_join_whose_branches_differ_by_a_whole_frame_is_not_retimed() -> None:
    one = Lockstep((Block(1, (Run(1, True, True), Run(1))),), 0, True)
    deep = Lockstep(one.blocks, 2, True)  # two steps a frame: it holds back one
    units = (
        TimingUnit("source", Lockstep((Block(1, (Run(1, writes=True), Run(1))),), 0, True), (), (0,)),
        TimingUnit("fork", one, (0,), (1, 2)),
        TimingUnit("late", deep, (1,), (3,)),
        TimingUnit("join", one, (3, 2), (4,)),
        TimingUnit("sink", Lockstep((Block(1, (Run(1, reads=True),)),), 0, True), (4,), ()),
    )
    graph = TimingGraph(units, tuple(Channel(f"c{n}", 1) for n in range(5)), (4,))
    assert retimed_graph(graph) is None
    with pytest.raises(DeadlockError, match="deadlock"):
        steady_state(graph, fast=True)


@given(timing_graphs(branches=False), st.data())
@settings(max_examples=100)
def test_a_rotated_view_has_the_frames_active_steps_in_their_new_places(
    graph: TimingGraph, data: st.DataObject
) -> None:
    programs = [u.program for u in graph.units if isinstance(u.program, Lockstep)]
    program = data.draw(st.sampled_from([p for p in programs if not p.has_lead]))
    first = data.draw(st.integers(0, program.steps - 1))
    for view, flags in zip((program.reading, program.writing), step_flags(program.blocks), strict=True):
        rotated = rotated_view(view, first)
        expected = [*flags[first:], *flags[:first]]
        for step in range(program.steps):
            assert active_before(rotated, step) == sum(expected[:step])
        places = [step for step, active in enumerate(expected) if active]
        assert [step_of(rotated, number) for number in range(len(places))] == places


def test_a_built_accelerator_is_retimed_and_keeps_its_board_figures() -> None:
    graph = build_timing(
        build_streaming_design(load_architecture("pynq-cnv"), load_workload("cnv")).graph
    )
    assert retimed_graph(graph) is not None
    fast = steady_state(graph, fast=True)
    assert (fast.initiation_interval_cycles, fast.latency_cycles) == (32_768, 157_971)
