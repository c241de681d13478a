"""Which part holds a network, as ``fold --json`` says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bnnsim.files.schema_version import versioned
from bnnsim.search.fold.folded_design import FoldedDesign
from bnnsim.spec.device import Device


@dataclass(frozen=True)
class FoldedPart:
    """A network folded for one part."""

    device: str
    """The part."""
    throughput_fps: float | None
    """Frames a second of its folding; null where it does not hold the network at the rate."""
    resources: Mapping[str, int]
    """What it takes of each kind of resource; empty where it does not."""
    power_w: float | None
    """Watts at that rate; null where it does not."""
    refusal: str | None
    """Why it does not; null where it does."""


@dataclass(frozen=True)
class FoldedParts:
    """First designs of a network, and what was written of them."""

    parts: tuple[FoldedPart, ...]
    """Each part that was asked for, the smallest first."""
    smallest: str | None
    """The smallest part that holds it; null where none does."""
    least_power: str | None
    """The part with the least watts; null where none holds it."""
    file: str | None
    """The architecture; null where none was written."""

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names (docs/json.md)."""
        return versioned(asdict(self))


def part_with(device: Device, folded: FoldedDesign, power_w: float) -> FoldedPart:
    """The record of a part that holds the network, and of its design."""
    intel = device.vendor == "intel"
    names = ("alm", "ff", "m20k", "dsp") if intel else ("lut", "lutram", "ff", "bram18", "uram", "dsp")
    resources = {name: getattr(folded.resources.total, name) for name in names}
    return FoldedPart(device.name, folded.fps, resources, power_w, None)
