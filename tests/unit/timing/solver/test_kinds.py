"""Each kind of unit on an example worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Elastic
from bnnsim.timing.streaming.programs.steps import Run
from bnnsim.timing.streaming.solver.ended_run import EndedRun, end_run
from bnnsim.timing.streaming.solver.kernels.records import BOUND, FLUSHING
from bnnsim.timing.streaming.solver.solver import Solver
from tests.property.clockwork import run_clockwork

from .small_graphs import EVERY_CYCLE, EVERY_THIRD_CYCLE, into_open, into_sink, program


def _solver(graph: TimingGraph) -> Solver:
    return Solver(graph, 1, has_counts=True, logged=range(len(graph.channels)))


def _run(graph: TimingGraph) -> EndedRun:
    return end_run(_solver(graph), 1)


def _written(solver: Solver, channel: int) -> list[int]:
    return [int(cycle) for part in solver.logs[channel][0] for cycle in part]


def _read(solver: Solver, channel: int) -> list[int]:
    return [int(cycle) for part in solver.logs[channel][1] for cycle in part]


def test_a_freezing_pipeline_stands_still_while_its_word_has_no_space() -> None:
    source = program(Run(1, writes=True), repeat=3, stages=2)
    run = _run(into_sink(source, EVERY_THIRD_CYCLE, depth_words=1))
    # Word 0 leaves two ticks behind step 0 and can be read a cycle later, one later than wanted. The
    # space of each word is free in the cycle after the one before was read.
    assert _written(run.solver, 0) == [2, 4, 7]
    assert _read(run.solver, 0) == [3, 6, 9]
    source_cycles, sink_cycles = run.units
    assert (source_cycles.busy, source_cycles.stalled_on_output) == (3, 1 + 2)
    assert (sink_cycles.busy, sink_cycles.stalled_on_input) == (3, 1)
    assert run.cycles_total == 10


@pytest.mark.parametrize(("freezes", "leaves"), [(True, [7, 8]), (False, [5, 8])])
def test_only_a_flushing_pipeline_lets_a_word_go_on_while_the_next_is_missing(
    freezes: bool, leaves: list[int]
) -> None:
    source = program(Run(1, writes=True), Run(2), repeat=2)  # in cycles 0 and 3
    unit = program(Run(1, reads=True, writes=True), repeat=2, stages=4, freezes=freezes)
    run = _run(into_open(source, unit, depth_words=2))
    assert _written(run.solver, 0) == [0, 3]
    assert _read(run.solver, 0) == [1, 4]
    # Step 0 is done in cycle 1, step 1 in cycle 4. Frozen, ticks 1 to 3 come only then.
    assert _written(run.solver, 1) == leaves
    assert run.units[1].stalled_on_input == 1 + 2


def test_a_flushing_pipeline_whose_exit_is_blocked_takes_words_until_then() -> None:
    source = program(Run(1, writes=True), repeat=3, stages=2, freezes=False)
    solver = _solver(into_sink(source, EVERY_THIRD_CYCLE, depth_words=1))
    assert solver.state.unit["kind"][0] == FLUSHING
    solver.next_window(1)
    assert _written(solver, 0) == [2, 4, 7]
    assert solver.state.end["cycle"][0] == 2  # its last step is done before the first freeze
    assert solver.state.end["stalled_on_output"][0] == 1 + 2


def test_the_bound_does_a_step_no_earlier_than_the_word_before_was_free_to_go() -> None:
    source = program(Run(1, writes=True), repeat=3, stages=2, freezes=False)
    solver = _solver(into_sink(source, EVERY_THIRD_CYCLE, depth_words=1))
    solver.state.unit["kind"][0] = BOUND
    solver.has_bounds = True
    solver.state.start["free"][0] = -1
    solver.next_window(1)
    # Word 1 has space from cycle 4 on, so step 2 is done in cycle 4; its word leaves in 4 + 2 or once
    # there is space for it, in 7.
    assert solver.state.end["cycle"][0] == 4
    assert _written(solver, 0) == [2, 4, 7]
    assert _read(solver, 0) == [3, 6, 9]


def test_the_bound_is_the_pipeline_itself_where_words_are_a_pipeline_apart() -> None:
    source = program(Run(3), Run(1, writes=True), repeat=3, stages=2, freezes=False)
    sink = program(Run(11), Run(1, reads=True), repeat=3)
    for kind in (FLUSHING, BOUND):
        solver = _solver(into_sink(source, sink, depth_words=1))
        solver.state.unit["kind"][0] = kind
        solver.has_bounds = kind == BOUND
        solver.state.start["free"][0] = -1
        solver.next_window(1)
        # Word 1, of the step in cycle 7, comes to the exit in 9, as the FIFO is full, and leaves in 12.
        # Two of the four ticks to the next step are past by then.
        assert _written(solver, 0) == [5, 12, 24]
        assert solver.state.end["cycle"][0] == 12 + 2
        assert _read(solver, 0) == [11, 23, 35]


@pytest.mark.parametrize("stages", [5, 9, 17])
def test_all_that_a_pipeline_holds_may_leave_in_one_window(stages: int) -> None:
    """Frames of one word, many in a window: what a pipeline held at its start leaves besides."""
    source = program(Run(1, writes=True), stages=stages, freezes=False)
    slow = program(Run(1, True, True), Run(9), stages=3, freezes=False)
    units = (
        TimingUnit("source", source, (), (0,)),
        TimingUnit("one", Elastic(np.array([0]), np.array([-1]), latency=1), (0,), (1,)),
        TimingUnit("slow", slow, (1,), (2,)),
        TimingUnit("sink", program(Run(1, reads=True)), (2,), ()),
    )
    graph = TimingGraph(units, (Channel("a", 1), Channel("b", 1), Channel("c", 2)), (3,))
    ends = run_compiled(graph, 40, extrapolate=False).result.frame_end_cycles
    assert ends == run_clockwork(graph, 40).result.frame_end_cycles


def test_an_elastic_unit_takes_a_word_once_one_that_left_has_released_its_place() -> None:
    source = program(Run(1, writes=True), repeat=4)
    window = Elastic(dependence=np.array([1, 3]), release=np.array([-1, -1, 0, 0]), latency=3)
    run = _run(into_open(source, window, depth_words=1))
    # Out 0 leaves three cycles after word 1 was taken in cycle 3. Only then word 2 is taken.
    assert _written(run.solver, 0) == [0, 2, 4, 8]
    assert _read(run.solver, 0) == [1, 3, 7, 9]
    assert _written(run.solver, 1) == [6, 12]
    assert run.units[0].stalled_on_output == 1 + 1 + 3
    assert run.units[1].busy == 6


def test_nothing_is_done_in_the_cycle_limit_or_later() -> None:
    solver = _solver(into_sink(EVERY_CYCLE, EVERY_THIRD_CYCLE, depth_words=2)).ending(1, cycle_limit=5)
    assert not solver.finish()
    assert _written(solver, 0) == [0, 1, 3]
    assert _read(solver, 0) == [2]
