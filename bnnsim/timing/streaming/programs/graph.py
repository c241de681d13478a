"""Units with programs and bounded FIFOs between them: what the executors run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
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
from bnnsim.timing.streaming.programs.program import Lockstep, Program
from bnnsim.timing.streaming.programs.steps import Block, Run
from bnnsim.timing.streaming.programs.unit_programs import unit_program

PADDING_READ_AHEAD_WORDS = 1
"""The RTL padding unit takes one word ahead into a register."""
MVAU_RTL_QUEUE_WORDS = 1
"""The RTL MVAU's output queue."""

TURN_AHEAD_WORDS = 1
"""What an input that is not read in every step is ahead by: a register."""


@dataclass(frozen=True)
class Channel:
    """A FIFO of ``depth_words``.

    Sampled at the start of a cycle, committed at its end: a word written in cycle t can be read from
    t + 1, a place freed in t written from t + 1. ``falls_through``: a word can be read in the cycle it
    is written (a register slice's internal side). For test benches, a channel without writer
    (``supplies``) always holds a word, and one without reader accepts in cycles that are a multiple of
    ``ready_every``.
    """

    name: str
    depth_words: int
    falls_through: bool = False
    supplies: bool = False
    ready_every: int = 0


@dataclass(frozen=True)
class TimingUnit:
    """A program with its ports: positions in the graph's channels. ``part_of`` names the unit of the
    design to which a register slice belongs; it is not reported on its own."""

    name: str
    program: Program
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    part_of: str = ""


@dataclass(frozen=True)
class TimingGraph:
    """Units and channels; ``sinks`` are the positions of the units whose words end frames.

    A frame has ended when every sink has its last word of it, and the run with the last frame. A sink's
    words are those that it takes, or on a test bench, where it writes into the open, those it writes.
    """

    units: tuple[TimingUnit, ...]
    channels: tuple[Channel, ...]
    sinks: tuple[int, ...]

    def frame_words(self, sink: int) -> int:
        """How many words of the sink at position ``sink`` make a frame."""
        unit = self.units[sink]
        return unit.program.words_out if unit.outputs else unit.program.words_in

    @cached_property
    def channel_position(self) -> Mapping[str, int]:
        return {channel.name: i for i, channel in enumerate(self.channels)}

    def with_depths(self, depth_words: Mapping[str, int]) -> TimingGraph:
        """A graph of these units with other FIFO depths, by channel name; depths not named stay."""
        channels = tuple(
            replace(c, depth_words=depth_words.get(c.name, c.depth_words)) for c in self.channels
        )
        return replace(self, channels=channels)


def build_timing(graph: StreamingGraph) -> TimingGraph:
    """Programs and channels of a streaming graph, register slices included.

    The first ``len(graph.streams)`` channels are the graph's streams in order.
    """
    channels = [Channel(stream.name, stream.depth_words) for stream in graph.streams]
    position = {channel.name: i for i, channel in enumerate(channels)}
    units: list[TimingUnit] = []
    sinks: list[int] = []
    for unit in graph.units:
        inputs = tuple(position[name] for name in unit.inputs)
        outputs = tuple(position[name] for name in unit.outputs)
        _place(unit, inputs, outputs, units, channels)
        if not unit.outputs:
            sinks.append(len(units) - 1)
    return TimingGraph(tuple(units), tuple(channels), tuple(sinks))


def build_bench(unit: Unit, ready_every: int = 1) -> TimingGraph:
    """``unit`` alone, register slices included, as on a test bench.

    Its inputs always hold a word and its outputs accept one in cycles that are a multiple of
    ``ready_every``. The run ends with the last word that it writes.
    """
    channels = [Channel(name, 1, supplies=True) for name in unit.inputs]
    channels += [Channel(name, 1, ready_every=ready_every) for name in unit.outputs]
    ports = tuple(range(len(channels)))
    units: list[TimingUnit] = []
    _place(unit, ports[: len(unit.inputs)], ports[len(unit.inputs) :], units, channels)
    return TimingGraph(tuple(units), tuple(channels), (len(units) - 1,))


