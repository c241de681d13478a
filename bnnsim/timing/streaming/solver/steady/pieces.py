"""Pieces of a pipeline, with test benches where it is cut: what a piece takes, the whole takes too.

What holds events of a piece up is the same in the whole pipeline; there more may. So a circuit of a
piece is one of the whole, and a small piece around the slowest unit is looked at in no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Program
from bnnsim.timing.streaming.solver.mould import Key


class Piece:
    """A graph as what it consists of, for comparison with others; programs are compared as objects."""

    __slots__ = ("graph", "key")

    def __init__(self, graph: TimingGraph) -> None:
        self.graph = graph
        units = ((u.name, u.part_of, Key(u.program), u.inputs, u.outputs) for u in graph.units)
        self.key = (*units, *graph.channels)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Piece) and other.key == self.key


def alone(program: Program) -> TimingGraph:
    """A unit of this program, between test benches."""
    unit = TimingUnit("unit", program, (0,), (1,))
    return TimingGraph((unit,), (Channel("in", 1, supplies=True), Channel("out", 1, ready_every=1)), (0,))


def piece(graph: TimingGraph, members: Sequence[int]) -> TimingGraph:
    """The units at the positions ``members``, in order, with the channels that they have."""
    units = [graph.units[member] for member in members]
    writes = {channel for unit in units for channel in unit.outputs}
    reads = {channel for unit in units for channel in unit.inputs}
    kept = sorted(writes | reads)
    place = {channel: n for n, channel in enumerate(kept)}
    channels = []
    for number in kept:
        channel = graph.channels[number]
        if number not in writes:
            channel = replace(channel, supplies=True)
        if number not in reads:
            channel = replace(channel, ready_every=1)
        channels.append(channel)
    placed = [
        replace(
            unit,
            inputs=tuple(place[channel] for channel in unit.inputs),
            outputs=tuple(place[channel] for channel in unit.outputs),
        )
        for unit in units
    ]
    return TimingGraph(tuple(placed), tuple(channels), (len(units) - 1,))


def around(graph: TimingGraph, unit: int, hops: int, most_words: int) -> tuple[int, ...]:
    """The positions of the units at most so many channels from the one at ``unit``, itself included, that
    have at most so many words a frame in all and hang together: the nearest ones, of these the smallest.
    None where that one alone has more."""
    ends: dict[int, list[int]] = {}
    for number, one in enumerate(graph.units):
        for channel in (*one.inputs, *one.outputs):
            ends.setdefault(channel, []).append(number)
    found: set[int] = set()
    reached, ring, words = {unit}, [unit], 0
    for _ in range(hops + 1):
        beside: set[int] = set()
        for number in sorted(ring, key=lambda n: (_words(graph, n), n)):
            if words + _words(graph, number) <= most_words:
                words += _words(graph, number)
                found.add(number)
                one = graph.units[number]
                beside.update(n for channel in (*one.inputs, *one.outputs) for n in ends[channel])
        ring = sorted(beside - reached)
        reached |= beside
    return tuple(sorted(found))


def _words(graph: TimingGraph, unit: int) -> int:
    program = graph.units[unit].program
    return program.words_in + program.words_out
