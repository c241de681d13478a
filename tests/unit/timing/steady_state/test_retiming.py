"""A small fork and join, retimed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bnnsim.timing.streaming.compiled.layout import MachineOptions
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.steady_state.retiming import Retimed, retimed_graph

from .graphs import chain, lockstep

WORDS = 3  # a frame, one a step
COPY = (Run(1, reads=True, writes=True),)


def _fork_join(left_depth: int, right_depth: int) -> TimingGraph:
    def copy(depth: int = 0) -> Lockstep:
        return lockstep(*COPY, words=WORDS, depth=depth)

    units = (
        TimingUnit("source", lockstep(Run(1, writes=True), words=WORDS), (), (0,)),
        TimingUnit("fork", copy(), (0,), (1, 2)),
        TimingUnit("left", copy(left_depth), (1,), (3,)),
        TimingUnit("right", copy(right_depth), (2,), (4,)),
        TimingUnit("join", copy(), (3, 4), (5,)),
        TimingUnit("sink", lockstep(Run(1, reads=True), words=WORDS), (5,), ()),
    )
    return TimingGraph(units, tuple(Channel(f"c{n}", 2) for n in range(6)), (5,))


def _cuts(graph: TimingGraph) -> dict[str, tuple[int, int]]:
    """Per unit the step with which its pass begins to read, and to write."""
    programs = {unit.name: unit.program for unit in graph.units}
    return {n: (p.reads_from, p.writes_from) for n, p in programs.items() if isinstance(p, Retimed)}


def _frame_ends(graph: TimingGraph, frames: int) -> list[int]:
    """The cycle in which the sink reads each frame's last word."""
    machine = Machine(graph, MachineOptions(10))
    machine.run_to(10)
    ends: list[int] = machine.ends[:frames].tolist()
    return ends


def test_branches_of_four_stages_hold_back_four_words_and_the_join_begins_with_them() -> None:
    retimed = retimed_graph(_fork_join(4, 4))
    assert retimed is not None
    # Four stages hold back a frame and a word: the word that leaves as step 0 reads is step -4's, the
    # third of three, and so the join and the sink begin with a frame's third word.
    assert _cuts(retimed) == {
        "source": (0, 0),
        "fork": (0, 0),
        "left": (0, 2),
        "right": (0, 2),
        "join": (2, 2),
        "sink": (2, 2),
    }
    programs = [unit.program for unit in retimed.units]
    assert all(isinstance(p, Lockstep) and p.pipeline_depth == 0 for p in programs)


def test_the_first_frames_of_a_retimed_fork_and_join_end_as_soon_as_wires_let_them() -> None:
    graph = _fork_join(4, 4)
    retimed = retimed_graph(graph)
    assert retimed is not None
    # A word passes a unit in the cycle in which it is read, and a FIFO in one: written in 0, read by the
    # fork in 1, left and right 2, join 3, sink 4; then a word a cycle.
    assert _frame_ends(retimed, 3) == [6, 9, 12]
    # As it is, a word stays four cycles longer in the branches.
    assert _frame_ends(graph, 3) == [10, 13, 16]


@pytest.mark.parametrize("depths", [(1, 2), (0, 3), (1, 4)])
def test_branches_that_hold_back_different_words_are_not_retimed(depths: tuple[int, int]) -> None:
    assert retimed_graph(_fork_join(*depths)) is None


def test_flushing_pipelines_are_not_retimed_but_a_single_stage_is() -> None:
    ends = lockstep(Run(1, writes=True)), lockstep(Run(1, reads=True))
    for depth, can_be in ((1, True), (2, False)):
        middle = lockstep(*COPY, depth=depth, freezes=False)
        assert (retimed_graph(chain(ends[0], middle, ends[1])) is not None) == can_be


def test_words_read_ahead_are_the_next_frames() -> None:
    """A unit that reads a word before its first frame reads the second when its pass begins."""
    ahead = Lockstep(
        (Block(WORDS, COPY),), 0, True, prologue=(Block(1, (Run(1, reads=True),)),)
    )
    ends = lockstep(Run(1, writes=True), words=WORDS), lockstep(Run(1, reads=True), words=WORDS)
    retimed = retimed_graph(chain(ends[0], ahead, ends[1]))
    assert retimed is not None
    # To begin with the first word it must begin where that is read: one step before its frame does.
    assert _cuts(retimed) == {"u0": (0, 0), "u1": (2, 2), "u2": (2, 2)}


def test_an_elastic_unit_is_cut_with_the_first_word_that_depends_on_the_first_of_its_pass() -> None:
    window = Elastic(np.array([1, 2, 2, 3]), np.array([-1, -1, 1, 3]), latency=1)
    source = lockstep(Run(1, writes=True), words=4, depth=2)  # holds back two words
    graph = chain(source, window, lockstep(Run(1, reads=True), words=4), depth_words=4)
    retimed = retimed_graph(graph)
    assert retimed is not None
    program = retimed.units[1].program
    assert isinstance(program, Elastic)
    # Its pass begins with input word 2 and with output word 1, the first that depends on it. So input
    # words 2, 3 | 0, 1 become 0 to 3, and output words 1, 2, 3 | 0 become 0 to 3.
    assert program.dependence.tolist() == [0, 0, 1, 3]
    assert program.release.tolist() == [0, 2, 2, 2]
