"""From an evaluation's resources and power to what the report shows."""

from __future__ import annotations

from bnnsim.cost.power import DRAM, PROCESSING_SYSTEM, STATIC
from bnnsim.cost.usage import RESOURCES
from bnnsim.evaluation import POWER_BASIS, Evaluation
from bnnsim.report.figures.costs import CostsInfo, UnitCost
from bnnsim.report.figures.figure import number

_ACTIVITY = {
    "measured": "activity measured in this bit-exact run",
    "default": "activity of random data at this rate",
}
_FIXED = {STATIC: "static (leakage)", PROCESSING_SYSTEM: "processing system", DRAM: "DRAM"}


def costs_info(evaluation: Evaluation) -> CostsInfo:
    """Resources against the budget, and the energy of a frame by unit, fixed parts last."""
    resources, power = evaluation.resources, evaluation.power
    source = power.activity_source
    return CostsInfo(
        totals={name: getattr(resources.total, name) for name in RESOURCES},
        budget={
            name: limit for name in RESOURCES if (limit := getattr(resources.budget, name)) is not None
        },
        power_w=evaluation.power_w,
        power_basis=f"{POWER_BASIS}; {_ACTIVITY.get(source, source)}",
        energy_per_frame_uj=evaluation.energy_per_frame_uj,
        violations=tuple(
            f"{v.name}: {number(v.used)} used, {number(v.allowed)} allowed, {number(v.amount)} too many"
            for v in evaluation.violations
        )
        + ((evaluation.remark,) if evaluation.remark else ()),
        units=(*_units(evaluation), *_fixed(evaluation)),
        capped={entry.resource: str(entry) for entry in resources.capped},
        bars=evaluation.error_bars,
    )


def _units(evaluation: Evaluation) -> tuple[UnitCost, ...]:
    """Every unit, FIFO and the platform, each with its share of the dynamic energy."""
    interval = None if evaluation.energy is None else 1e6 / evaluation.rate_fps
    watts = {item.name: item.total_w for item in evaluation.power.dynamic}
    return tuple(
        UnitCost(
            unit.name,
            {name: getattr(unit.amounts, name) for name in RESOURCES},
            None if interval is None else watts.get(unit.name, 0.0) * interval,
        )
        for unit in evaluation.resources.units
    )


def _fixed(evaluation: Evaluation) -> tuple[UnitCost, ...]:
    if evaluation.energy is None:
        return ()
    shares = evaluation.energy.by_layer
    return tuple(UnitCost(text, {}, shares[key]) for key, text in _FIXED.items() if shares.get(key))
