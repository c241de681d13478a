"""Placed designs whose structure is known in full: what the models say of each, part by part.

These rows calibrate the few fitted coefficients, and, left out one at a time, validate them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.coefficients import Coefficients
from bnnsim.cost.blocks.parts import total
from bnnsim.cost.blocks.technology import technology_of
from bnnsim.cost.engine.resources import engine_parts_by_unit, moved_constants
from bnnsim.cost.power import estimate_power
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.switching import activity_at_rate
from bnnsim.design.design import Design, EngineDesign
from bnnsim.evaluation.engine import engine_activity
from bnnsim.spec.device import Device
from bnnsim.validation.published import load_published_rows
from bnnsim.validation.systems import simulated_systems

PLACED = ("lut", "bram18", "dsp")
"""A system that reports one of these, its structure being complete, is a placed design."""
Model = Callable[[Coefficients], Estimate]


@dataclass(frozen=True)
class PlacedDesign:
    """A placed design: its name in the published results, and its resources by the models.

    ``capped`` are the resources of which the model wants more than the device has.
    """

    name: str
    device: Device
    resources: Model
    capped: tuple[str, ...]


@dataclass(frozen=True)
class PoweredDesign:
    """A design whose power was measured at a known rate; ``power`` gives the models' watts there."""

    name: str
    basis: str
    rate_fps: float
    reported_w: float
    is_calibration: bool
    power: Callable[[Coefficients], float]


@lru_cache(maxsize=1)
def placed_designs() -> tuple[PlacedDesign, ...]:
    """All placed designs whose hardware is known, by their publications."""
    return tuple(
        PlacedDesign(
            name,
            entry.design.device,
            _model(entry.design),
            tuple(c.resource for c in estimate_resources(entry.design).capped),
        )
        for name, entry in simulated_systems().items()
        if entry.system.structure == "complete"
        and any(result.quantity in PLACED for result in entry.system.results)
    )


def _model(design: Design | EngineDesign) -> Model:
    if isinstance(design, EngineDesign):
        return _engine_model(design)
    return _streaming_model(design)


def _engine_model(design: EngineDesign) -> Model:
    def resources(coefficients: Coefficients) -> Estimate:
        # Not rounded, so that it stays linear in the coefficients.
        tech = technology_of(design.device, coefficients, design.architecture.ram_decomposition)
        wanted = total(part for _, _, parts in engine_parts_by_unit(tech, design) for part in parts)
        # What was placed fits: constants without a block became LUTs. The blocks are those wanted.
        moved = moved_constants(tech, design, wanted.bram18 + wanted.m20k)
        return wanted + replace(moved, bram18=0.0, m20k=0.0)

    return resources


def _streaming_model(design: Design) -> Model:
    def resources(coefficients: Coefficients) -> Estimate:
        amounts = estimate_resources(design, coefficients).total
        return Amounts(
            amounts.lut_logic, amounts.lutram, amounts.ff, amounts.bram18, amounts.uram, amounts.dsp
        )

    return resources


def powered_designs() -> tuple[PoweredDesign, ...]:
    """Designs whose power was reported on a basis that says what was measured, at a known frame rate.

    Random data at that rate, whatever limits it: a measured rate needs no simulation.
    """
    found = []
    for row in load_published_rows():
        entry, result = simulated_systems().get(row.system.name), row.result
        if entry is not None and result.quantity == "power_w" and result.rate_fps is not None:
            model = _power_model(entry.design, result.basis, result.rate_fps)
            calibrates = result.role == "calibration"
            found.append(
                PoweredDesign(
                    row.system.name, result.basis, result.rate_fps, result.value, calibrates, model
                )
            )
    return tuple(found)


def _power_model(
    design: Design | EngineDesign, basis: str, rate_fps: float
) -> Callable[[Coefficients], float]:
    clock_mhz = design.architecture.clock_mhz
    interval = clock_mhz * 1e6 / rate_fps

    def watts(coefficients: Coefficients) -> float:
        if isinstance(design, EngineDesign):
            activity = engine_activity(design, interval, coefficients=coefficients)
        else:
            activity = activity_at_rate(design, interval, coefficients)
        resources = estimate_resources(design, coefficients)
        return estimate_power(resources, clock_mhz, activity, coefficients).of_basis(basis)

    return watts
