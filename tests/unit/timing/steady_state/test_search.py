"""The search finds a period of any length, and says where there is none to find."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.timing.streaming.solver.solver import Solver
from bnnsim.timing.streaming.steady_state.api import steady_state
from bnnsim.timing.streaming.steady_state.proof import Proof
from bnnsim.timing.streaming.steady_state.search import Search

from .graphs import chain, lockstep


def _bench(every: int) -> TimingGraph:
    """A word every four cycles, into an output that is open in every ``every``-th cycle."""
    source = TimingUnit("source", lockstep(Run(1, writes=True), Run(3)), (), (0,))
    copy = TimingUnit("copy", lockstep(Run(1, reads=True, writes=True)), (0,), (1,))
    channels = (Channel("between", 2), Channel("out", 1, ready_every=every))
    return TimingGraph((source, copy), channels, (1,))


def _search(graph: TimingGraph, most_frames: int = 60) -> tuple[Search, Proof | None]:
    search = Search(Solver(graph, most_frames))
    while search.solver.source_frames < most_frames and search.next_frame():
        proof = search.proof()
        if proof is not None:
            return search, proof
    return search, None


@pytest.mark.parametrize(
    ("every", "frames", "cycles"),
    [
        # written in 0, 4, 8, 12, 16, ... and read a cycle later, or in the next that is a multiple
        (2, 1, 4),  # 2, 6, 10
        (3, 3, 12),  # 3, 6, 9; 15, 18, 21; 27
        (5, 1, 5),  # the output is slower than the source: 5, 10, 15
        (7, 1, 7),
    ],
)
def test_a_period_of_several_frames_is_found_within_twice_the_frames(
    every: int, frames: int, cycles: int
) -> None:
    search, proof = _search(_bench(every))
    assert proof is not None
    found = proof.repetition
    assert cycles * found.period_frames == frames * found.cycles
    assert found.cycles % every == 0  # an output's open cycles repeat too
    steady = steady_state(_bench(every))
    assert (steady.period_frames, steady.period_cycles) == (found.period_frames, found.cycles)
    assert search.solver.source_frames <= 2 * (found.first + found.period_frames) + 1


def test_a_fifo_that_fills_slowly_does_not_keep_the_search_waiting() -> None:
    source = lockstep(Run(1, writes=True), Run(8))  # nine cycles a word, and the sink ten
    graph = chain(source, lockstep(Run(1, reads=True), Run(9)), depth_words=500)
    search, proof = _search(graph)
    assert proof is not None
    assert proof.repetition.cycles == 10 * proof.repetition.period_frames
    assert proof.argument == "bottleneck saturated"
    assert proof.repetition.others == (0,)
    assert search.solver.source_frames < 10
    assert proof.reason(graph) == (
        f"saturated after frame {proof.repetition.first}: what still changes (1 unit: u0) can never "
        "hold it up again"
    )


def test_a_full_fifo_lets_the_whole_state_repeat() -> None:
    source = lockstep(Run(1, writes=True))
    graph = chain(source, lockstep(Run(1, reads=True), Run(9)), depth_words=3)
    search = Search(Solver(graph, 60))
    proof = None
    while proof is None and search.next_frame():
        proof = search.proof(complete=True)
    assert proof is not None
    found = proof.repetition
    assert (found.period_frames, found.cycles) == (1, 10)
    assert proof.argument == "state repeats"
    assert proof.reason(graph) == f"the state repeats with every frame after frame {found.first}"


def test_a_search_stops_where_the_pipeline_is_stuck() -> None:
    """The join wants both words of the left branch before one of the right; the fork's FIFO holds one."""
    fork = lockstep(Run(1, reads=True, writes=True), words=2)
    both = lockstep(Run(2, reads=True), Run(1, writes=True))
    units = (
        TimingUnit("source", lockstep(Run(1, writes=True), words=2), (), (0,)),
        TimingUnit("fork", fork, (0,), (1, 2)),
        TimingUnit("pairs", both, (1,), (3,)),
        TimingUnit("join", lockstep(Run(1, reads=True, writes=True)), (3, 2), (4,)),
        TimingUnit("sink", lockstep(Run(1, reads=True)), (4,), ()),
    )
    graph = TimingGraph(units, tuple(Channel(f"c{n}", 1) for n in range(5)), (4,))
    search = Search(Solver(graph, 10))
    assert not search.next_frame()
    with pytest.raises(DeadlockError, match="nothing moves after cycle 2: fork waits for room in c2 "):
        steady_state(graph)


def test_a_graph_whose_channel_is_given_more_than_is_read_has_no_steady_state() -> None:
    graph = chain(lockstep(Run(1, writes=True), words=2), lockstep(Run(1, reads=True)), depth_words=90)
    steady = steady_state(graph, max_frames=8)
    assert steady.interval is None and steady.warm_up_frames is None
    assert steady.reason == "c0 is given 2 words a frame and read 1"


@pytest.mark.parametrize("stages", [1, 2])
def test_frames_of_a_flushing_unit_that_begin_idle_repeat_only_from_the_first_whole_one_on(
    stages: int,
) -> None:
    """49 idle steps, the word, nine more: 59 cycles a frame, 50 before the first word."""
    copies = [lockstep(Run(1, True, True), depth=1) for _ in range(3)]
    sink = lockstep(Run(49), Run(1, reads=True), Run(9), depth=stages, freezes=False)
    graph = chain(lockstep(Run(1, writes=True), depth=3), *copies, sink, depth_words=100)
    assert steady_state(graph, max_frames=150).interval == 59


def test_a_word_that_came_too_late_for_an_open_cycle_was_waited_for() -> None:
    """Words are there in 1, 6, 11, 16, 21, ..., and a step takes four cycles: it is done in 2, 6 (due and
    there), 12 (due in 10), 16, 22, ..., 4 and 6 cycles apart in turn."""
    source = lockstep(Run(1, writes=True), Run(4))
    join = lockstep(Run(1, reads=True, writes=True), Run(3))
    units = (
        TimingUnit("left", source, (), (0,)),
        TimingUnit("right", source, (), (1,)),
        TimingUnit("join", join, (0, 1), (2,)),
    )
    channels = (Channel("c0", 9), Channel("c1", 9), Channel("out", 1, ready_every=2))
    assert steady_state(TimingGraph(units, channels, (2,))).interval == 5


@pytest.mark.parametrize("fast", [False, True])
def test_a_word_written_before_the_first_frame_may_lock_up_what_others_would_not(fast: bool) -> None:
    """The first word leaves three ticks behind its step, with the step that reads the second. That was
    not written yet: the join has not read what was forked with the first, as it has none of the other.
    Later words find an idle tick to leave in before that."""
    pass_on = lockstep(Run(1, reads=True, writes=True))
    ahead = lockstep(Run(1, reads=True, writes=True), Run(1), depth=3)
    units = (
        TimingUnit("fork", pass_on, (0,), (1, 2)),
        TimingUnit("ahead", replace(ahead, prologue=(Block(1, (Run(1, writes=True),)),)), (1,), (3,)),
        TimingUnit("join", pass_on, (3, 2), (4,)),
    )
    channels = (
        Channel("in", 1, supplies=True),
        *(Channel(f"c{number}", 1) for number in (1, 2)),
        Channel("c3", 2),
        Channel("out", 1, ready_every=1),
    )
    with pytest.raises(DeadlockError, match="nothing moves after cycle 1: fork waits for room in c2"):
        steady_state(TimingGraph(units, channels, (2,)), fast=fast)
