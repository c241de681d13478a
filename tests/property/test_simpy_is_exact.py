"""The SimPy executor against the clock loop, and against the laws that any pipeline of FIFOs obeys."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.design.design import Design
from bnnsim.design.streaming.units import Converter, Pool, Unit, Window
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import DeadlockError

from .clockwork import STALLED_ON_INPUT, STALLED_ON_OUTPUT, ClockworkRun, run_clockwork
from .examples import few_or_all, hold
from .networks import design_graphs, designs
from .observed import SimpyRun, observe_simpy
from .pipelines import bench_graphs, timing_graphs

FRAMES = st.integers(1, 4)


# ---- SimPy = clock loop --------------------------------------------------------------------


@pytest.mark.parametrize("examples", few_or_all(400))
def test_simpy_equals_the_clock_loop_on_random_pipelines_in_any_order_of_processes(
    examples: int,
) -> None:
    hold(assert_equal_runs, timing_graphs(), FRAMES, st.data(), examples=examples)


@settings(max_examples=120)
@given(design_graphs(), FRAMES, st.data())
def test_simpy_equals_the_clock_loop_on_random_designs_in_any_order_of_processes(
    graph: TimingGraph, frames: int, data: st.DataObject
) -> None:
    assert_equal_runs(graph, frames, data)


@settings(max_examples=150)
@given(bench_graphs(), FRAMES, st.data())
def test_simpy_equals_the_clock_loop_on_test_benches(
    graph: TimingGraph, frames: int, data: st.DataObject
) -> None:
    """But for the account of a register slice, which nobody reports: where its output blinks and its
    input is empty, SimPy books the whole wait on the input."""
    order = data.draw(st.permutations(range(len(graph.units))), label="order of processes")
    expected = run_clockwork(graph, frames)
    run = observe_simpy(graph, frames, order)
    assert run.write_cycles == expected.write_cycles
    assert run.read_cycles == expected.read_cycles
    assert run.result.frame_end_cycles == expected.result.frame_end_cycles
    assert run.result.cycles_total == expected.result.cycles_total
    assert run.result.max_occupancy_words == expected.result.max_occupancy_words
    for unit, seen, true in zip(graph.units, run.result.units, expected.result.units, strict=True):
        assert seen == true or unit.part_of


def assert_equal_runs(graph: TimingGraph, frames: int, data: st.DataObject) -> None:
    """Every word's time, every unit's every cycle, and the report made of them; or equal deadlocks."""
    order = data.draw(st.permutations(range(len(graph.units))), label="order of processes")
    try:
        expected = run_clockwork(graph, frames)
    except DeadlockError as deadlock:
        assert_same_deadlock(graph, frames, order, deadlock)
        return
    run = observe_simpy(graph, frames, order)
    assert run.write_cycles == expected.write_cycles
    assert run.read_cycles == expected.read_cycles
    assert run.result == expected.result
    assert_same_traces(run, expected)


def assert_same_traces(run: SimpyRun, expected: ClockworkRun) -> None:
    """A stall that the end of the run cut short is in the account but was not reported as an event."""
    for seen, true in zip(run.traces, expected.traces, strict=True):
        last = true[-1]
        if last in (STALLED_ON_INPUT, STALLED_ON_OUTPUT):
            true = true.rstrip(last)
            seen = seen[: len(true)]
        assert seen == true


def assert_same_deadlock(
    graph: TimingGraph, frames: int, order: list[int], expected: DeadlockError
) -> None:
    with pytest.raises(DeadlockError, match="deadlock: nothing moves after cycle") as raised:
        run_simpy(graph, frames, order=order)
    deadlock = raised.value
    assert deadlock.cycle == expected.cycle
    assert deadlock.occupancy == expected.occupancy
    waits = {unit: what.split(" in ")[0] for unit, what in deadlock.waiting.items()}
    assert waits == expected.waiting


def test_the_random_designs_hold_every_kind_of_unit() -> None:
    seen: set[str] = set()

    @settings(max_examples=400)
    @given(designs())
    def collect(design: Design) -> None:
        seen.update(*map(kinds_of, design.graph.units))

    def kinds_of(unit: Unit) -> set[str]:
        p = unit.parameters
        pipeline = "freezing" if unit.freezes else "flushing"
        kinds = {f"{unit.library} {pipeline} {unit.kind}"}
        if isinstance(p, Window):
            kinds.add(f"{unit.kind} {p.style}")
        elif isinstance(p, Pool):
            kinds.add(f"{unit.kind} {p.function}")
        elif isinstance(p, Converter):
            kinds.add(f"{unit.library} {unit.kind} {'narrowing' if p.narrows else 'widening'}")
        return kinds

    collect()
    hls = ("mvau", "width_converter", "sliding_window", "pool", "duplicate", "add", "concat")
    hls += ("multiply", "repeat")
    rtl = ("mvau", "width_converter", "sliding_window", "padding", "thresholding", "lookup")
    windows = ("row_buffer", "no_overlap", "full_frame_coupled", "rtl", "parallel")
    assert seen >= {f"hls {pipeline} {kind}" for pipeline in ("freezing", "flushing") for kind in hls}
    assert seen >= {f"rtl flushing {kind}" for kind in rtl}
    assert seen >= {f"sliding_window {style}" for style in windows}
    assert seen >= {"pool max", "pool majority"}
    assert seen >= {
        f"{library} width_converter {way}"
        for library in ("hls", "rtl")
        for way in ("narrowing", "widening")
    }


# ---- laws ----------------------------------------------------------------------------------


@settings(max_examples=150)
@given(timing_graphs(), FRAMES)
def test_words_are_conserved_and_pass_a_channel_one_a_cycle(graph: TimingGraph, frames: int) -> None:
    try:
        run = observe_simpy(graph, frames)
    except DeadlockError:
        return
    for channel, writes, reads in zip(graph.channels, run.write_cycles, run.read_cycles, strict=True):
        assert len(reads) <= len(writes)
        assert all(a < b for a, b in itertools.pairwise(writes))
        assert all(a < b for a, b in itertools.pairwise(reads))
        passage = 0 if channel.falls_through else 1
        assert all(w + passage <= r for w, r in zip(writes, reads, strict=False))
        # A place freed in a cycle is free from the next.
        assert all(r < w for w, r in zip(writes[channel.depth_words :], reads, strict=False))
    for sink in (graph.units[position] for position in graph.sinks):
        assert len(run.read_cycles[sink.inputs[0]]) == frames * sink.program.words_in
    for unit in graph.units:
        for position in unit.outputs:
            assert len(run.write_cycles[position]) <= frames * unit.program.words_out
        for position in unit.inputs:
            assert len(run.read_cycles[position]) <= frames * unit.program.words_in


@settings(max_examples=150)
@given(timing_graphs(), FRAMES)
def test_busy_stalled_and_idle_cycles_add_up_to_the_run(graph: TimingGraph, frames: int) -> None:
    try:
        result = run_simpy(graph, frames)
    except DeadlockError:
        return
    for cycles in result.units:
        parts = (cycles.busy, cycles.stalled_on_input, cycles.stalled_on_output, cycles.idle)
        assert min(parts) >= 0
        assert sum(parts) == result.cycles_total
    assert result.frame_end_cycles[-1] == result.cycles_total - 1
    assert len(result.frame_end_cycles) == frames


@settings(max_examples=150)
@given(timing_graphs(), FRAMES)
def test_little_s_law_the_words_in_a_fifo_add_up_to_the_words_waiting_times(
    graph: TimingGraph, frames: int
) -> None:
    """Occupancy summed over the cycles (counted by the clock loop) = waits summed over the words
    (taken from SimPy's events); a word that is still there has waited until the end."""
    try:
        run = observe_simpy(graph, frames)
    except DeadlockError:
        return
    occupancy = run_clockwork(graph, frames).occupancy_words
    end = run.result.cycles_total - 1
    for held, writes, reads in zip(occupancy, run.write_cycles, run.read_cycles, strict=True):
        left = (*reads, *(end for _ in writes[len(reads) :]))
        assert sum(held) == sum(r - w for w, r in zip(writes, left, strict=True))


# Why only up to one flushing stage: a freezing pipeline, a step's word and an elastic buffer are all
# "not before these events, plus a constant", so an earlier event never makes a later one later. A
# flushing pipeline is not: a word that comes earlier reaches the blocked exit earlier and freezes the
# unit before the next word has entered, where a later one would have let it in beside itself. With one
# stage nothing can be beside it, and the law holds again.
@settings(max_examples=200)
@given(timing_graphs(), FRAMES, st.data())
def test_a_deeper_fifo_never_slows_a_graph_without_flushing_pipelines_of_several_stages(
    graph: TimingGraph, frames: int, data: st.DataObject
) -> None:
    graph = replace(graph, units=tuple(_with_one_flushing_stage(unit) for unit in graph.units))
    deeper = {
        channel.name: channel.depth_words + data.draw(st.integers(0, 5)) for channel in graph.channels
    }
    try:
        shallow = run_simpy(graph, frames)
    except DeadlockError:
        return
    deep = run_simpy(graph.with_depths(deeper), frames)  # it cannot lock up either
    assert all(d <= s for d, s in zip(deep.frame_end_cycles, shallow.frame_end_cycles, strict=True))


def _with_one_flushing_stage(unit: TimingUnit) -> TimingUnit:
    program = unit.program
    if isinstance(program, Lockstep) and not program.freezes:
        return replace(unit, program=replace(program, pipeline_depth=min(1, program.pipeline_depth)))
    return unit


def _program(*runs: Run, depth: int = 0, freezes: bool = True) -> Lockstep:
    return Lockstep((Block(1, runs),), depth, freezes)


def _early_and_late(slow_fifo_words: int, stages: int, freezes: bool) -> TimingGraph:
    """Pairs from a slow and a late source pass a pipeline whose exit is blocked for a while.

    The deeper the slow source's FIFO, the earlier its third word; the fourth pair is late anyway.
    """
    slow = Lockstep((Block(4, (Run(8), Run(1, writes=True))),), 0, True)
    late = _program(Run(30), Run(3, writes=True), Run(12), Run(1, writes=True))
    pairs = _program(Run(4, True, True), depth=stages, freezes=freezes)
    sink = _program(Run(1, reads=True), Run(17), Run(3, reads=True))
    channels = (Channel("slow", slow_fifo_words), Channel("late", 4), Channel("out", 1))
    units = (
        TimingUnit("slow", slow, (), (0,)),
        TimingUnit("late", late, (), (1,)),
        TimingUnit("pairs", pairs, (0, 1), (2,)),
        TimingUnit("sink", sink, (2,), ()),
    )
    return TimingGraph(units, channels, (3,))


def test_a_deeper_fifo_can_slow_a_flushing_pipeline_of_several_stages() -> None:
    def cycles(fifo_words: int, stages: int, freezes: bool) -> int:
        return run_simpy(_early_and_late(fifo_words, stages, freezes), 1).cycles_total

    # The first word leaves in cycle 43 and is taken in 44; the second follows in 45 and fills the last
    # FIFO until the sink comes back in 62, so that nothing leaves before 63. FIFO 1: the third enters in
    # 42 and the fourth in 51, before the third is at the exit in 54; it leaves 9 cycles behind it, in 72.
    # FIFO 4: the third enters in 33 and freezes the unit from 46 on, the cycle in which the fourth comes;
    # that enters in 63 only and leaves in 75. The sink takes it a cycle later.
    assert cycles(1, 12, freezes=False) == 74
    assert cycles(4, 12, freezes=False) == 77
    assert cycles(4, 12, freezes=True) < cycles(1, 12, freezes=True)
    assert cycles(4, 1, freezes=False) <= cycles(1, 1, freezes=False)


# ---- deadlock ------------------------------------------------------------------------------


def _unequal_branches(short_fifo_words: int) -> TimingGraph:
    """A split into a long branch that gathers four words first, and a short one."""
    source = _program(Run(4, writes=True))
    wire = _program(Run(4, True, True), depth=1)
    gather = _program(Run(4, reads=True), Run(4, writes=True))
    sink = _program(Run(4, reads=True))
    channels = (
        Channel("source->split", 2),
        Channel("split->gather", 2),
        Channel("split->join", short_fifo_words),
        Channel("gather->join", 2),
        Channel("join->sink", 2),
    )
    units = (
        TimingUnit("source", source, (), (0,)),
        TimingUnit("split", wire, (0,), (1, 2)),
        TimingUnit("gather", gather, (1,), (3,)),
        TimingUnit("join", wire, (2, 3), (4,)),
        TimingUnit("sink", sink, (4,), ()),
    )
    return TimingGraph(units, channels, (4,))


def test_a_branch_with_a_shallow_fifo_deadlocks_and_the_message_names_the_fifos() -> None:
    with pytest.raises(DeadlockError, match="deadlock: nothing moves after cycle") as raised:
        run_simpy(_unequal_branches(2), 3)
    message = str(raised.value)
    assert "split waits for room in split->join (2 of 2 words)" in message
    assert "while join waits for a word in gather->join (0 of 2 words)" in message
    assert raised.value.waiting["gather"] == "a word in split->gather"


def test_the_same_branch_runs_once_its_fifo_holds_what_the_other_gathers() -> None:
    assert run_simpy(_unequal_branches(4), 3).frames == 3


@settings(max_examples=100)
@given(timing_graphs(branches=False), FRAMES)
def test_a_chain_never_deadlocks(graph: TimingGraph, frames: int) -> None:
    assert len(run_simpy(graph, frames).frame_end_cycles) == frames
