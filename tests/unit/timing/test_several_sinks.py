"""Several sinks: a frame has ended when the last of them has it. Counted by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.timing.streaming.steady_state.api import steady_state

EXECUTORS = {
    "simpy": lambda graph, frames: run_simpy(graph, frames).frame_end_cycles,
    "compiled": lambda graph, frames: run_compiled(graph, frames).result.frame_end_cycles,
}
Ends = Callable[[TimingGraph, int], Sequence[int]]


def program(*runs: Run) -> Lockstep:
    return Lockstep((Block(1, runs),), 0, True)


def forked(quick: Lockstep, slow: Lockstep, depth_words: int = 10) -> TimingGraph:
    """A word a frame into a fork, and a sink behind each of its outputs."""
    units = (
        TimingUnit("source", program(Run(1, writes=True)), (), (0,)),
        TimingUnit("fork", program(Run(1, reads=True, writes=True)), (0,), (1, 2)),
        TimingUnit("slow", slow, (1,), ()),
        TimingUnit("quick", quick, (2,), ()),
    )
    channels = tuple(Channel(f"c{n}", depth_words) for n in range(3))
    return TimingGraph(units, channels, (2, 3))


@pytest.mark.parametrize("ends", EXECUTORS.values(), ids=EXECUTORS)
def test_a_frame_ends_with_the_last_sink_s_last_word(ends: Ends) -> None:
    """The quick sink reads in cycles 2, 3, 4; the slow one in every third: 2, 5, 8."""
    graph = forked(program(Run(1, reads=True)), program(Run(2), Run(1, reads=True)))
    assert tuple(ends(graph, 3)) == (2, 5, 8)
    assert steady_state(graph).initiation_interval_cycles == 3


@pytest.mark.parametrize("ends", EXECUTORS.values(), ids=EXECUTORS)
def test_which_of_the_sinks_is_the_slow_one_does_not_matter(ends: Ends) -> None:
    """Read in the first of five cycles: 2, 7, 12, whichever sink it is."""
    slow, quick = program(Run(1, reads=True), Run(4)), program(Run(1, reads=True))
    assert tuple(ends(forked(quick, slow), 3)) == tuple(ends(forked(slow, quick), 3)) == (2, 7, 12)


@pytest.mark.parametrize("ends", EXECUTORS.values(), ids=EXECUTORS)
def test_a_run_is_stuck_where_one_of_the_sinks_is(ends: Ends) -> None:
    """The slow sink wants two words a frame and gets one: it never has its second frame."""
    graph = forked(program(Run(1, reads=True)), program(Run(2, reads=True)))
    with pytest.raises(DeadlockError, match="slow waits for a word in c1"):
        ends(graph, 2)
