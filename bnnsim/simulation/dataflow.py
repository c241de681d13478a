"""Bits without a clock: the words of each unit in their order, units one after the other.

A channel keeps its words in order, so word n that is read is word n that was written, in whatever cycle:
the words are those of a run in SimPy, through the same datapaths, which hold each layer's against the
same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Protocol

from bnnsim.design.streaming.datapath import Datapath, push_words
from bnnsim.simulation.options import Progress
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Lockstep, Program
from bnnsim.timing.streaming.programs.schedule import READS_WORD, WRITES_WORD, steps_with_words

WORDS_AT_ONCE = 4096
"""That a unit takes before it is asked for what leaves."""


class WordObserver(Protocol):
    """Sees every word, each channel's in their order. Channels are positions in the graph."""

    def word_written(self, channel: int, cycle: int, word: int) -> None: ...

    def word_read(self, channel: int, cycle: int, word: int) -> None: ...


def run_dataflow(
    graph: TimingGraph,
    datapaths: Mapping[str, Datapath],
    frames: int,
    observer: WordObserver | None = None,
    progress: Progress | None = None,
) -> None:
    """All words of ``frames`` frames through the ``datapaths``, by unit name.

    ``observer`` is told cycle 0 of each. ``progress`` is called with the units done, over all frames,
    and those in all.
    """
    order = units_in_order(graph)
    for frame in range(frames):
        held: dict[int, list[int]] = {}
        for number, position in enumerate(order):
            unit = graph.units[position]
            taken = [held.pop(channel) for channel in unit.inputs]
            if unit.part_of:
                leaving = _passed_on(unit.program, taken[0])
            else:
                datapath = datapaths[unit.name]
                _push(datapath, zip(*taken, strict=True))
                count = unit.program.words_out if unit.outputs else 0
                leaving = [datapath.pop() for _ in range(count)]
            held.update((channel, leaving) for channel in unit.outputs)
            if observer is not None:
                for channel, words in zip(unit.inputs, taken, strict=True):
                    for word in words:
                        observer.word_read(channel, 0, word)
                for channel in unit.outputs:
                    for word in leaving:
                        observer.word_written(channel, 0, word)
            if progress is not None:
                progress(frame * len(order) + number + 1, frames * len(order))


def units_in_order(graph: TimingGraph) -> list[int]:
    """Positions of the units, each behind those that write what it reads."""
    waits = [len(unit.inputs) for unit in graph.units]
    reader = {channel: u for u, unit in enumerate(graph.units) for channel in unit.inputs}
    order = [u for u, missing in enumerate(waits) if not missing]
    for position in order:
        for channel in graph.units[position].outputs:
            waits[reader[channel]] -= 1
            if not waits[reader[channel]]:
                order.append(reader[channel])
    return order


def _passed_on(program: Program, words: list[int]) -> list[int]:
    """What a register slice gives in a frame; where it has read no word, the last one again."""
    if program.words_out == program.words_in:
        return words
    assert isinstance(program, Lockstep)
    coming, word, leaving = iter(words), 0, []
    for _, flags in steps_with_words(program, 1):
        word = next(coming) if flags & READS_WORD else word
        if flags & WRITES_WORD:
            leaving.append(word)
    return leaving


def _push(datapath: Datapath, words: Iterable[tuple[int, ...]]) -> None:
    coming = iter(words)
    while part := list(islice(coming, WORDS_AT_ONCE)):
        push_words(datapath, part)
