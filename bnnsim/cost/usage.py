"""What a design takes: unit by unit, in all, and against its device and budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from bnnsim.cost.blocks.amounts import Amounts
from bnnsim.cost.blocks.parts import Part
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
_STEERING = frozenset({PLATFORM, "control", "port", "frame_source", "frame_sink"})
"""Kinds of unit that hold no data path."""
_STEERING_PARTS = ("control", "counter", "loop", "weight memory", "threshold memory")
"""Words in the names of parts whose logic holds none: of memories it is decoders and enables."""


@dataclass(frozen=True)
class UnitResources:
    """What one unit, stream FIFO or the platform takes, and which parts that comes from.

    ``layer`` is the layer it serves.
    Amounts are the parts' sum, rounded.
    """

    name: str
    kind: ResourceKind
    layer: str
    amounts: Amounts[int]
    parts: tuple[Part, ...]

    @cached_property
    def control_share(self) -> float:
        """The share of its logic that steers instead of working on data."""
        if self.kind in _STEERING:
            return 1.0
        logic = steering = 0.0
        for part in self.parts:
            luts = part.amounts.lut_logic
            logic += luts
            if luts and _steers(part.name):
                steering += luts
        return steering / logic if logic else 0.0

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


@lru_cache(maxsize=4096)
def _steers(part: str) -> bool:
    """Whether a part's name says that its logic holds no data path; few names are asked for often."""
    return any(word in part for word in _STEERING_PARTS)


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
        used, allowed, amount = (f"{n:,}" for n in (self.used, self.allowed, self.amount))
        return f"{self.resource}: {used} used, {allowed} allowed, {amount} too many"


@dataclass(frozen=True, slots=True)
class Capped:
    """A resource of which an engine wants more than the device has, constants among it.

    The design does not fit as it is said. Tools then build constants from LUTs: what that would leave
    and take is told apart, and is in no other number.
    """

    resource: str
    """The resource that runs out: bram18 or m20k."""
    wanted: int
    """What the design takes of it, as in `resources`: more than the device has."""
    used: int
    """What would be left of that were constants moved to LUTs until the rest fits."""
    moved_lut: int
    """LUTs (of Intel parts ALMs) that these constants would take; `resources` has them in blocks."""

    def __str__(self) -> str:
        return (
            f"{self.resource}: does not fit by the model: {self.wanted:,} wanted; with constants of "
            f"{self.wanted - self.used:,} in {self.moved_lut:,} LUT more, as tools do, "
            f"{self.used:,} are left"
        )


@dataclass(frozen=True)
class Resources:
    """Resources of a design: each unit, the sum, and how it stands to the device and the budget.

    ``budget`` holds the architecture's limits completed with what the device has. ``capped`` names
    resources that run out while constants could become LUTs.
    """

    units: tuple[UnitResources, ...]
    total: Amounts[int]
    device: Device
    budget: Budget
    capped: tuple[Capped, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, UnitResources]:
        return {unit.name: unit for unit in self.units}

    @cached_property
    def by_layer(self) -> Mapping[str, Amounts[int]]:
        """The sum over the units and streams of each layer; ``platform`` is one of them."""
        sums: dict[str, Amounts[int]] = {}
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

    def capped_of(self, resource: str) -> Capped | None:
        """What could move where ``resource`` does not fit; None where it fits or nothing could."""
        return next((entry for entry in self.capped if entry.resource == resource), None)

    @property
    def fits(self) -> bool:
        """Whether nothing exceeds the budget and the device."""
        return not self.exceeded
