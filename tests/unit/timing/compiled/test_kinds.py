"""Each kind of unit on an example worked out by hand, by its fast kernel and by its general twin."""

from __future__ import annotations

import numpy as np
import pytest

from bnnsim.timing.streaming.compiled.ended_run import EndedRun, end_run
from bnnsim.timing.streaming.compiled.kernels.records import BOUND, FLUSHING
from bnnsim.timing.streaming.compiled.layout import MachineOptions
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic
from bnnsim.timing.streaming.programs.steps import Run

from .small_graphs import EVERY_CYCLE, EVERY_THIRD_CYCLE, into_open, into_sink, program

either = pytest.mark.parametrize("general", [False, True], ids=["fast", "general"])


def _machine(graph: TimingGraph, general: bool) -> Machine:
    logged = range(len(graph.channels))
    return Machine(graph, MachineOptions(frames=1, logged=logged, general=general))


def _run(graph: TimingGraph, general: bool) -> EndedRun:
    machine = _machine(graph, general)
    machine.run_to(1)
    return end_run(machine)


def _written(machine: Machine, channel: int) -> list[int]:
    row = machine.channel[channel]
    return machine.event_times[row.write_log :][: row.written].tolist()


def _read(machine: Machine, channel: int) -> list[int]:
    row = machine.channel[channel]
    return machine.event_times[row.read_log :][: row.read].tolist()


@either
def test_a_freezing_pipeline_stands_still_while_its_word_has_no_space(general: bool) -> None:
    source = program(Run(1, writes=True), repeat=3, stages=2)
    run = _run(into_sink(source, EVERY_THIRD_CYCLE, depth_words=1), general)
    # Word 0 leaves two ticks behind step 0 and can be read a cycle later, one later than wanted. The
    # space of each word is free in the cycle after the one before was read.
    assert _written(run.machine, 0) == [2, 4, 7]
    assert _read(run.machine, 0) == [3, 6, 9]
    source_cycles, sink_cycles = run.units
    assert (source_cycles.busy, source_cycles.stalled_on_output) == (3, 1 + 2)
    assert (sink_cycles.busy, sink_cycles.stalled_on_input) == (3, 1)
    assert run.cycles_total == 10


@either
@pytest.mark.parametrize(("freezes", "leaves"), [(True, [7, 8]), (False, [5, 8])])
def test_only_a_flushing_pipeline_lets_a_word_go_on_while_the_next_is_missing(
    general: bool, freezes: bool, leaves: list[int]
) -> None:
    source = program(Run(1, writes=True), Run(2), repeat=2)  # in cycles 0 and 3
    unit = program(Run(1, reads=True, writes=True), repeat=2, stages=4, freezes=freezes)
    run = _run(into_open(source, unit, depth_words=2), general)
    assert _written(run.machine, 0) == [0, 3]
    assert _read(run.machine, 0) == [1, 4]
    # Step 0 is done in cycle 1, step 1 in cycle 4. Frozen, ticks 1 to 3 come only then.
    assert _written(run.machine, 1) == leaves
    assert run.units[1].stalled_on_input == 1 + 2


@either
def test_a_flushing_pipeline_whose_exit_is_blocked_takes_words_until_then(general: bool) -> None:
    source = program(Run(1, writes=True), repeat=3, stages=2, freezes=False)
    machine = _machine(into_sink(source, EVERY_THIRD_CYCLE, depth_words=1), general)
    assert machine.unit["kind"][0] == FLUSHING
    machine.run_to(1)
    assert _written(machine, 0) == [2, 4, 7]
    assert machine.unit["step_cycle"][0] == 2  # its last step is done before the first freeze
    assert machine.unit["stalled_on_output"][0] == 1 + 2


@either
def test_the_bound_does_a_step_no_earlier_than_the_word_before_was_free_to_go(
    general: bool,
) -> None:
    source = program(Run(1, writes=True), repeat=3, stages=2, freezes=False)
    machine = _machine(into_sink(source, EVERY_THIRD_CYCLE, depth_words=1), general)
    machine.unit["kind"][0] = BOUND
    machine.run_to(1)
    # Word 1 has space from cycle 4 on, so step 2 is done in cycle 4; its word leaves in 4 + 2 or once
    # there is space for it, in 7.
    assert machine.unit["step_cycle"][0] == 4
    assert _written(machine, 0) == [2, 4, 7]
    assert _read(machine, 0) == [3, 6, 9]


@either
def test_an_elastic_unit_takes_a_word_once_one_that_left_has_released_its_place(
    general: bool,
) -> None:
    source = program(Run(1, writes=True), repeat=4)
    window = Elastic(dependence=np.array([1, 3]), release=np.array([-1, -1, 0, 0]), latency=3)
    run = _run(into_open(source, window, depth_words=1), general)
    # Out 0 leaves three cycles after word 1 was taken in cycle 3. Only then word 2 is taken.
    assert _written(run.machine, 0) == [0, 2, 4, 8]
    assert _read(run.machine, 0) == [1, 3, 7, 9]
    assert _written(run.machine, 1) == [6, 12]
    assert run.units[0].stalled_on_output == 1 + 1 + 3
    assert run.units[1].busy == 6


def test_nothing_is_done_in_the_cycle_limit_or_later() -> None:
    machine = _machine(into_sink(EVERY_CYCLE, EVERY_THIRD_CYCLE, depth_words=2), general=False)
    machine.run_to(1, cycle_limit=5)
    assert _written(machine, 0) == [0, 1, 3]
    assert _read(machine, 0) == [2]
    assert machine.unit["halted"].tolist() == [0, 1]
