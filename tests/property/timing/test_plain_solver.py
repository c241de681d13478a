"""The solver of the documents, in plain lists, moves every word in the cycle in which the clock does."""

from __future__ import annotations

from hypothesis import strategies as st

from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.result import DeadlockError
from tests.oracles.sweeps import Words, solve
from tests.property.clockwork import run_clockwork
from tests.property.examples import hold
from tests.property.pipelines import bench_graphs, timing_graphs

from .fork_joins import fork_joins

GRAPHS = st.one_of(timing_graphs(), timing_graphs(), bench_graphs(), fork_joins())


def _before(cycles: list[int], total: int) -> tuple[int, ...]:
    """What the run's end does not cut off."""
    return tuple(cycle for cycle in cycles if cycle < total)


def _as_the_clock(graph: TimingGraph, frames: int) -> None:
    solved = solve(graph, frames)
    try:
        run = run_clockwork(graph, frames)
    except DeadlockError:
        assert solved is None
        return
    assert solved is not None
    total = run.result.cycles_total
    for number, words in enumerate(solved):
        assert _before(words.written, total) == run.write_cycles[number]
        assert _before(words.read, total) == run.read_cycles[number]


def test_the_plain_solver_moves_every_word_as_the_clock_does() -> None:
    hold(_as_the_clock, GRAPHS, st.integers(1, 4), examples=100)


def test_words_to_two_open_channels_wait_for_a_cycle_in_which_both_are_ready() -> None:
    program = Lockstep((Block(4, (Run(1, writes=True),)),), pipeline_depth=0, freezes=True)
    channels = (Channel("a", 1, ready_every=4), Channel("b", 1, ready_every=5))
    graph = TimingGraph((TimingUnit("writer", program, (), (0, 1)),), channels, (0,))
    solved = solve(graph, 1)
    assert solved is not None
    assert [words.written for words in solved] == [[0, 20, 40, 60]] * 2
    _as_the_clock(graph, 1)
    _as_the_product(graph, 1)


def _as_the_product(graph: TimingGraph, frames: int) -> None:
    names = [channel.name for channel in graph.channels]
    solved = solve(graph, frames)
    try:
        run = run_compiled(graph, frames, extrapolate=False, channels=names)
    except DeadlockError:
        assert solved is None
        return
    assert solved is not None
    for name, words in zip(names, solved, strict=True):
        _same(words, run.word_cycles[name].written, run.word_cycles[name].read, run.result.cycles_total)


def _same(words: Words, written: object, read: object, total: int) -> None:
    assert _before(words.written, total) == tuple(written)  # type: ignore[call-overload]
    assert _before(words.read, total) == tuple(read)  # type: ignore[call-overload]


def test_the_product_moves_every_word_as_the_plain_solver_does() -> None:
    hold(_as_the_product, GRAPHS, st.integers(1, 8), examples=150)
