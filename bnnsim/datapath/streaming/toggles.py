"""Switching activity, counted: every bit that changes on a stream, at the PEs and in a bit-exact run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from bnnsim.design.streaming.units import (
    Add,
    Concat,
    Converter,
    LabelSelect,
    Lookup,
    Multiply,
    Mvau,
    Padding,
    Pool,
    Repeat,
    Scale,
    Sink,
    Source,
    Split,
    StreamingGraph,
    Threshold,
    Unit,
    WeightBuffer,
    Window,
)


@dataclass(frozen=True)
class ToggleCount:
    """Bits that changed in a run of ``frames`` frames.

    ``streams`` by stream name: changes from each word to the next on its wires. ``operands`` by MVAU
    name: changes of the ``simd`` operand that all its PEs see, fold after fold. ``accesses`` by unit
    name: words read from the unit's own memories.
    """

    frames: int
    streams: Mapping[str, int]
    operands: Mapping[str, int]
    accesses: Mapping[str, int]


class ToggleCounter:
    """An observer of the SimPy executor that counts while the words pass.

    Wires and operand registers start at zero, as after a reset.
    """

    def __init__(self, graph: StreamingGraph) -> None:
        self._graph = graph
        self._last_word = [0] * len(graph.streams)
        self._toggles = [0] * len(graph.streams)
        self._operands: dict[int, _Operand] = {}
        for unit in graph.units:
            operand = _operand(unit)
            if operand is not None:
                position = next(
                    i for i, stream in enumerate(graph.streams) if stream.name == unit.inputs[0]
                )
                self._operands[position] = operand

    def word_written(self, channel: int, cycle: int, word: int) -> None:
        if channel < len(self._toggles):
            self._toggles[channel] += (word ^ self._last_word[channel]).bit_count()
            self._last_word[channel] = word

    def word_read(self, channel: int, cycle: int, word: int) -> None:
        operand = self._operands.get(channel)
        if operand is not None:
            operand.push(word)

    def stalled(self, unit: int, side: str, start_cycle: int, end_cycle: int) -> None:
        """A stalled unit's registers hold still."""

    def stepped(self, unit: int, cycle: int) -> None:
        """Steps move no words that the other calls do not see."""

    def count(self, frames: int) -> ToggleCount:
        """What was counted in a run of ``frames`` frames."""
        operands = {operand.name: operand for operand in self._operands.values()}
        return ToggleCount(
            frames,
            {s.name: n for s, n in zip(self._graph.streams, self._toggles, strict=True)},
            {name: operand.toggles for name, operand in operands.items()},
            {name: operand.accesses for name, operand in operands.items()},
        )


def _operand(unit: Unit) -> _Operand | None:
    """The operand register of a unit that keeps one; the others' toggles are their streams'."""
    match unit.parameters:
        case Mvau() as mvau:
            return _Operand(unit.name, mvau)
        case (
            Source() | Sink() | Converter() | Padding() | Window() | Pool()
            | Threshold() | Scale() | Lookup() | Split() | Add() | Multiply() | Concat() | Repeat()
            | LabelSelect() | WeightBuffer()
        ):
            return None
        case _:
            assert_never(unit.parameters)


class _Operand:
    """The operand register of an MVAU: the vector's words in turn, over again for every neuron fold."""

    def __init__(self, name: str, mvau: Mvau) -> None:
        self.name = name
        self.toggles = 0
        self.accesses = 0
        self._mvau = mvau
        self._words: list[int] = []
        self._last = 0

    def push(self, word: int) -> None:
        self.toggles += (word ^ self._last).bit_count()
        self._last = word
        self._words.append(word)
        if len(self._words) < self._mvau.synapse_fold * self._mvau.levels_in:
            return
        words = self._words
        inside = sum((a ^ b).bit_count() for a, b in itertools.pairwise(words))
        round_trip = inside + (words[-1] ^ words[0]).bit_count()
        self.toggles += (self._mvau.neuron_fold - 1) * round_trip
        self.accesses += self._mvau.fold
        self._words = []
