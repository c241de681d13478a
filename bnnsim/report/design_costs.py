"""From the cost models' records to what the report shows."""

from __future__ import annotations

from bnnsim.cost.resources import RESOURCES, Resources, estimate_resources
from bnnsim.design.build import Design
from bnnsim.report.costs import CostsInfo, UnitCost
from bnnsim.simulation import Simulation


def costs_info(design: Design, simulation: Simulation) -> CostsInfo:
    """Resources of ``design`` against its budget, and its power at the simulated throughput."""
    resources = estimate_resources(design)
    return CostsInfo(
        totals={name: getattr(resources.total, name) for name in RESOURCES},
        budget={
            name: limit
            for name in RESOURCES
            if (limit := getattr(resources.budget, name)) is not None
        },
        power_w=None,
        power_basis="",
        energy_per_frame_uj=None,
        violations=tuple(str(excess) for excess in resources.exceeded),
        units=_units(resources),
    )


def _units(resources: Resources) -> tuple[UnitCost, ...]:
    return tuple(
        UnitCost(unit.name, {name: getattr(unit.amounts, name) for name in RESOURCES})
        for unit in resources.units
    )
