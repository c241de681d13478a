"""Each condition of the proof by itself, on periods made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.solver.bounded import with_bounds
from bnnsim.timing.streaming.solver.solver import Solver
from bnnsim.timing.streaming.steady_state.comparison import Comparison
from bnnsim.timing.streaming.steady_state.proof import Repetition
from bnnsim.timing.streaming.steady_state.snapshot import Snapshot, take_snapshot

from .graphs import chain, lockstep

PERIOD_CYCLES = 10
SOURCE, COPY, SINK = 0, 1, 2  # units
FAST = lockstep(Run(1, writes=True))
SLOW = lockstep(Run(1, reads=True, writes=True), Run(PERIOD_CYCLES - 1))
TAKE = lockstep(Run(1, reads=True))


def _solved(graph: TimingGraph, frames: int) -> Solver:
    solver = Solver(graph, 20)
    for frame in range(1, frames + 1):
        solver.next_window(frame)
    return solver


class Period:
    """Three units, the middle one the slowest, which have done some frames; and a frame made by hand."""

    def __init__(self, depth_words: int = 90, graph: TimingGraph | None = None, frames: int = 2) -> None:
        """A deep FIFO behind the source: the copy never waits for it, nor the source for room."""
        graph = graph or chain(FAST, SLOW, TAKE, depth_words=depth_words)
        self.solver = _solved(graph, frames)  # the first word comes late for all
        self.before = take_snapshot(self.solver)
        self.solver.next_window(frames + 1)
        self.comparison = Comparison(self.solver)

    def places(self, unit: int) -> Int64s:
        """Where a unit's own cycles stand in a snapshot."""
        own = self.comparison._own
        return own.places[own.owner == unit]

    def read_places(self, channel: int) -> Int64s:
        """Where a channel's latest reads stand in a snapshot."""
        ends = self.comparison._ends
        return ends.places[ends.owner == channel][:-1]  # behind them the one word that it may hold

    def later(
        self, changed: Int64s | None = None, by: int = 0, cycles: int = PERIOD_CYCLES
    ) -> Snapshot:
        """All numbers a period later, those ``changed`` ``by`` cycles more."""
        words = self.before.words + cycles
        shape = self.comparison._shapes.places
        words[shape] = self.before.words[shape]  # how far ahead words in a pipeline are is no cycle
        if changed is not None:
            words[changed] += by
        return replace(
            self.before,
            frames=self.before.frames + 1,
            words=words,
            places=self.before.places + self.comparison._frame_places,
        )

    def found(self, changed: Int64s | None = None, by: int = 0) -> Repetition | None:
        """What is found then."""
        return self.comparison.repetition(self.solver, self.before, self.later(changed, by))


def test_all_numbers_a_period_later_repeat_as_a_whole() -> None:
    found = Period().found()
    assert found == Repetition(2, 3, PERIOD_CYCLES, True, (), ())


def test_a_unit_that_is_earlier_and_not_waited_for_is_outside_the_even_set() -> None:
    period = Period()
    found = period.found(period.places(SOURCE), by=-4)
    assert found == Repetition(2, 3, PERIOD_CYCLES, False, (SOURCE,), ())


def test_a_unit_outside_that_is_later_than_the_period_proves_nothing() -> None:
    period = Period()
    assert period.found(period.places(SOURCE), by=1) is None


def test_a_side_branch_may_be_early_and_never_late() -> None:
    """The copy writes to the sink and to a reader aside, whose FIFO never fills."""
    aside = 3
    units = (
        TimingUnit("source", FAST, (), (0,)),
        TimingUnit("copy", SLOW, (0,), (1, 2)),
        TimingUnit("sink", TAKE, (1,), ()),
        TimingUnit("aside", TAKE, (2,), ()),
    )
    period = Period(graph=TimingGraph(units, tuple(Channel(f"c{n}", 90) for n in range(3)), (SINK,)))
    found = period.found(period.places(aside), by=-1)
    assert found == Repetition(2, 3, PERIOD_CYCLES, False, (aside,), ())
    assert period.found(period.places(aside), by=1) is None


def test_a_unit_that_waited_for_one_outside_is_outside_too() -> None:
    """The sink waits for every word of the copy, so a copy that is not even leaves no even sink."""
    period = Period()
    assert period.found(period.places(COPY), by=-1) is None


def test_a_sink_that_is_early_makes_the_period_shorter_and_all_others_late() -> None:
    period = Period()
    assert period.found(period.places(SINK), by=-1) is None


def test_reads_across_the_border_may_be_early_and_never_late() -> None:
    period = Period(depth_words=1)  # room behind the source is what it waits for
    reads = period.read_places(0)
    assert len(reads)
    assert period.found(reads, by=1) is None
    early = period.found(reads, by=-1)
    assert early is not None and early.others == (SOURCE,)


def test_an_early_flushing_unit_outside_is_not_monotone_and_needs_a_bound() -> None:
    deep = lockstep(Run(1, reads=True, writes=True), depth=3, freezes=False)
    period = Period(graph=chain(FAST, deep, SLOW, TAKE, depth_words=90), frames=5)
    whole = period.found()
    assert whole is not None and whole.is_complete
    early = period.later(period.places(1), by=-1)
    found = period.comparison.repetition(period.solver, period.before, early)
    assert found is not None
    assert (found.others, found.unproven) == ((1,), (1,))
    bounded = with_bounds(period.solver, (1,))
    again = period.comparison.repetition(bounded, period.before, early)
    assert again is not None and again.unproven == ()


def test_a_period_that_an_outputs_open_cycles_do_not_divide_proves_nothing() -> None:
    copy = TimingUnit("copy", lockstep(Run(1, writes=True)), (), (0,))
    graph = TimingGraph((copy,), (Channel("out", 1, ready_every=4),), (0,))
    period = Period(graph=graph)

    def found(cycles: int) -> Repetition | None:
        return period.comparison.repetition(
            period.solver, period.before, period.later(cycles=cycles)
        )

    assert found(10) is None
    assert found(8) is not None


def test_frames_before_the_pipelines_are_full_are_not_compared() -> None:
    """Three stages, one step a frame: the unit's first word leaves behind its fourth step."""
    deep = lockstep(Run(1, reads=True, writes=True), depth=3)
    graph = chain(FAST, deep, TAKE)
    assert Period(graph=graph, frames=4).found() is not None
    assert Period(graph=graph, frames=2).found() is None


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (
            chain(lockstep(Run(2, writes=True)), TAKE),
            "c0 is given 2 words a frame and read 1",
        ),
        (
            chain(Lockstep(FAST.blocks, 0, True, (Block(1, (Run(1, writes=True),)),)), TAKE),
            "u0 writes before its first frame",
        ),
    ],
)
def test_graphs_of_which_nothing_can_be_proven_say_why(graph: TimingGraph, reason: str) -> None:
    assert Comparison(Solver(graph, 2)).obstacle == reason


def test_a_channel_with_one_end_that_is_no_bench_s_is_refused() -> None:
    graph = TimingGraph((TimingUnit("u0", FAST, (), (0,)),), (Channel("c0", 1),), (0,))
    with pytest.raises(ValueError, match="channel c0 has only one end"):
        Solver(graph, 1)
