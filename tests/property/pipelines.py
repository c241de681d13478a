"""Random timing graphs: programs of every shape, chains, branches, register slices, elastic units.

Word counts fit along every edge, so a chain always ends; a graph with branches may lock up where its
FIFOs are too shallow, which is a result like any other. Graphs of
whole designs are drawn in :mod:`tests.property.networks`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from bnnsim.timing.streaming.programs.graph import Channel, TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep, Program
from bnnsim.timing.streaming.programs.steps import Block, Run

MAX_DEPTH = 8
MAX_FIFO_WORDS = 6
MAX_WORDS = 12


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]


@st.composite
def _parts(draw: st.DrawFn, words: int) -> tuple[int, ...]:
    """``words`` cut into one run or two."""
    first = draw(st.integers(0, words))
    return tuple(part for part in (first, words - first) if part)


@st.composite
def _runs(draw: st.DrawFn, words_in: int, words_out: int) -> tuple[Run, ...]:
    both = draw(st.integers(0, min(words_in, words_out)))
    runs = [Run(n, True, True) for n in draw(_parts(both))]
    runs += [Run(n, reads=True) for n in draw(_parts(words_in - both))]
    runs += [Run(n, writes=True) for n in draw(_parts(words_out - both))]
    runs += [Run(n) for n in draw(st.lists(st.integers(1, 4), max_size=2))]
    return tuple(draw(st.permutations(runs)))


@st.composite
def program_blocks(draw: st.DrawFn, words_in: int, words_out: int) -> tuple[Block, ...]:
    """One block or two that read and write so many words in all."""
    first_in = draw(st.integers(0, words_in))
    first_out = draw(st.integers(0, words_out))
    blocks = []
    for n, m in ((first_in, first_out), (words_in - first_in, words_out - first_out)):
        if n or m:
            repeat = draw(st.sampled_from(_divisors(math.gcd(n, m))))
            blocks.append(Block(repeat, draw(_runs(n // repeat, m // repeat))))
    return tuple(blocks)


@st.composite
def lockstep_programs(draw: st.DrawFn, words_in: int, words_out: int, may_flush: bool = True) -> Lockstep:
    """Any program of a frame of ``words_in`` and ``words_out`` words; some read ahead."""
    depth = draw(st.integers(0, MAX_DEPTH))
    freezes = draw(st.booleans()) or not may_flush
    prologue: tuple[Block, ...] = ()
    if words_in and draw(st.integers(0, 3)) == 0:
        ahead = draw(st.integers(1, words_in))
        runs = (Run(ahead, reads=True), *(Run(n) for n in draw(_parts(draw(st.integers(0, 2))))))
        prologue = (Block(1, runs),)
    return Lockstep(draw(program_blocks(words_in, words_out)), depth, freezes, prologue)


@st.composite
def elastic_programs(draw: st.DrawFn, words_in: int, words_out: int) -> Elastic:
    """A sliding buffer: output words show input words of a growing window, places free up behind it.

    Words of the next frame come in once the buffer is empty, or earlier: it may hold two frames.
    """
    front = sorted(draw(st.lists(st.integers(0, words_in - 1), min_size=words_out, max_size=words_out)))
    reach = draw(st.integers(0, 3))
    back = draw(st.lists(st.integers(0, reach), min_size=words_out, max_size=words_out))
    dependence = np.maximum(np.array(front) - np.array(back), 0)
    places = reach + 1 + draw(st.integers(0, 4))
    last_use = np.full(words_in, -1)
    last_use[dependence] = np.arange(words_out)  # of equal ones the later counts
    last_use = np.maximum.accumulate(last_use)
    early = draw(st.lists(st.integers(-2 * words_out, -1), min_size=places, max_size=places))
    if draw(st.booleans()):
        early = [draw(st.sampled_from([-1, -1 - words_out]))] * places
    release = np.concatenate([sorted(early), last_use])[:words_in]
    return Elastic(dependence.astype(np.int64), release.astype(np.int64), draw(st.integers(1, 4)))


@dataclass
class _Sketch:
    """A graph in the making; ``ends`` are channels without reader yet, with their words a frame."""

    draw: st.DrawFn
    units: list[TimingUnit] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    ends: list[tuple[int, int]] = field(default_factory=list)

    def channel(self, falls_through: bool = False, most_words: int = MAX_FIFO_WORDS) -> int:
        position = len(self.channels)
        depth = self.draw(st.integers(1, most_words))
        self.channels.append(Channel(f"c{position}", depth, falls_through))
        return position

    def unit(
        self, program: Program, inputs: tuple[int, ...], outputs: tuple[int, ...], part_of: str = ""
    ) -> str:
        name = f"u{len(self.units)}"
        self.units.append(TimingUnit(name, program, inputs, outputs, part_of))
        return name

    def take_end(self) -> tuple[int, int]:
        return self.ends.pop(self.draw(st.integers(0, len(self.ends) - 1)))

    def words(self) -> int:
        return self.draw(st.integers(1, MAX_WORDS))

    def append(self, program: Program, inputs: tuple[int, ...], outputs: int = 1) -> None:
        """A unit behind ``inputs`` with so many new ends."""
        made = tuple(self.channel() for _ in range(outputs))
        self.unit(program, inputs, made)
        self.ends += [(channel, program.words_out) for channel in made]


def _wire(words: int) -> Lockstep:
    return Lockstep((Block(words, (Run(1, True, True),)),), 0, True)


def _grow_chain(sketch: _Sketch, may_flush: bool) -> None:
    channel, words = sketch.take_end()
    program = sketch.draw(lockstep_programs(words, sketch.words(), may_flush))
    sketch.append(program, (channel,))


def _grow_elastic(sketch: _Sketch, may_flush: bool) -> None:
    channel, words = sketch.take_end()
    sketch.append(sketch.draw(elastic_programs(words, sketch.words())), (channel,))


def _grow_split(sketch: _Sketch, may_flush: bool) -> None:
    channel, words = sketch.take_end()
    out = sketch.words() if sketch.draw(st.booleans()) else words
    sketch.append(sketch.draw(lockstep_programs(words, out, may_flush)), (channel,), outputs=2)


def _grow_ahead(sketch: _Sketch, may_flush: bool) -> None:
    """A unit that takes words ahead through a register slice in front of it, as padding does."""
    channel, words = sketch.take_end()
    inside = sketch.channel(falls_through=True, most_words=2)
    name = f"u{len(sketch.units) + 1}"
    sketch.unit(_wire(words), (channel,), (inside,), part_of=name)
    program = sketch.draw(lockstep_programs(words, sketch.words(), may_flush))
    sketch.append(program, (inside,))


def _grow_queue(sketch: _Sketch, may_flush: bool) -> None:
    """A unit with a queue at its output, as the RTL MVAU has it."""
    channel, words = sketch.take_end()
    program = sketch.draw(lockstep_programs(words, sketch.words(), may_flush))
    inside = sketch.channel(falls_through=True, most_words=2)
    name = sketch.unit(program, (channel,), (inside,))
    out = sketch.channel()
    sketch.unit(_wire(program.words_out), (inside,), (out,), part_of=name)
    sketch.ends.append((out, program.words_out))


def _join(sketch: _Sketch, may_flush: bool) -> None:
    """Two ends into one unit, behind an adapter where their words a frame differ."""
    if len(sketch.ends) < 2:
        return
    first, words = sketch.take_end()
    second, others = sketch.take_end()
    if others != words:
        sketch.append(sketch.draw(lockstep_programs(others, words, may_flush)), (second,))
        second, _ = sketch.ends.pop()
    program = sketch.draw(lockstep_programs(words, sketch.words(), may_flush))
    sketch.append(program, (first, second))


_CHAIN = (_grow_chain, _grow_chain, _grow_ahead, _grow_queue, _grow_elastic)
_BRANCHED = (*_CHAIN, _grow_split, _grow_split, _join, _join)


@st.composite
def timing_graphs(
    draw: st.DrawFn, branches: bool = True, may_flush: bool = True, elastic: bool = True
) -> TimingGraph:
    """A source, up to six pieces of pipeline, and up to three sinks that may dawdle."""
    sketch = _Sketch(draw)
    words = sketch.words()
    source = Lockstep(
        draw(program_blocks(0, words)), draw(st.integers(0, 3)), draw(st.booleans()) or not may_flush
    )
    sketch.append(source, ())
    pieces = [p for p in (_BRANCHED if branches else _CHAIN) if elastic or p is not _grow_elastic]
    for _ in range(draw(st.integers(0, 6))):
        draw(st.sampled_from(pieces))(sketch, may_flush)
    most_sinks = draw(st.integers(1, 3))
    while len(sketch.ends) > most_sinks:
        _join(sketch, may_flush)
    sinks = []
    while sketch.ends:
        channel, words = sketch.take_end()
        eager = Lockstep((Block(1, (Run(words, reads=True),)),), 0, True)
        slow = Lockstep(draw(program_blocks(words, 0)), 0, True)
        sinks.append(len(sketch.units))
        sketch.unit(draw(st.sampled_from([eager, slow])), (channel,), ())
    return TimingGraph(tuple(sketch.units), tuple(sketch.channels), tuple(sinks))


@st.composite
def bench_graphs(draw: st.DrawFn) -> TimingGraph:
    """One unit, register slices included, whose inputs never lack a word; outputs open now and then."""
    sketch = _Sketch(draw)
    words_in, words_out = sketch.words(), sketch.words()
    kind = draw(st.sampled_from(["elastic", "plain", "ahead", "queue"]))
    ports = 1 if kind != "plain" else draw(st.integers(1, 2))
    for _ in range(ports):
        sketch.channels.append(Channel(f"in{len(sketch.channels)}", 1, supplies=True))
    inputs = tuple(range(ports))
    for _ in range(ports):
        every = draw(st.integers(1, 5))
        sketch.channels.append(Channel(f"out{len(sketch.channels)}", 1, ready_every=every))
    outputs = tuple(range(ports, 2 * ports))
    if kind == "elastic":
        sketch.unit(draw(elastic_programs(words_in, words_out)), inputs, outputs)
        return TimingGraph(tuple(sketch.units), tuple(sketch.channels), (0,))
    program = draw(lockstep_programs(words_in, words_out))
    inside = (sketch.channel(falls_through=True, most_words=2),) if kind != "plain" else ()
    if kind == "ahead":
        sketch.unit(_wire(words_in), inputs, inside, part_of="u1")
    sketch.unit(program, inside if kind == "ahead" else inputs, inside if kind == "queue" else outputs)
    if kind == "queue":
        sketch.unit(_wire(words_out), inside, outputs, part_of="u0")
    return TimingGraph(tuple(sketch.units), tuple(sketch.channels), (len(sketch.units) - 1,))
