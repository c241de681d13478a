"""Every way to a steady state gives the same: at once, behind a run, in windows of any size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import strategies as st

from bnnsim.design.build import build_streaming_design
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit, build_timing
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.result import DeadlockError, TimingResult
from bnnsim.timing.streaming.solver import layout
from bnnsim.timing.streaming.solver.solver import Solver
from bnnsim.timing.streaming.steady_state import api, watch
from bnnsim.timing.streaming.steady_state.api import steady_state

from .examples import few_or_all, hold
from .networks import design_graphs
from .pipelines import timing_graphs
from .timing.folded_layers import convolutions, folded_layers
from .timing.fork_joins import fork_joins


@pytest.mark.parametrize("examples", few_or_all(400))
@pytest.mark.parametrize("watched_frames", [1, watch.ENOUGH_FRAMES])
def test_a_run_that_goes_on_to_the_steady_state_is_the_same_run_and_finds_the_same(
    monkeypatch: pytest.MonkeyPatch, watched_frames: int, examples: int
) -> None:
    """Large frames are watched in a few only, perhaps in fewer than were asked for."""
    monkeypatch.setattr(watch, "ENOUGH_FRAMES", watched_frames)
    graphs = st.one_of(timing_graphs(), design_graphs())
    hold(_check_steady_run, graphs, st.integers(1, 40), examples=examples)


def _check_steady_run(graph: TimingGraph, frames: int) -> None:
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


@pytest.mark.parametrize("examples", few_or_all(600))
def test_an_interval_of_a_fork_and_join_is_what_late_frames_show(examples: int) -> None:
    hold(_late_frames_show_it, fork_joins(), st.just(20), examples=examples)


def _late_frames_show_it(graph: TimingGraph, later_frames: int) -> None:
    try:
        steady = steady_state(graph, max_frames=200)
    except DeadlockError:
        return
    if steady.period_frames is None or steady.warm_up_frames is None:
        return
    last = steady.warm_up_frames + 5 * steady.period_frames + later_frames
    solver = Solver(graph, 2 * last + 500)
    while solver.ended_frames < last:
        assert solver.next_window(solver.source_frames + 1)
    ends = solver.ends
    for frame in range(steady.warm_up_frames, len(ends) - steady.period_frames):
        assert ends[frame + steady.period_frames] - ends[frame] == steady.period_cycles


@pytest.mark.parametrize("examples", few_or_all(600))
def test_an_interval_holds_on_when_deep_fifos_fill_long_after_the_proof(examples: int) -> None:
    graphs = st.one_of(timing_graphs(), design_graphs(), fork_joins(), folded_layers(), convolutions())
    hold(_full_fifos_show_it, graphs, st.data(), examples=examples)


def _full_fifos_show_it(graph: TimingGraph, data: st.DataObject) -> None:
    """Some FIFOs hold hundreds of words, which frames of few words take hundreds of frames to fill."""
    depths = [data.draw(st.sampled_from([1, 1, 8, 40, 100, 300])) for _ in graph.channels]
    channels = tuple(
        one if one.falls_through else replace(one, depth_words=one.depth_words - 1 + depth)
        for one, depth in zip(graph.channels, depths, strict=True)
    )
    _late_frames_show_it(replace(graph, channels=channels), max(depths))


def test_a_join_does_not_wait_for_the_branch_that_is_ahead() -> None:
    """Both FIFOs behind the fork take thousands of frames to fill, and nothing hangs on when."""
    copy = Block(1, (Run(1, reads=True, writes=True),))
    units = (
        TimingUnit("source", Lockstep((Block(1, (Run(1, writes=True),)),), 0, True), (), (0, 1)),
        TimingUnit("slow", Lockstep((Block(1, (*copy.runs, Run(2))),), 0, True), (0,), (2,)),
        TimingUnit("join", Lockstep((copy,), 1, False), (1, 2), (3,)),
        TimingUnit("sink", Lockstep((Block(1, (Run(1, reads=True),)),), 0, True), (3,), ()),
    )
    channels = tuple(Channel(f"c{n}", depth) for n, depth in enumerate((5000, 9000, 1, 1)))
    steady = steady_state(TimingGraph(units, channels, (3,)))
    assert (steady.period_frames, steady.period_cycles) == (1, 3)
    assert steady.frames_simulated < 10


@pytest.mark.parametrize("depth", [6, 8, 16, 40])
def test_a_deep_fifo_beside_a_long_branch_sets_the_pace_of_large_frames_too(
    monkeypatch: pytest.MonkeyPatch, depth: int
) -> None:
    """The long branch is twenty frames behind. A FIFO of six frames is full long after the first frames,
    which look as if it never were."""
    copy = Block(1, (Run(1, reads=True, writes=True),))
    wait = Elastic(np.arange(1), np.array([-1]), latency=20)
    units = (
        TimingUnit("source", Lockstep((Block(1, (Run(1, writes=True),)),), 0, True), (), (0, 1)),
        *(TimingUnit(f"late{n}", wait, (0 if n == 0 else 2 + n,), (3 + n,)) for n in range(20)),
        TimingUnit("join", Lockstep((copy,), 0, True), (1, 22), (2,)),
        TimingUnit("sink", Lockstep((Block(1, (Run(1, reads=True),)),), 0, True), (2,), ()),
    )
    channels = tuple(Channel(f"c{n}", depth if n == 1 else 2) for n in range(23))
    graph = TimingGraph(units, channels, (len(units) - 1,))
    expected = steady_state(graph)
    monkeypatch.setattr(api, "FIRST_WORDS", 1)
    for fast in (False, True):
        found = steady_state(graph, fast=fast)
        assert found.interval == expected.interval
        assert found.latency_cycles == expected.latency_cycles


@pytest.mark.parametrize("examples", few_or_all(600))
def test_first_frames_that_take_less_memory_show_the_same(
    monkeypatch: pytest.MonkeyPatch, examples: int
) -> None:
    """What is tried where frames are large; here all are."""
    monkeypatch.setattr(api, "FIRST_WORDS", 1)
    graphs = st.one_of(timing_graphs(), design_graphs(), fork_joins(), folded_layers(), convolutions())
    hold(_full_fifos_show_it, graphs, st.data(), examples=examples)


def test_a_join_whose_branches_differ_by_a_whole_frame_gets_stuck() -> None:
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
    with pytest.raises(DeadlockError, match="deadlock"):
        steady_state(graph)


@pytest.mark.parametrize("examples", few_or_all(300))
def test_windows_smaller_than_a_frame_give_the_same_cycles(examples: int) -> None:
    """What a graph of very long frames is cut into; here all are."""
    graphs = st.one_of(timing_graphs(), design_graphs())
    hold(_same_in_small_windows, graphs, st.integers(1, 3), examples=examples)


def _same_in_small_windows(graph: TimingGraph, frames: int) -> None:
    def run() -> TimingResult | str:
        try:
            return run_compiled(graph, frames, extrapolate=False).result
        except DeadlockError as error:
            return str(error)

    expected = run()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "MOST_WINDOW_WORDS", 16)
        assert run() == expected


def test_a_built_accelerator_keeps_its_board_figures() -> None:
    graph = build_timing(
        build_streaming_design(load_architecture("pynq-cnv"), load_workload("cnv")).graph
    )
    steady = steady_state(graph)
    assert (steady.initiation_interval_cycles, steady.latency_cycles) == (32_768, 157_971)
