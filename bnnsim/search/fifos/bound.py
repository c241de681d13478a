"""Depths that are enough, from one run: how full FIFOs become when frames come at the wanted pace.

With unlimited FIFOs nothing waits for room. Let the source give its words evenly, a frame every ``L``
cycles, L no less than any unit needs: then every FIFO's level repeats with each frame. What it reaches
at most is the reach of a join's longer branch, or how far a unit's writes run ahead of its reader's
reads. That run is also one of the pipeline with FIFOs so deep, a word more for a place is free only in
the next cycle, only with waits that nothing asks for; without them no frame comes later. So these depths
keep L wherever waiting less never makes anything later, which is everywhere but in flushing pipelines of
several stages. Exact timing checks it.
"""

from __future__ import annotations

from dataclasses import replace

from bnnsim.timing.streaming.programs.graph import TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.solver.ended_run import most_filled_words

LEAST_DEPTH_WORDS = 2
"""A FIFO of one word carries a word every second cycle only."""


def bound_depths(graph: TimingGraph, interval_cycles: int, frames: int) -> dict[str, int]:
    """For each channel between units the words it holds at most in ``frames`` frames, and one more.

    ``interval_cycles`` is no less than what any unit needs by itself.
    """
    unlimited = unlimited_depths(graph, frames)
    paced = paced_graph(graph.with_depths(unlimited), interval_cycles)
    filled = most_filled_words(paced, frames)
    return {
        channel.name: max(LEAST_DEPTH_WORDS, words + 1)
        for channel, words in zip(graph.channels, filled, strict=True)
        if channel.name in unlimited
    }


def unlimited_depths(graph: TimingGraph, frames: int) -> dict[str, int]:
    """For each channel but register slices a depth that ``frames`` frames never fill.

    With room for a frame more the solver knows, and looks at no unit again for the room others make.
    """
    return {
        graph.channels[place].name: (frames + 1) * unit.program.words_out + 64
        for unit in graph.units
        for place in unit.outputs
        if not graph.channels[place].falls_through
    }


def paced_graph(graph: TimingGraph, interval_cycles: int) -> TimingGraph:
    """``graph`` with a source that spreads its words over ``interval_cycles``."""
    units = [unit if unit.inputs else _paced(unit, interval_cycles) for unit in graph.units]
    return replace(graph, units=tuple(units))


def _paced(source: TimingUnit, interval_cycles: int) -> TimingUnit:
    """Its words at distances that differ by a cycle at most, then its own gap."""
    program = source.program
    if not isinstance(program, Lockstep):
        return source
    words = program.words_out
    gap = program.steps - words
    distance, longer = divmod(max(interval_cycles - gap, words), words)
    blocks = (
        Block(longer, _apart(distance + 1)),
        Block(words - longer, _apart(distance)),
        Block(1, (Run(gap),)),
    )
    kept = tuple(block for block in blocks if block.steps)
    return replace(source, program=Lockstep(kept, program.pipeline_depth, program.freezes))


def _apart(cycles: int) -> tuple[Run, ...]:
    """A word, and the steps until the next."""
    return tuple(run for run in (Run(1, writes=True), Run(cycles - 1)) if run.steps)
