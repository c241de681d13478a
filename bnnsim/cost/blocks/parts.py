"""What one named piece of hardware takes, and adding pieces up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount of each resource, fractions allowed (they are rounded per unit).

    ``lut_logic`` and ``lutram`` are LUT6 on Xilinx parts. On Intel parts ``lut_logic`` is still counted
    in LUT6 and becomes ALMs in the total, ``lutram`` is ALMs of MLABs, and ``m20k`` replaces ``bram18``.
    """

    lut_logic: float = 0.0
    lutram: float = 0.0
    ff: float = 0.0
    bram18: float = 0.0
    uram: float = 0.0
    dsp: float = 0.0
    m20k: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.lut_logic + other.lut_logic,
            self.lutram + other.lutram,
            self.ff + other.ff,
            self.bram18 + other.bram18,
            self.uram + other.uram,
            self.dsp + other.dsp,
            self.m20k + other.m20k,
        )

    def __mul__(self, times: float) -> Cost:
        return Cost(*(getattr(self, name) * times for name in AMOUNTS))


AMOUNTS = tuple(field.name for field in fields(Cost))


@dataclass(frozen=True, slots=True)
class Part:
    """A named piece of a unit and what it takes."""

    name: str
    cost: Cost


def total(parts: Iterable[Part]) -> Cost:
    """The sum of what the parts take."""
    result = Cost()
    for part in parts:
        result = result + part.cost
    return result
