"""A simulated design with what it costs, under one name and unit each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bnnsim.cost.clock import ClockEstimate
from bnnsim.cost.power import FrameEnergy, Power
from bnnsim.cost.usage import RESOURCES, Resources
from bnnsim.datapath.engine.toggle_record import ArrayToggles
from bnnsim.datapath.streaming.toggles import ToggleCount
from bnnsim.evaluation.advice.record import AdviceReport
from bnnsim.evaluation.remark import remark_on
from bnnsim.simulation import Simulation

OPERATIONS_PER_MAC = 2
"""One binary multiply-accumulate counts as two operations, as in published GOPS."""
POWER_BASIS = "chip"

Toggles = ToggleCount | Mapping[str, ArrayToggles]
"""Switching activity counted in a bit-exact run: a pipeline's, or an engine's by array."""


@dataclass(frozen=True)
class Violation:
    """A budget that a design exceeds, and by how much."""

    name: str
    """The resource, or power_w."""
    used: float
    """What the design takes of it."""
    allowed: float
    """The budget."""

    @property
    def amount(self) -> float:
        """How much too many."""
        return self.used - self.allowed


@dataclass(frozen=True)
class Evaluation:
    """A simulated design with what it costs.

    ``power.activity_source`` says whether the switching activity was measured in a bit-exact run or
    is the default of random data at the design's rate. ``advice`` is there where it was asked for.

    Example:
        >>> from bnnsim import evaluate
        >>> found = evaluate("pynq-cnv", "cnv", timing_only=True)
        >>> round(found.power_w, 2), round(found.energy_per_frame_uj), found.violations
        (2.4, 787, ())
    """

    simulation: Simulation
    resources: Resources
    power: Power
    clock: ClockEstimate
    energy: FrameEnergy | None
    macs: int
    toggles: Toggles | None
    power_budget_w: float | None
    advice: AdviceReport | None = None

    @property
    def power_w(self) -> float:
        """Watts of the chip: static, dynamic and processing system."""
        return self.power.chip_w

    @property
    def energy_per_frame_uj(self) -> float | None:
        return None if self.energy is None else self.energy.total_uj

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every budget exceeded, with the amount."""
        broken = [Violation(e.resource, e.used, e.allowed) for e in self.resources.exceeded]
        budget = self.power_budget_w
        if budget is not None and self.power_w > budget:
            broken.append(Violation("power_w", self.power_w, budget))
        return tuple(broken)

    @property
    def remark(self) -> str:
        """One sentence where power, clock or size are beyond any such device; else empty."""
        return remark_on(self.resources, self.power_w, self.simulation.clock_mhz)

    @property
    def feasible(self) -> bool:
        return not self.violations

    @property
    def tops(self) -> float | None:
        """Tera-operations a second in steady state, two a MAC."""
        fps = self.simulation.throughput_fps
        return None if fps is None else fps * self.macs * OPERATIONS_PER_MAC / 1e12

    def per(self, amount: float) -> float | None:
        """Frames a second for each of ``amount``."""
        fps = self.simulation.throughput_fps
        return None if fps is None or amount <= 0 else fps / amount

    def to_json(self) -> dict[str, Any]:
        """The simulation's JSON and the costs, under the same names as in Python (docs/json.md)."""
        total = self.resources.total
        tops = self.tops
        return {
            **self.simulation.to_json(),
            "resources": {name: getattr(total, name) for name in RESOURCES},
            "resources_by_unit": [
                {"name": u.name, "kind": u.kind, "layer": u.layer}
                | {name: getattr(u.amounts, name) for name in RESOURCES}
                for u in self.resources.units
            ],
            "utilisation": dict(self.resources.utilisation),
            "capped": [asdict(c) for c in self.resources.capped],
            "power_w": self.power_w,
            "power_basis": POWER_BASIS,
            "power_parts_w": {
                "static": self.power.static_w,
                "processing_system": self.power.processing_system_w,
                "dynamic": self.power.dynamic_w,
            },
            "activity_source": self.power.activity_source,
            "energy_per_frame_uj": self.energy_per_frame_uj,
            "energy_by_layer_uj": None if self.energy is None else dict(self.energy.by_layer),
            "tops": tops,
            "tops_per_w": None if tops is None else tops / self.power_w,
            "fps_per_w": self.per(self.power_w),
            "fps_per_klut": self.per(total.lut / 1000),
            "achievable_clock_mhz": self.clock.achievable_mhz,
            "advice": None if self.advice is None else asdict(self.advice),
            "clock_warning": self.clock.warning,
            "feasible": self.feasible,
            "remark": self.remark,
            "violations": [asdict(v) | {"amount": v.amount} for v in self.violations],
        }
