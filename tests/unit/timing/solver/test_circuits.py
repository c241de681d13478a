"""Circuits that set the pace, in pipelines whose pace is known by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from bnnsim.design.build import build_streaming_design
from bnnsim.spec.load import load_architecture, load_workload
from bnnsim.timing.bottleneck import Circuit
from bnnsim.timing.streaming.bottleneck import find_bottleneck
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit, build_timing
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.solver.steady.certificate import certify, find_bounds
from tests.property.clockwork import run_clockwork


def _lockstep(*runs: Run, repeat: int = 1, depth: int = 0, freezes: bool = True) -> Lockstep:
    return Lockstep((Block(repeat, runs),), depth, freezes)


def _wire(words: int) -> Lockstep:
    return _lockstep(Run(words, True, True))


def _pair(words: int, depth_words: int) -> TimingGraph:
    """A writer and a reader of so many words, one in every cycle if the FIFO lets them."""
    writer = TimingUnit("writer", _lockstep(Run(words, writes=True)), (), (0,))
    reader = TimingUnit("reader", _lockstep(Run(words, reads=True)), (0,), ())
    return TimingGraph((writer, reader), (Channel("between", depth_words),), (1,))


def test_a_unit_that_is_never_held_up_is_a_circuit_by_itself() -> None:
    """Two words of depth carry a word in every cycle, so that the units' own five steps are the pace."""
    assert certify(_pair(5, 2)) == Circuit(("writer",), (), "writer", cycles=5, frames=1)


def test_one_word_of_depth_makes_a_circuit_of_two_cycles_a_word() -> None:
    """A word is read a cycle after it is written, and its place is written a cycle after it is read."""
    assert certify(_pair(5, 1)) == Circuit(
        ("writer", "reader"), ("between",), "writer -> between -> reader", 10, 1, 5, 5
    )


def test_a_freeze_by_a_frame_s_last_word_holds_up_the_next_frame() -> None:
    """The second word waits a cycle for the first one's place, and the idle steps behind it too."""
    words = _lockstep(Run(2, writes=True), Run(2), depth=1, freezes=False)
    writer = TimingUnit("writer", words, (), (0,))
    reader = TimingUnit("reader", _lockstep(Run(2, reads=True)), (0,), ())
    found = find_bounds(TimingGraph((writer, reader), (Channel("between", 1),), (1,)))
    assert found is not None and found.is_exact
    assert found.circuit.ratio == 5


def test_a_fifo_that_holds_more_than_a_frame_makes_a_circuit_over_several_frames() -> None:
    """Words of one frame each; an elastic unit lets a word out 12 cycles after it came in, 3 at a time.

    Word n comes in at the earliest in the cycle after word n - 3 has left: 13 cycles for 3 frames.
    """
    slow = Elastic(np.zeros(1, np.int64), np.array([-3]), latency=12)
    units = (
        TimingUnit("source", _lockstep(Run(1, writes=True)), (), (0,)),
        TimingUnit("slow", slow, (0,), (1,)),
        TimingUnit("sink", _lockstep(Run(1, reads=True)), (1,), ()),
    )
    graph = TimingGraph(units, (Channel("a", 2), Channel("b", 2)), (2,))
    found = certify(graph)
    assert found == Circuit(("slow",), (), "slow", cycles=13, frames=3)
    assert found is not None and found.ratio == Fraction(13, 3) == _interval(graph)


def _fork_join(skip_depth_words: int, latency: int) -> TimingGraph:
    """Four words a frame by two ways: through a unit that takes ``latency`` cycles, and past it."""
    slow = Elastic(np.arange(4), np.arange(4) - 100, latency)
    units = (
        TimingUnit("source", _lockstep(Run(4, writes=True)), (), (0,)),
        TimingUnit("split", _wire(4), (0,), (1, 3)),
        TimingUnit("slow", slow, (1,), (2,)),
        TimingUnit("join", _wire(4), (2, 3), (4,)),
        TimingUnit("sink", _lockstep(Run(4, reads=True)), (4,), ()),
    )
    names = (("in", 4), ("to", 4), ("from", 4), ("skip", skip_depth_words), ("out", 4))
    return TimingGraph(units, tuple(Channel(name, depth) for name, depth in names), (4,))


