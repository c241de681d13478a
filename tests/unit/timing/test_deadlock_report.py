"""What a deadlock says is awaited is what is missing for good, not what came in the last cycle."""

from __future__ import annotations

import pytest

from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import DeadlockError


def _passes(words_in: int, words_out: int) -> Lockstep:
    runs = (Run(words_in, reads=True), Run(words_out, writes=True))
    return Lockstep((Block(1, tuple(run for run in runs if run.steps)),), 0, True)


def test_a_word_that_came_in_the_last_cycle_is_not_reported_as_awaited() -> None:
    late = Lockstep((Block(1, (Run(1, True, True),)),), 9, False)
    units = (
        TimingUnit("source", _passes(0, 2), (), (0,)),
        TimingUnit("split", _passes(1, 1), (0,), (1, 2)),
        TimingUnit("pair", _passes(2, 1), (1,), (3,)),
        TimingUnit("late", late, (2,), (4,)),
        TimingUnit("join", _passes(1, 0), (3, 4), ()),
    )
    channels = tuple(Channel(name, 1) for name in ("fed", "long", "short", "joined", "last"))
    graph = TimingGraph(units, channels, (4,))
    for run in (lambda: run_simpy(graph, 1), lambda: run_compiled(graph, 1)):
        with pytest.raises(DeadlockError, match="nothing moves after cycle") as caught:
            run()
        assert caught.value.waiting["join"] == "a word in joined"
