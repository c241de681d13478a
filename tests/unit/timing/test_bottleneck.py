"""What limits a pipeline, and what waits for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.simulation import simulate
from bnnsim.spec import load_architecture, load_workload
from bnnsim.timing.bottleneck import Bottleneck, Circuit
from bnnsim.timing.streaming import bottleneck
from bnnsim.timing.streaming.bottleneck import find_bottleneck, unlimited_interval
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.compiled_run import CompiledRun
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit, build_timing
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.timing.streaming.solver.ended_run import EndedRun, end_run
from bnnsim.timing.streaming.solver.solver import Solver
from bnnsim.timing.streaming.steady_state import watch
from bnnsim.timing.streaming.steady_state.api import MAX_FRAMES, steady_state
from tests.designs import SHIPPED_STREAMING
from tests.property.pipelines import timing_graphs

ENOUGH_FRAMES = 4
MANY_WORDS = 200
"""More than the random pipelines' frames and pipelines hold together."""


def _design(arch: str, workload: str) -> Design:
    return build_streaming_design(load_architecture(arch), load_workload(workload))


def _found(graph: TimingGraph) -> Bottleneck:
    found = find_bottleneck(graph, _settled(graph))
    assert found is not None
    return found


def _settled(graph: TimingGraph, max_frames: int = MAX_FRAMES) -> CompiledRun:
    return run_compiled(graph, 1, with_steady_state=True, max_frames=max_frames)


def _unit(
    name: str, runs: tuple[Run, ...], inputs: tuple[int, ...], outputs: tuple[int, ...]
) -> TimingUnit:
    return TimingUnit(name, Lockstep((Block(1, runs),), 0, True), inputs, outputs)


def _bursts(depth_words: int) -> TimingGraph:
    """A writer of eight words and a pause, and a reader that takes a word every second cycle.

    By itself each needs 16 cycles a frame: the writer's pause is hidden where the FIFO holds the words
    that the reader cannot take as fast as they come.
    """
    writer = _unit("writer", (Run(8, writes=True), Run(8)), (), (0,))
    reader = _unit("reader", (Run(1, reads=True), Run(1)) * 8, (0,), ())
    return TimingGraph((writer, reader), (Channel("between", depth_words),), (1,))


def test_pynq_cnv_is_limited_by_its_slowest_matrix_units_which_never_stall() -> None:
    found = _found(build_timing(_design("pynq-cnv", "cnv").graph))
    assert found.limited_by == "unit"
    assert (found.unit, found.equally_slow) == ("fc0.mvau", ("fc1.mvau",))
    assert (found.unit_cycles, found.unlimited_interval_cycles) == (32_768, 32_768)
    assert found.stalled_cycles == 0
    assert found.full_before[:2] == ("fc0.narrow->fc0.mvau", "conv5.widen->fc0.narrow")
    assert "fc2.mvau->sink" in found.empty_after
    assert found.text.startswith("fc0.mvau limits (and so does fc1.mvau): 32,768 cycles a frame, never")


@pytest.mark.parametrize(("arch", "workload"), SHIPPED_STREAMING)
def test_unlimited_interval_is_that_of_the_same_graph_with_very_deep_fifos(
    arch: str, workload: str
) -> None:
    design = _design(arch, workload)
    graph = build_timing(design.graph)
    deep = graph.with_depths({s.name: ENOUGH_FRAMES * s.words + 8 for s in design.graph.streams})
    assert unlimited_interval(graph) == steady_state(deep).interval


@given(timing_graphs())
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_no_fifo_depth_beats_the_unlimited_interval_and_deep_fifos_reach_it(graph: TimingGraph) -> None:
    unlimited = unlimited_interval(graph)
    deep = graph.with_depths({c.name: MANY_WORDS for c in graph.channels if not c.falls_through})
    assert steady_state(deep).interval == unlimited
    try:
        settled = _settled(graph, max_frames=200)
    except DeadlockError:
        return
    found, steady = find_bottleneck(graph, settled), settled.steady_state
    if found is not None and steady is not None and steady.interval is not None:
        assert steady.interval >= unlimited
        assert found.limited_by == ("unit" if steady.interval == unlimited else "fifos")


