"""Whole amounts of each resource: of a unit, of a design, and against device and budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bnnsim.cost.blocks.parts import Cost, Part
from bnnsim.cost.blocks.technology import Technology
from bnnsim.design.streaming.units import UnitKind
from bnnsim.spec.accelerator import Budget
from bnnsim.spec.device import Device

RESOURCES = ("lut", "lutram", "ff", "bram18", "uram", "dsp", "alm", "m20k")
"""The resources a device counts and a budget may bound; LUTRAM is part of ``lut``."""
PLATFORM: Literal["platform"] = "platform"
EnginePart = Literal["array", "stage", "buffer", "port", "control", "platform"]
"""What of an engine takes resources."""
ResourceKind = UnitKind | Literal["fifo"] | EnginePart
"""What takes resources: units and FIFOs of a pipeline, parts of an engine, the platform of both."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """Whole numbers of each resource. ``lut`` is logic and LUTRAM together."""

    lut_logic: int = 0
    lutram: int = 0
    ff: int = 0
    bram18: int = 0
    uram: int = 0
    dsp: int = 0
    alm: int = 0
    m20k: int = 0

    @property
    def lut(self) -> int:
        return self.lut_logic + self.lutram if not self.alm else 0

    def __add__(self, other: Amounts) -> Amounts:
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


@dataclass(frozen=True, slots=True)
class UnitResources:
    """What one unit, stream FIFO or the platform takes, and which parts that comes from.

    ``layer`` is the layer it serves.
    Amounts are the parts' sum, rounded.
    """

    name: str
    kind: ResourceKind
    layer: str
    amounts: Amounts
    parts: tuple[Part, ...]

    @property
    def lut(self) -> int:
        return self.amounts.lut

    @property
    def lut_logic(self) -> int:
        return self.amounts.lut_logic

    @property
    def lutram(self) -> int:
        return self.amounts.lutram

    @property
    def ff(self) -> int:
        return self.amounts.ff

    @property
    def bram18(self) -> int:
        return self.amounts.bram18

    @property
    def uram(self) -> int:
        return self.amounts.uram

    @property
    def dsp(self) -> int:
        return self.amounts.dsp


@dataclass(frozen=True, slots=True)
class Exceeded:
    """A resource of which more is used than allowed."""

    resource: str
    used: int
    allowed: int

    @property
    def amount(self) -> int:
        """How many too many."""
        return self.used - self.allowed

    def __str__(self) -> str:
        return f"{self.resource}: {self.used} used, {self.allowed} allowed, {self.amount} too many"


@dataclass(frozen=True)
class Resources:
    """Resources of a design: each unit, the sum, and how it stands to the device and the budget.

    ``budget`` holds the architecture's limits completed with what the device has.
    """

    units: tuple[UnitResources, ...]
    total: Amounts
    device: Device
    budget: Budget

    @cached_property
    def by_name(self) -> Mapping[str, UnitResources]:
        return {unit.name: unit for unit in self.units}

    @cached_property
    def by_layer(self) -> Mapping[str, Amounts]:
        """The sum over the units and streams of each layer; ``platform`` is one of them."""
        sums: dict[str, Amounts] = {}
        for unit in self.units:
            sums[unit.layer] = sums.get(unit.layer, Amounts()) + unit.amounts
        return sums

    @cached_property
    def utilisation(self) -> Mapping[str, float]:
        """Used share of the device (1.0 is all of it), for each resource that the device counts."""
        shares = {}
        for name in RESOURCES:
            available = getattr(self.device, name)
            if available:
                shares[name] = getattr(self.total, name) / available
        return shares

    @cached_property
    def exceeded(self) -> tuple[Exceeded, ...]:
        """Every limit that the design breaks, with the amount; empty if it fits."""
        broken = []
        for name in RESOURCES:
            allowed, used = getattr(self.budget, name), getattr(self.total, name)
            if allowed is not None and used > allowed:
                broken.append(Exceeded(name, used, allowed))
        return tuple(broken)

    @property
    def fits(self) -> bool:
        """Whether nothing exceeds the budget and the device."""
        return not self.exceeded


def rounded(tech: Technology, cost: Cost) -> Amounts:
    """Whole resources of a cost; on Intel parts LUTs become ALMs and block RAM becomes M20K."""
    whole = [int(value + 0.5) for value in (cost.ff, cost.bram18, cost.uram, cost.dsp, cost.m20k)]
    ff, bram18, uram, dsp, m20k = whole
    if tech.is_intel:
        alm = int(cost.lut_logic * tech["alm_per_lut"] + cost.lutram + 0.5)
        return Amounts(ff=ff, dsp=dsp, alm=alm, m20k=m20k)
    return Amounts(int(cost.lut_logic + 0.5), int(cost.lutram + 0.5), ff, bram18, uram, dsp)


def add_up(items: Iterable[Amounts]) -> Amounts:
    """The sum of amounts."""
    result = Amounts()
    for item in items:
        result = result + item
    return result