def test_a_skip_that_is_too_shallow_closes_a_circuit_over_both_branches() -> None:
    """The split writes word n once the join has read word n - 3, over the unit that takes ten cycles.

    A word is written to the unit, taken a cycle later, leaves ten later, is read a cycle later, and makes
    room for the next but two a cycle later: 13 cycles for three words. After twelve words, three frames,
    it is back at the same word of a frame.
    """
    graph = _fork_join(skip_depth_words=3, latency=10)
    found = certify(graph)
    assert found is not None
    assert (found.cycles, found.frames) == (4 * 13, 3)
    assert found.way == "split -> to -> slow -> from -> join <- skip <- split"
    assert found.units == ("split", "slow", "join")
    assert found.fifos == ("to", "from", "skip")
    assert (found.waits_for_words, found.waits_for_room) == (8, 4)
    assert found.ratio == _interval(graph)


def test_a_skip_that_is_deep_enough_leaves_the_pace_to_the_units() -> None:
    """Thirteen words cover the thirteen cycles of the other way."""
    found = certify(_fork_join(skip_depth_words=13, latency=10))
    assert found is not None and (found.fifos, found.ratio) == ((), 4)


def test_a_register_slice_counts_as_its_unit() -> None:
    """Its FIFO falls through, so that only the room costs a cycle; outside it takes two a word."""
    units = (
        TimingUnit("source", _lockstep(Run(3, writes=True)), (), (0,)),
        TimingUnit("pad.ahead", _wire(3), (0,), (1,), "pad"),
        TimingUnit("pad", _wire(3), (1,), (2,)),
        TimingUnit("sink", _lockstep(Run(3, reads=True)), (2,), ()),
    )
    channels = (Channel("in", 1), Channel("pad.ahead", 1, falls_through=True), Channel("out", 4))
    found = certify(TimingGraph(units, channels, (3,)))
    assert found == Circuit(("source", "pad"), ("in",), "source -> in -> pad", 6, 1, 3, 3)


def test_words_that_wait_for_each_other_within_a_frame_have_no_pace() -> None:
    """One branch needs all four words before it gives one; past it fits only one."""
    late = _lockstep(Run(4, reads=True), Run(4, writes=True))
    graph = _fork_join(1, 1)
    units = tuple(
        TimingUnit(u.name, late if u.name == "slow" else u.program, u.inputs, u.outputs)
        for u in graph.units
    )
    assert find_bounds(TimingGraph(units, graph.channels, graph.sinks)) is None


def test_a_flushing_pipeline_that_nobody_holds_up_is_certified_by_its_bound() -> None:
    units = (
        TimingUnit("source", _lockstep(Run(6, writes=True), Run(2)), (), (0,)),
        TimingUnit("deep", _lockstep(Run(6, True, True), depth=9, freezes=False), (0,), (1,)),
        TimingUnit("sink", _lockstep(Run(6, reads=True)), (1,), ()),
    )
    graph = TimingGraph(units, (Channel("a", 2), Channel("b", 2)), (2,))
    assert certify(graph) == Circuit(("source",), (), "source", 8, 1)


def _layer(columns: int, rows: int, vectors: int = 1) -> Lockstep:
    """A vector is read in the first of ``rows`` folds of so many columns; each ends with a word."""
    fold = (Run(columns - 1), Run(1, writes=True))
    runs = (Run(columns - 1, reads=True), Run(1, True, True), *fold * (rows - 1))
    return Lockstep((Block(vectors, runs),), pipeline_depth=6, freezes=False)


@pytest.mark.parametrize("depth_words", [1, 2, 4])
def test_a_circuit_leads_over_pipelines_that_were_held_up_where_words_are_a_pipeline_apart(
    depth_words: int,
) -> None:
    """A layer is not done with a frame before the next one takes its words, in its first fold."""
    units = (
        TimingUnit("source", _lockstep(Run(8, writes=True)), (), (0,)),
        TimingUnit("first", _layer(8, 16), (0,), (1,)),
        TimingUnit("second", _layer(16, 8), (1,), (2,)),
        TimingUnit("sink", _lockstep(Run(8, reads=True)), (2,), ()),
    )
    channels = (Channel("in", 2), Channel("between", depth_words), Channel("out", 2))
    graph = TimingGraph(units, channels, (3,))
    ends = run_clockwork(graph, 8).result.frame_end_cycles
    found = certify(graph)
    assert found is not None
    assert found.ratio == ends[-1] - ends[-2] > 8 * 16
    assert found.way == "first -> between -> second"