@pytest.mark.parametrize(("arch", "workload"), SHIPPED_STREAMING)
def test_a_unit_limits_exactly_where_its_own_cycles_are_the_interval(arch: str, workload: str) -> None:
    graph = build_timing(_design(arch, workload).graph)
    found, steady = _found(graph), steady_state(graph)
    assert found.interval_cycles == steady.initiation_interval_cycles
    assert (found.limited_by == "unit") == (found.unit_cycles == found.interval_cycles)
    assert found.stalled_cycles <= found.interval_cycles - found.unit_cycles
    names = {channel.name for channel in graph.channels}
    assert {*found.full_before, *found.empty_after, *found.blocking} <= names


def test_a_burst_in_a_shallow_fifo_is_named_as_what_limits() -> None:
    found = _found(_bursts(1))
    assert found.limited_by == "fifos"
    assert found.blocking == ("between",)
    assert found.unlimited_interval_cycles == 16 < found.interval_cycles
    assert "deeper FIFOs help (bnnsim fifos)" in found.text
    assert "between is full while the writer waits" in found.text


def test_the_same_burst_in_a_deep_fifo_is_limited_by_its_units() -> None:
    found = _found(_bursts(8))
    assert (found.limited_by, found.unit, found.equally_slow) == ("unit", "writer", ("reader",))
    assert (found.interval_cycles, found.blocking) == (16, ())


def test_shallow_fifos_of_a_whole_design_are_what_limits_it() -> None:
    design = _design("digits-7z020", "digits")
    graph = build_timing(design.graph).with_depths({s.name: 1 for s in design.graph.streams})
    found = _found(graph)
    assert found.limited_by == "fifos"
    assert found.unlimited_interval_cycles == found.unit_cycles == 356
    assert found.interval_cycles == steady_state(graph).initiation_interval_cycles
    assert found.stalled_cycles == found.interval_cycles - 356


def test_a_fast_unit_behind_a_slow_one_leaves_its_fifo_empty() -> None:
    slow = _unit("slow", (Run(1, writes=True), Run(9)), (), (0,))
    fast = _unit("fast", (Run(1, reads=True, writes=True),), (0,), (1,))
    sink = _unit("sink", (Run(1, reads=True),), (1,), ())
    found = _found(TimingGraph((slow, fast, sink), (Channel("a", 4), Channel("b", 4)), (2,)))
    assert (found.unit, found.empty_after, found.full_before) == ("slow", ("a", "b"), ())


def test_a_slow_unit_behind_a_fast_one_leaves_its_fifo_full() -> None:
    source = _unit("source", (Run(1, writes=True),), (), (0,))
    fast = _unit("fast", (Run(1, reads=True, writes=True),), (0,), (1,))
    slow = _unit("slow", (Run(1, reads=True), Run(9)), (1,), ())
    found = _found(TimingGraph((source, fast, slow), (Channel("a", 3), Channel("b", 2)), (2,)))
    assert (found.unit, found.full_before, found.empty_after) == ("slow", ("b", "a"), ())


def test_a_register_slice_is_reported_as_its_unit() -> None:
    inside = TimingUnit(
        "unit.queue", Lockstep((Block(1, (Run(1, True, True),)),), 0, True), (1,), (2,), "unit"
    )
    source = _unit("source", (Run(1, writes=True),), (), (0,))
    unit = _unit("unit", (Run(1, reads=True), Run(8), Run(1, writes=True)), (0,), (1,))
    sink = _unit("sink", (Run(1, reads=True),), (2,), ())
    channels = (Channel("in", 2), Channel("unit.queue", 1, True), Channel("out", 2))
    found = _found(TimingGraph((source, unit, inside, sink), channels, (3,)))
    assert (found.unit, found.full_before, found.empty_after) == ("unit", ("in",), ("out",))


def test_where_the_interval_is_not_proven_nothing_is_named() -> None:
    settled = _settled(_bursts(1), max_frames=1)
    assert settled.steady_state is not None and settled.steady_state.interval is None
    assert settled.watched is None
    assert find_bottleneck(_bursts(1), settled) is None


