"""Which part holds a network, as ``fold --json`` says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bnnsim.files.schema_version import versioned
from bnnsim.search.fold.devices import DeviceAnswer, least_power, smallest


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


def folded_parts(found: Sequence[DeviceAnswer], file: Path | None) -> FoldedParts:
    """The record of foldings for parts."""
    small, frugal = smallest(found), least_power(found)
    return FoldedParts(
        tuple(_part(one) for one in found),
        None if small is None else small.device.name,
        None if frugal is None else frugal.device.name,
        None if file is None else str(file),
    )


def _part(one: DeviceAnswer) -> FoldedPart:
    if one.answer is None:
        return FoldedPart(one.device.name, None, {}, None, one.refusal)
    folded = one.answer.folded
    intel = one.device.vendor == "intel"
    names = ("alm", "ff", "m20k", "dsp") if intel else ("lut", "lutram", "ff", "bram18", "uram", "dsp")
    resources = {name: getattr(folded.resources.total, name) for name in names}
    return FoldedPart(one.device.name, folded.fps, resources, one.answer.power_w, None)
