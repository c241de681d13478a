"""What an engine's executors report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, get_args

from bnnsim.design.engine.program import WorkKind
from bnnsim.spec.engine.blocks import Payload

Booked = WorkKind | Literal["weight_load", "activation_load", "activation_store"]
"""Under which name cycles of work and of transfers in sequence are booked."""
EngineUnitKind = Literal["array", "stage", "host", "mover", "port"]
LOADED_AS: Mapping[Payload, Booked] = {
    "weights": "weight_load",
    "thresholds": "weight_load",
    "activations": "activation_load",
    "shortcut": "activation_load",
    "image": "activation_load",
    "results": "activation_store",
}
"""How a load in sequence is booked; every store is an activation store."""
Stall = Literal["weight_stall", "activation_stall", "store_stall"]
"""Waiting, by what for: weights (thresholds too), maps or the image on their way in, maps or results on
their way out."""
STALLS: tuple[Stall, ...] = get_args(Stall)
Activity = Booked | Stall
"""What the controller does: under which name its cycles are booked."""


@dataclass
class PartCycles:
    """Where one part of the frame (a layer, or the frame's own start and end) spent its cycles.

    A ``stall``: waiting for a transfer that runs beside the arrays, or for the port, by what is
    transferred. Loads and stores that run beside them show in the movers' busy cycles, not here.
    """

    name: str
    compute_cycles: int = 0
    stage_cycles: int = 0
    weight_load_cycles: int = 0
    activation_load_cycles: int = 0
    activation_store_cycles: int = 0
    host_cycles: int = 0
    weight_stall_cycles: int = 0
    activation_stall_cycles: int = 0
    store_stall_cycles: int = 0
    overhead_cycles: int = 0

    @property
    def cycles(self) -> int:
        return sum(getattr(self, f.name) for f in fields(self) if f.name != "name")

    @property
    def stall_cycles(self) -> int:
        return self.weight_stall_cycles + self.activation_stall_cycles + self.store_stall_cycles

    def since(self, before: PartCycles) -> PartCycles:
        """What was booked after ``before``."""
        names = [f.name for f in fields(self) if f.name != "name"]
        return PartCycles(self.name, **{n: getattr(self, n) - getattr(before, n) for n in names})

    def book(self, kind: Activity, cycles: int) -> None:
        name = f"{kind}_cycles"
        setattr(self, name, getattr(self, name) + cycles)


@dataclass(frozen=True)
class EngineUnitCycles:
    """One array, stage, mover, port or the host: busy + stalled + idle = the run's cycles."""

    name: str
    kind: EngineUnitKind
    busy: int
    stalled: int
    idle: int


@dataclass(frozen=True)
class EngineTiming:
    """A run of ``frames`` frames; ``parts`` are summed over the frames.

    ``frame_end_cycles`` are the cycles (counted from 1) after which each frame was complete.
    """

    frames: int
    cycles_total: int
    frame_end_cycles: tuple[int, ...]
    parts: tuple[PartCycles, ...]
    units: tuple[EngineUnitCycles, ...]
