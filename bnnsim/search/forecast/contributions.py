"""What each unit and stream of a pipeline brings to its figures.

Resources and watts are sums over units, and no frame takes less than the slowest unit's cycles. So the
figures of a design follow from what its units bring, and a unit brings the same whatever the others are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.cost.blocks.amounts import AMOUNTS
from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.energies import Energies
from bnnsim.cost.power import power_without_units
from bnnsim.cost.switching import Activity, frame_bits
from bnnsim.cost.usage import PLATFORM, RESOURCES
from bnnsim.design.design import Design
from bnnsim.search.forecast.unit_facts import FACT, RESOURCE_FACTS, UnitFacts

BOUNDED = (*RESOURCES, "power_w")
"""What a budget may bound."""
SUMS = (
    *RESOURCES, "fifo_bits", "clock_w_per_mhz", "work_w_per_mhz", "static_w", "clock_mhz",
    *(f"room {name}" for name in BOUNDED),
)  # fmt: skip
"""What is summed over units: ``clock_w_per_mhz`` is used in every cycle, ``work_w_per_mhz`` over the
cycles of a frame; ``static_w``, clock and what there is of each bounded figure are the platform's."""
COLUMNS = (*SUMS, "cycles")
"""All that a unit brings; of the cycles a frame that it works at least, the most of all units count."""
COLUMN = {name: place for place, name in enumerate(COLUMNS)}


def contributions(
    design: Design, folded: tuple[str, ...], known: UnitFacts | None = None
) -> Mapping[str, Floats]:
    """What the units of each kind that each layer of ``folded`` shapes bring, and what the rest does.

    By layer and kind, ``(columns,)``: cycles are the least that a unit can work in, the steps of a
    lockstep program, the words of another. A unit of no free layer is shaped by the last one before it.
    ``known`` has facts of units that the design shares with others, and takes in what is new.
    """
    facts = (known or UnitFacts()).of(design)
    rows = facts.rows
    interval = float(rows[:, FACT["cycles"]].max())
    watts = _watts(design, rows, interval)
    clock_mhz = float(design.architecture.clock_mhz)
    total = watts[0] + watts[1] + watts[2] + watts[3]
    columns = np.concatenate(
        [
            rows[:, RESOURCE_FACTS],
            rows[:, FACT["fifo_bits"], None],
            (watts[0] / clock_mhz)[:, None],
            ((total - watts[0]) / clock_mhz * interval)[:, None],
        ],
        axis=1,
    )
    names: dict[str, int] = {}
    owners = _owners(design, folded)
    places = [names.setdefault(f"{owners[layer]} {kind}", len(names)) for layer, kind in facts.kinds]
    brings = np.zeros((len(names), len(COLUMNS)))
    np.add.at(brings[:, : columns.shape[1]], places, columns)
    np.maximum.at(brings[:, -1], places, rows[:, FACT["cycles"]])
    platform = brings[names[f" {PLATFORM}"]]
    _add_platform(platform, design, interval)
    return dict(zip(names, brings, strict=True))


def _owners(design: Design, folded: tuple[str, ...]) -> Mapping[str, str]:
    """For each layer of units the free layer that shapes it."""
    owners: dict[str, str] = {PLATFORM: ""}
    last = ""
    for unit in design.graph.units:
        last = unit.layer if unit.layer in folded else last
        owners.setdefault(unit.layer, last)
    return owners


def _watts(design: Design, rows: Floats, interval: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Watts of clock, logic, memory and DSPs of each part, a frame every ``interval`` cycles."""
    values = default_coefficients()
    work = np.minimum(1.0, rows[:, FACT["steps"]] / interval)
    accesses = values["reference_accesses"] * work
    units = len(design.graph.units)
    accesses[units:-1] = np.nan  # FIFOs
    return Energies(values, design.device).of_many(
        rows[:, : len(AMOUNTS)].T,
        float(design.architecture.clock_mhz),
        values["reference_toggles"] * work,
        accesses,
        work,
        rows[:, FACT["steering"]],
    )


def _add_platform(row: Floats, design: Design, interval: float) -> None:
    """Add to the platform's ``row`` what only a whole design has."""
    clock_mhz = float(design.architecture.clock_mhz)
    activity = Activity(external_bits=frame_bits(design) / interval)
    processor = design.architecture.processor
    power = power_without_units(design.device, clock_mhz, activity, processor)
    row[COLUMN["static_w"]] = power.fixed_w
    row[COLUMN["work_w_per_mhz"]] += power.traffic_w / clock_mhz * interval
    row[COLUMN["clock_mhz"]] = clock_mhz
    budget = design.budget
    for name in BOUNDED:
        allowed = getattr(budget, name)
        row[COLUMN[f"room {name}"]] = np.inf if allowed is None else allowed
