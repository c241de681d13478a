"""How often bits change, memories are read and units work: what dynamic power goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, assert_never

from bnnsim.cost.blocks.coefficients import Coefficients, default_coefficients
from bnnsim.cost.usage import PLATFORM
from bnnsim.design.design import Design
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
    Stream,
    Threshold,
    Unit,
    WeightBuffer,
    Window,
)

PORT_BITS = 64
"""Bits a cycle between the platform's interconnect and memory."""


@dataclass(frozen=True)
class Activity:
    """How often bits change, memories are read and units work, a clock cycle.

    ``units`` are toggles per bit and cycle of the data that a unit works on, ``streams`` those of the
    words on a stream, ``memories`` accesses per cycle of a unit's memories, ``work`` the share of all
    cycles in which a unit or stream works, each by name. What is not named has the default: random data
    (0.5 toggles a word) in every cycle. ``external_bits`` go to and from DRAM in a cycle on average.
    ``source`` says where the numbers come from, ``default`` or ``measured``.
    """

    units: Mapping[str, float] = field(default_factory=dict)
    streams: Mapping[str, float] = field(default_factory=dict)
    memories: Mapping[str, float] = field(default_factory=dict)
    source: Literal["default", "measured"] = "default"
    work: Mapping[str, float] = field(default_factory=dict)
    external_bits: float = 0.0

    @property
    def is_measured(self) -> bool:
        return self.source == "measured"


def activity_at_rate(
    design: Design,
    initiation_interval_cycles: float,
    coefficients: Coefficients | None = None,
) -> Activity:
    """The activity of random data passing at a known rate: a frame every so many cycles.

    A unit works in as many cycles a frame as it has steps, and its data and memories change only then;
    a stream carries its words. A default, not a measurement: real data toggles less than random data.
    """
    values = coefficients or default_coefficients()
    toggles, accesses = values["reference_toggles"], values["reference_accesses"]
    work = work_shares(design, initiation_interval_cycles)
    units = [*(unit.name for unit in design.graph.units), PLATFORM]
    return Activity(
        units={name: toggles * work[name] for name in units},
        streams={s.name: toggles * work[s.name] for s in design.graph.streams},
        memories={name: accesses * work[name] for name in units},
        work=work,
        external_bits=frame_bits(design) / initiation_interval_cycles,
    )


def work_shares(design: Design, interval_cycles: float) -> dict[str, float]:
    """The share of all cycles in which each unit, each stream and the platform works."""
    by_name = design.graph.stream_by_name
    steps = {unit.name: unit_steps(unit, by_name) for unit in design.graph.units}
    steps |= {stream.name: stream.words for stream in design.graph.streams}
    shares = {name: min(1.0, count / interval_cycles) for name, count in steps.items()}
    shares[PLATFORM] = min(1.0, frame_bits(design) / PORT_BITS / interval_cycles)
    return shares


def frame_bits(design: Design, results: bool = True) -> int:
    """Bits of a frame that come from memory and, with ``results``, go back to it."""
    streams = design.graph.stream_by_name
    kinds = (Source, Sink) if results else (Source,)
    ends = [unit for unit in design.graph.units if isinstance(unit.parameters, kinds)]
    touched = [streams[name] for unit in ends for name in (*unit.inputs, *unit.outputs)]
    return sum(stream.words * stream.width_bits for stream in touched)


def product_toggles(operand: float, weights: float) -> float:
    """Toggles a step of the products of operands and weights that change by chance.

    A product of signs (an XNOR) changes where one of its two factors does and not the other.

    >>> product_toggles(0.3, 0.0), product_toggles(0.3, 0.5)
    (0.3, 0.5)
    """
    return operand + weights - 2 * operand * weights


def unit_steps(unit: Unit, streams: Mapping[str, Stream]) -> int:
    """Cycles a frame in which the unit works on new data; ``streams`` has those that it is at."""
    match unit.parameters:
        case Mvau() as mvau:
            return mvau.vectors * mvau.fold
        case (
            Source() | Sink() | Converter() | Padding() | Window() | Pool()
            | Threshold() | Scale() | Lookup() | Split() | Add() | Multiply() | Concat() | Repeat()
            | LabelSelect() | WeightBuffer()
        ):
            return max((streams[name].words for name in (*unit.inputs, *unit.outputs)), default=0)
        case _:
            assert_never(unit.parameters)
