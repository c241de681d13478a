"""Two units and a FIFO, small enough to work out by hand."""

from __future__ import annotations

from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep, Program
from bnnsim.timing.streaming.programs.steps import Block, Run


def program(*runs: Run, repeat: int = 1, stages: int = 0, freezes: bool = True) -> Lockstep:
    """``runs`` in turn, ``repeat`` times a frame."""
    return Lockstep((Block(repeat, runs),), pipeline_depth=stages, freezes=freezes)


def into_sink(source: Program, sink: Program, depth_words: int) -> TimingGraph:
    """``source``, a FIFO and a sink that reads."""
    units = (TimingUnit("source", source, (), (0,)), TimingUnit("sink", sink, (0,), ()))
    return TimingGraph(units, (Channel("fifo", depth_words),), sinks=(1,))


def into_open(source: Program, unit: Program, depth_words: int) -> TimingGraph:
    """``source``, a FIFO and a unit whose output always has space."""
    units = (TimingUnit("source", source, (), (0,)), TimingUnit("unit", unit, (0,), (1,)))
    channels = (Channel("fifo", depth_words), Channel("out", 1, ready_every=1))
    return TimingGraph(units, channels, sinks=(1,))


EVERY_CYCLE = program(Run(1, writes=True), repeat=3)
EVERY_THIRD_CYCLE = program(Run(2), Run(1, reads=True), repeat=3)