@pytest.mark.parametrize("depth_words", [2, 8])
def test_no_circuit_leads_over_a_freeze_that_only_the_bound_has(depth_words: int) -> None:
    """Two convolutions: while cycles still change, a reader may seem to be ready later than it is."""
    rows, kernel, lanes, outs = 6, 3, 2, 4
    y, x, ky, kx = (a[..., None] for a in np.indices((outs, outs, kernel, kernel)))
    needed = (((y + ky) * rows + x + kx) * lanes + np.arange(lanes)).reshape(-1)
    last = np.zeros(rows * rows * lanes, np.int64)
    np.maximum.at(last, needed, np.arange(len(needed)))
    before = np.arange(len(last)) - kernel * rows * lanes
    window = Elastic(needed, last[before] - (before < 0) * len(needed), latency=1)
    units = (
        TimingUnit("source", _lockstep(Run(324, writes=True)), (), (0,)),
        TimingUnit("first", _layer(9, lanes, rows * rows), (0,), (1,)),
        TimingUnit("window", window, (1,), (2,)),
        TimingUnit("second", _layer(kernel * kernel * lanes, 4, outs * outs), (2,), (3,)),
        TimingUnit("sink", _lockstep(Run(64, reads=True)), (3,), ()),
    )
    depths = (("in", 8), ("to", 2), ("from", depth_words), ("out", 2))
    graph = TimingGraph(units, tuple(Channel(*one) for one in depths), (4,))
    ends = run_clockwork(graph, 12).result.frame_end_cycles
    found = find_bounds(graph)
    assert found is not None
    shown = ends[-3] - ends[-4]
    assert found.circuit.ratio == shown if found.is_exact else found.circuit.ratio <= shown


def test_ends_that_do_not_agree_on_a_frames_words_have_no_certificate() -> None:
    writer = TimingUnit("writer", _lockstep(Run(3, writes=True)), (), (0,))
    reader = TimingUnit("reader", _lockstep(Run(2, reads=True)), (0,), ())
    assert find_bounds(TimingGraph((writer, reader), (Channel("c", 2),), (1,))) is None


def test_a_channel_that_nobody_reads_has_no_certificate() -> None:
    writer = TimingUnit("writer", _lockstep(Run(3, writes=True)), (), (0,))
    assert find_bounds(TimingGraph((writer,), (Channel("c", 2),), (0,))) is None
    bench = TimingGraph((writer,), (Channel("c", 2, ready_every=1),), (0,))
    assert certify(bench) == Circuit(("writer",), (), "writer", 3, 1)


def test_pynq_cnv_is_certified_at_the_interval_that_boards_show() -> None:
    """1,330 frames in 437,705.5 us at 100 MHz, 10,000 in 3,278,691.1 us (BNN-PYNQ's notebooks)."""
    design = build_streaming_design(load_architecture("pynq-cnv"), load_workload("cnv"))
    found = certify(build_timing(design.graph))
    assert found == Circuit(("fc0.mvau",), (), "fc0.mvau", 32_768, 1)


def test_the_bottleneck_names_the_circuit() -> None:
    graph = _pair(5, 1)
    found = find_bottleneck(graph, run_compiled(graph, 1, with_steady_state=True))
    assert found is not None and found.pace is not None
    assert found.limited_by == "fifos"
    assert found.pace.way == "writer -> between -> reader"
    assert "; pace set by writer -> between -> reader;" in found.text


def test_a_long_way_is_told_by_its_ends() -> None:
    names = [f"f{i}" for i in range(6)]
    way = " -> ".join(["u0", *(f"f{i} -> u{i + 1}" for i in range(6))])
    circuit = Circuit(tuple(f"u{i}" for i in range(7)), tuple(names), way, 12, 1)
    assert circuit.short_way == "u0 -> f0 -> u1 ... u5 -> f5 -> u6 (6 FIFOs)"


def _interval(graph: TimingGraph) -> Fraction:
    """Over many frames, all simulated."""
    ends = run_compiled(graph, 133, extrapolate=False).result.frame_end_cycles
    return Fraction(ends[132] - ends[60], 72)
