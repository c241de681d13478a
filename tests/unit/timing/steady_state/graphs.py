"""Small pipelines whose cycles can be told by hand."""

from __future__ import annotations

from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep, Program
from bnnsim.timing.streaming.programs.steps import Block, Run


def lockstep(*runs: Run, words: int = 1, depth: int = 0, freezes: bool = True) -> Lockstep:
    """``runs`` once a word, ``words`` words a frame, behind ``depth`` stages."""
    return Lockstep((Block(words, runs),), depth, freezes)


def chain(*programs: Program, depth_words: int = 2) -> TimingGraph:
    """One unit after the other, the last the sink, with FIFOs of ``depth_words`` between them."""
    last = len(programs) - 1
    units = [
        TimingUnit(
            f"u{number}",
            program,
            (number - 1,) if number else (),
            (number,) if number < last else (),
        )
        for number, program in enumerate(programs)
    ]
    channels = [Channel(f"c{number}", depth_words) for number in range(last)]
    return TimingGraph(tuple(units), tuple(channels), (last,))
