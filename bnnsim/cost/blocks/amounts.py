"""How much of each resource: an estimate with fractions, and the whole numbers it is rounded to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import reduce
from operator import add, attrgetter
from typing import Any, Generic, TypeVar, overload

from bnnsim.cost.blocks.technology import Technology

Number = TypeVar("Number", int, float, covariant=True)
_ZERO: Any = 0  # of either type


@dataclass(frozen=True, slots=True)
class Amounts(Generic[Number]):
    """An amount of each resource: an estimate with fractions, or the whole numbers it is rounded to.

    ``lut_logic`` and ``lutram`` are LUT6 on Xilinx parts. On Intel parts an estimate counts
    ``lut_logic`` in LUT6 and ``lutram`` in ALMs of MLABs, which become ``alm`` when it is rounded, and
    ``m20k`` replaces ``bram18``.
    """

    lut_logic: Number = _ZERO
    lutram: Number = _ZERO
    ff: Number = _ZERO
    bram18: Number = _ZERO
    uram: Number = _ZERO
    dsp: Number = _ZERO
    alm: Number = _ZERO
    m20k: Number = _ZERO

    @property
    def lut(self) -> Number:
        """Logic and LUTRAM together; none on Intel parts."""
        return self.lut_logic + self.lutram if not self.alm else _ZERO

    @overload
    def __add__(self: Amounts[int], other: Amounts[int]) -> Amounts[int]: ...
    @overload
    def __add__(self: Estimate, other: Estimate) -> Estimate: ...
    def __add__(self: Estimate, other: Estimate) -> Estimate:
        return Amounts(
            self.lut_logic + other.lut_logic,
            self.lutram + other.lutram,
            self.ff + other.ff,
            self.bram18 + other.bram18,
            self.uram + other.uram,
            self.dsp + other.dsp,
            self.alm + other.alm,
            self.m20k + other.m20k,
        )

    def __mul__(self, times: float) -> Estimate:
        return Amounts(*(getattr(self, name) * times for name in AMOUNTS))

    def rounded(self, tech: Technology) -> Amounts[int]:
        """Whole resources; on Intel parts LUTs become ALMs and block RAM becomes M20K."""
        ff, dsp, m20k = int(self.ff + 0.5), int(self.dsp + 0.5), int(self.m20k + 0.5)
        if tech.is_intel:
            alm = int(self.lut_logic * tech["alm_per_lut"] + self.lutram + 0.5)
            return Amounts(ff=ff, dsp=dsp, alm=alm, m20k=m20k)
        return Amounts(
            int(self.lut_logic + 0.5),
            int(self.lutram + 0.5),
            ff,
            int(self.bram18 + 0.5),
            int(self.uram + 0.5),
            dsp,
        )


Estimate = Amounts[float]
AMOUNTS = tuple(field.name for field in fields(Amounts))


amounts_of = attrgetter(*AMOUNTS)
"""The amounts of one item in the order of ``AMOUNTS``."""


def add_up(items: Iterable[Amounts[Number]]) -> Amounts[Number]:
    """The sum of amounts, added up in their order."""
    columns = zip(*map(amounts_of, items), strict=True)
    return Amounts(*(reduce(add, column, _ZERO) for column in columns))
