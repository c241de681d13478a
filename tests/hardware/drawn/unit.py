"""A unit alone between its streams, and what draws of one have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.design.streaming.units import Stream, StreamingGraph, Unit, UnitParameters
from bnnsim.rtl.instance import UnitValues
from bnnsim.spec.value_type import BIPOLAR, ValueType
from bnnsim.timing.streaming.programs.unit_programs import unit_program

LAYER = "layer"
DEPTHS = (1, 1, 2, 2, 3, 5, 66)
TYPES = (BIPOLAR, BIPOLAR, ValueType("uint", 2), ValueType("int", 3), ValueType("fixed", 8, 7))


@dataclass(frozen=True)
class SingleUnit:
    """A unit between streams; weights, thresholds and named numbers as in a weights file."""

    unit: Unit
    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]
    weights: Integers | None = None
    thresholds: Integers | None = None
    named: Mapping[str, Integers] = field(default_factory=dict)

    @property
    def graph(self) -> StreamingGraph:
        return StreamingGraph((self.unit,), (*self.inputs, *self.outputs))

    @property
    def values(self) -> UnitValues:
        return UnitValues(
            self.unit,
            unit_program(self.unit),
            self.inputs,
            self.outputs,
            self.weights,
            self.thresholds,
            self.named,
        )


Port = tuple[int, int, ValueType]
"""Lanes, bits an element, type."""


def single_unit(
    random: Random,
    parameters: UnitParameters,
    inputs: list[Port],
    outputs: list[Port],
    library: Any = "hls",
    freezes: bool | None = None,
    words_in: list[int] | None = None,
    **numbers: Any,
) -> SingleUnit:
    freezing = random.random() < 0.5 if freezes is None else freezes
    unit = Unit("unit", LAYER, parameters, library, freezing and library == "hls", (), ())
    program = unit_program(unit)

    def streams(ports: list[Port], side: str, words: list[int]) -> tuple[Stream, ...]:
        return tuple(
            Stream(f"{side}{i}", "a", "b", lanes, bits, kind, random.choice(DEPTHS), words[i])
            for i, (lanes, bits, kind) in enumerate(ports)
        )

    given = streams(inputs, "in", words_in or [program.words_in] * len(inputs))
    made = streams(outputs, "out", [program.words_out] * len(outputs))
    named = replace(unit, inputs=tuple(s.name for s in given), outputs=tuple(s.name for s in made))
    return SingleUnit(named, given, made, **numbers)


def drawn_type(random: Random) -> ValueType:
    return random.choice(TYPES)


def divisor(random: Random, number: int) -> int:
    return random.choice([d for d in range(1, number + 1) if number % d == 0])


def drawn_numbers(random: Random, count: int, kind: ValueType) -> Integers:
    if random.random() < 0.3:
        return np.array([random.choice([kind.minimum, kind.maximum]) for _ in range(count)], np.int64)
    return np.array([random.randint(kind.minimum, kind.maximum) for _ in range(count)], np.int64)
