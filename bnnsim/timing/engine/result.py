"""What an engine's executors report."""

from __future__ import annotations

from dataclasses import dataclass, fields

PAYLOAD_FIELD = {
    "weights": "weight_load_cycles",
    "thresholds": "weight_load_cycles",
    "activations": "activation_load_cycles",
    "shortcut": "activation_load_cycles",
    "image": "activation_load_cycles",
    "results": "activation_store_cycles",
}
"""Under which name a transfer in sequence is booked; every store is an activation store."""


@dataclass
class PartCycles:
    """Where one part of the frame (a layer, or the frame's own start and end) spent its cycles.

    ``stall``: waiting for a transfer that runs beside the arrays, or for the port. Loads and stores that
    run beside them show in the movers' busy cycles, not here.
    """

    name: str
    compute_cycles: int = 0
    stage_cycles: int = 0
    weight_load_cycles: int = 0
    activation_load_cycles: int = 0
    activation_store_cycles: int = 0
    host_cycles: int = 0
    stall_cycles: int = 0
    overhead_cycles: int = 0

    @property
    def cycles(self) -> int:
        return sum(getattr(self, f.name) for f in fields(self) if f.name != "name")

    def book(self, kind: str, cycles: int) -> None:
        name = f"{kind}_cycles"
        setattr(self, name, getattr(self, name) + cycles)


@dataclass(frozen=True)
class EngineUnitCycles:
    """One array, stage, mover, port or the host: busy + stalled + idle = the run's cycles."""

    name: str
    kind: str
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
