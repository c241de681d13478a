"""The compiled executor is SimPy's equal: every word's time, every account, every occupancy.

SimPy itself is held against a clock-by-clock loop in ``test_simpy_is_exact.py``.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.compiled_run import UnprovenError
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.timing.streaming.solver import solver
from bnnsim.timing.streaming.steady_state.api import steady_state

from .examples import few_or_all, hold
from .networks import design_graphs
from .observed import SimpyRun, observe_simpy
from .pipelines import bench_graphs, timing_graphs
from .timing.folded_layers import convolutions, folded_layers


def _reference(graph: TimingGraph, frames: int) -> SimpyRun | DeadlockError:
    try:
        return observe_simpy(graph, frames)
    except DeadlockError as error:
        return error


def _check_word_for_word(graph: TimingGraph, frames: int) -> None:
    expected = _reference(graph, frames)
    names = [channel.name for channel in graph.channels]
    if isinstance(expected, DeadlockError):
        with pytest.raises(DeadlockError, match="deadlock: nothing moves after cycle") as caught:
            run_compiled(graph, frames, extrapolate=False)
        assert caught.value.cycle == expected.cycle
        assert caught.value.waiting == expected.waiting
        assert caught.value.occupancy == expected.occupancy
        return
    run = run_compiled(graph, frames, extrapolate=False, channels=names)
    assert run.result.cycles_total == expected.result.cycles_total
    assert tuple(run.result.frame_end_cycles) == expected.result.frame_end_cycles
    assert run.result.units == expected.result.units
    assert run.result.max_occupancy_words == expected.result.max_occupancy_words
    for position, name in enumerate(names):
        words = run.word_cycles[name]
        assert tuple(words.written.tolist()) == expected.write_cycles[position], name
        assert tuple(words.read.tolist()) == expected.read_cycles[position], name


@pytest.mark.parametrize("examples", few_or_all(1400))
def test_compiled_equals_simpy_word_for_word_on_random_pipelines(examples: int) -> None:
    graphs = st.one_of(timing_graphs(), folded_layers(), convolutions())
    hold(_check_word_for_word, graphs, st.integers(1, 4), examples=examples)


@pytest.mark.parametrize("examples", few_or_all(400))
def test_compiled_equals_simpy_where_nothing_is_guessed(
    monkeypatch: pytest.MonkeyPatch, examples: int
) -> None:
    monkeypatch.setattr(solver, "MOST_EVALUATIONS", 0)
    graphs = st.one_of(timing_graphs(), bench_graphs(), design_graphs())
    hold(_check_word_for_word, graphs, st.integers(1, 3), examples=examples)


@pytest.mark.parametrize("examples", few_or_all(250))
def test_nothing_guessed_comes_to_the_same_steady_state(
    monkeypatch: pytest.MonkeyPatch, examples: int
) -> None:
    def check(graph: TimingGraph) -> None:
        try:
            with monkeypatch.context() as patch:
                patch.setattr(solver, "MOST_EVALUATIONS", 0)
                found = steady_state(graph, max_frames=64)
        except DeadlockError as error:
            with pytest.raises(DeadlockError, match=re.escape(str(error))):
                steady_state(graph, max_frames=64)
            return
        assert found == steady_state(graph, max_frames=64)

    hold(check, st.one_of(timing_graphs(), design_graphs()), examples=examples)


@pytest.mark.parametrize("examples", few_or_all(300))
def test_compiled_equals_simpy_word_for_word_on_test_benches(examples: int) -> None:
    hold(_check_word_for_word, bench_graphs(), st.integers(1, 3), examples=examples)


@pytest.mark.parametrize("examples", few_or_all(400))
def test_compiled_equals_simpy_word_for_word_on_random_designs(examples: int) -> None:
    hold(_check_word_for_word, design_graphs(), st.integers(1, 3), examples=examples)


@pytest.mark.parametrize("examples", few_or_all(250))
def test_extrapolated_frames_end_in_the_cycles_that_simulation_gives(examples: int) -> None:
    graphs = st.one_of(timing_graphs(), design_graphs())
    hold(_check_extrapolation, graphs, st.integers(5, 60), examples=examples)


def _check_extrapolation(graph: TimingGraph, frames: int) -> None:
    try:
        expected = run_compiled(graph, frames, extrapolate=False)
    except DeadlockError:
        return
    try:
        run = run_compiled(graph, frames)
    except UnprovenError:
        return
    assert run.result.cycles_total == expected.result.cycles_total
    assert tuple(run.result.frame_end_cycles) == tuple(expected.result.frame_end_cycles)
    if run.counted_frames == frames:
        assert run.result.units == expected.result.units
        assert run.result.max_occupancy_words == expected.result.max_occupancy_words


@given(st.one_of(timing_graphs(), design_graphs()))
@settings(max_examples=80)
def test_a_proven_interval_is_the_spacing_far_later(graph: TimingGraph) -> None:
    from bnnsim.timing.streaming.steady_state.api import steady_state

    try:
        steady = steady_state(graph, max_frames=200)
    except DeadlockError:
        return
    if steady.period_frames is None or steady.warm_up_frames is None:
        return
    # The last frames of a run come out of FIFOs that empty: far fewer than a hundred here.
    steady_frames = steady.warm_up_frames + 8 * steady.period_frames
    run = run_compiled(graph, steady_frames + 100, extrapolate=False)
    ends = run.result.frame_end_cycles
    for frame in range(steady.warm_up_frames, steady_frames):
        assert ends[frame + steady.period_frames] - ends[frame] == steady.period_cycles