def _place(
    unit: Unit,
    inputs: tuple[int, ...],
    outputs: tuple[int, ...],
    units: list[TimingUnit],
    channels: list[Channel],
) -> None:
    """Append a unit and its register slices, with the channels inside; the last unit writes out."""
    program = unit_program(unit)
    inside = len(channels)
    match unit.parameters:
        case Padding():
            name = f"{unit.name}.ahead"
            channels.append(Channel(name, PADDING_READ_AHEAD_WORDS, True))
            units.append(_slice(unit, name, program.words_in, inputs, (inside,)))
            units.append(TimingUnit(unit.name, program, (inside,), outputs))
        case Mvau() as mvau:
            if mvau.waits_its_turn:
                inputs = (_place_ahead(unit, mvau, inputs[0], units, channels), *inputs[1:])
            if unit.library == "rtl":
                _place_queue(unit, program, inputs, outputs, units, channels)
            else:
                units.append(TimingUnit(unit.name, program, inputs, outputs))
        case Concat() as concat if concat.takes_turns:
            _place_turns(unit, concat, inputs, units, channels)
            ports = tuple(range(inside, len(channels)))
            units.append(TimingUnit(unit.name, program, ports, outputs))
        case (
            Source() | Sink() | Converter() | Window() | Pool() | Threshold() | Scale() | Lookup()
            | Split() | Add() | Multiply() | Concat() | Repeat() | LabelSelect() | WeightBuffer()
        ):
            units.append(TimingUnit(unit.name, program, inputs, outputs))
        case _:
            assert_never(unit.parameters)


def _place_ahead(
    unit: Unit, mvau: Mvau, channel: int, units: list[TimingUnit], channels: list[Channel]
) -> int:
    """A register slice in front of the vectors of an MVAU that reads weights alone in between, where it
    passes on words that nobody looks at; the channel behind it."""
    name = f"{unit.name}.ahead"
    later = Run((mvau.neuron_fold - 1) * mvau.synapse_fold, writes=True)
    block = Block(mvau.vectors, (Run(mvau.synapse_fold, True, True), later))
    channels.append(Channel(name, TURN_AHEAD_WORDS, True))
    behind = len(channels) - 1
    units.append(TimingUnit(name, Lockstep((block,), 0, True), (channel,), (behind,), unit.name))
    return behind


def _place_queue(
    unit: Unit,
    program: Program,
    inputs: tuple[int, ...],
    outputs: tuple[int, ...],
    units: list[TimingUnit],
    channels: list[Channel],
) -> None:
    """A unit with a one-word queue at its output."""
    name, inside = f"{unit.name}.queue", len(channels)
    channels.append(Channel(name, MVAU_RTL_QUEUE_WORDS, True))
    units.append(TimingUnit(unit.name, program, inputs, (inside,)))
    units.append(_slice(unit, name, program.words_out, (inside,), outputs))


def _place_turns(
    unit: Unit, concat: Concat, inputs: tuple[int, ...], units: list[TimingUnit], channels: list[Channel]
) -> None:
    """A register slice an input: in the turns of the others it passes on words that nobody looks at."""
    total = sum(concat.turns)
    before = 0
    for place, (channel, own) in enumerate(zip(inputs, concat.turns, strict=True)):
        name = f"{unit.name}.turn{place}"
        runs = (
            Run(before, writes=True),
            Run(own, True, True),
            Run(total - before - own, writes=True),
        )
        block = Block(concat.words // total, tuple(run for run in runs if run.steps))
        channels.append(Channel(name, TURN_AHEAD_WORDS, True))
        program = Lockstep((block,), 0, True)
        units.append(TimingUnit(name, program, (channel,), (len(channels) - 1,), unit.name))
        before += own


def _slice(
    unit: Unit, name: str, words: int, inputs: tuple[int, ...], outputs: tuple[int, ...]
) -> TimingUnit:
    wire = Lockstep((Block(words, (Run(1, True, True),)),), 0, True)
    return TimingUnit(name, wire, inputs, outputs, unit.name)
