"""Where cycles of words stand: far enough back for whatever a word can wait for."""

from __future__ import annotations

import pytest

from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.steps import Run
from bnnsim.timing.streaming.result import DeadlockError
from bnnsim.timing.streaming.solver.layout import lay_out
from tests.property.clockwork import run_clockwork
from tests.property.examples import hold
from tests.property.networks import design_graphs
from tests.property.pipelines import timing_graphs

from .small_graphs import program


def _looks_back_as_far_as_a_fifo_is_deep(graph: TimingGraph) -> None:
    for frames in (1, 2, 5):
        channel = lay_out(graph, frames, has_counts=False).state.channel
        waits = channel["is_bounded"] != 0
        assert (channel["old_reads"][waits] > channel["depth"][waits]).all()


@pytest.mark.parametrize("graphs", [timing_graphs(), design_graphs()], ids=["pipelines", "designs"])
def test_a_word_finds_the_read_that_makes_room_for_it_at_the_beginning_too(graphs: object) -> None:
    hold(_looks_back_as_far_as_a_fifo_is_deep, graphs, examples=60)  # type: ignore[arg-type]


def _takes_as_long_as_by_the_clock(graph: TimingGraph) -> None:
    try:
        cycles = run_clockwork(graph, 1).result.cycles_total
    except DeadlockError:
        return
    assert run_compiled(graph, 1).result.cycles_total == cycles


def test_a_single_frame_through_fifos_deeper_than_its_words_takes_as_long_as_by_the_clock() -> None:
    hold(_takes_as_long_as_by_the_clock, design_graphs(), examples=60)


def test_of_several_channels_with_two_units_at_one_end_the_first_is_named() -> None:
    writer, reader = program(Run(1, writes=True)), program(Run(1, reads=True))
    units = (
        TimingUnit("a", writer, (), (1,)),
        TimingUnit("b", writer, (), (1,)),
        TimingUnit("c", writer, (), (0,)),
        TimingUnit("d", writer, (), (0,)),
        TimingUnit("e", reader, (0,), ()),
        TimingUnit("f", reader, (1,), ()),
    )
    graph = TimingGraph(units, (Channel("left", 2), Channel("right", 2)), sinks=(4, 5))
    with pytest.raises(ValueError, match="channel right has two units at one end"):
        lay_out(graph, 1, has_counts=False)