def test_a_run_that_did_not_go_on_to_its_steady_state_names_nothing() -> None:
    assert find_bottleneck(_bursts(1), run_compiled(_bursts(1), 1)) is None


@given(timing_graphs())
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_what_the_runs_own_machine_shows_is_what_a_fresh_one_shows(graph: TimingGraph) -> None:
    _hold_against_a_fresh_machine(graph)


@given(timing_graphs())
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_of_large_frames_fewer_are_run_and_the_same_is_seen(graph: TimingGraph) -> None:
    """Where the second frame leaves the state of the first, the third is known without a run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "ENOUGH_WORDS", 1)
        _hold_against_a_fresh_machine(graph)
        try:
            seen = _settled(graph, max_frames=200).watched
        except DeadlockError:
            return
        patch.setattr(watch, "_is_first_repeated", lambda *_: False)
        assert _settled(graph, max_frames=200).watched == seen


def test_a_second_frame_like_the_first_is_the_last_that_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[int] = []

    def noted(solver: Solver, frames: int) -> EndedRun:
        run.append(frames)
        solver.advance(frames)
        return end_run(solver, frames)

    monkeypatch.setattr(watch, "ENOUGH_WORDS", 1)
    monkeypatch.setattr(watch, "_end_run", noted)
    seen = _settled(_bursts(8)).watched
    assert seen is not None and (seen.frames, run) == (3, [2])


def _hold_against_a_fresh_machine(graph: TimingGraph) -> None:
    try:
        settled = _settled(graph, max_frames=200)
    except DeadlockError:
        return
    seen, steady = settled.watched, settled.steady_state
    if seen is None or steady is None:
        return
    period = steady.period_frames
    assert period is not None
    later, earlier = (
        run_compiled(graph, frames, extrapolate=False).result
        for frames in (seen.frames, seen.frames - period)
    )
    assert later.cycles_total - earlier.cycles_total == steady.period_cycles
    assert seen.stalled == tuple(
        b.stalled_on_input + b.stalled_on_output - a.stalled_on_input - a.stalled_on_output
        for a, b in zip(earlier.units, later.units, strict=True)
    )
    depths = [channel.depth_words for channel in graph.channels]
    assert seen.is_full == tuple(
        words >= depth for words, depth in zip(later.max_occupancy_words, depths, strict=True)
    )


def test_an_elastic_unit_that_limits_sets_the_pace_by_itself() -> None:
    """A word in and one out, six cycles after it, and the next word is taken a cycle after that."""
    source = _unit("source", (Run(4, writes=True),), (), (0,))
    slow = TimingUnit("slow", Elastic(np.arange(4), np.arange(4) - 1, latency=6), (0,), (1,))
    sink = _unit("sink", (Run(4, reads=True),), (1,), ())
    graph = TimingGraph((source, slow, sink), (Channel("in", 8), Channel("out", 8)), (2,))
    found = _found(graph)
    assert (found.limited_by, found.unit, found.interval_cycles) == ("unit", "slow", 4 * 7)
    assert found.pace == Circuit(("slow",), (), "slow", 28, 1)


def test_where_a_unit_limits_no_circuit_is_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: TimingGraph) -> None:
        raise AssertionError("the unit is known to be the circuit")

    monkeypatch.setattr(bottleneck, "find_bounds", refused)
    found = simulate("digits-7z020", "digits", timing_only=True).bottleneck
    assert found is not None and found.limited_by == "unit"
    assert found.pace == Circuit(("conv0.window",), (), "conv0.window", 356, 1)


def test_a_simulation_carries_its_bottleneck() -> None:
    found = simulate("digits-7z020", "digits", timing_only=True)
    assert found.bottleneck is not None
    data = found.to_json()["bottleneck"]
    assert data["unit"] == "conv0.window" and data["unit_cycles"] == 356
    assert data["text"] == found.bottleneck.text
    engine = simulate("fracbnn", "fracbnn-cifar10", timing_only=True)
    assert engine.bottleneck is not None and engine.bottleneck.unit == "conv_tile"
