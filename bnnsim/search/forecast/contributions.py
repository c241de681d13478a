"""What each unit and stream of a pipeline brings to its figures.

Resources and watts are sums over units, and no frame takes less than the slowest unit's cycles. So the
figures of a design follow from what its units bring, and a unit brings the same whatever the others are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from bnnsim.arrays import Bools, Floats
from bnnsim.cost.blocks.amounts import AMOUNTS
from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.energies import Energies
from bnnsim.cost.power import power_without_units
from bnnsim.cost.switching import Activity, frame_bits
from bnnsim.cost.usage import RESOURCES
from bnnsim.design.design import Design
from bnnsim.search.forecast.unit_facts import FACT, PLATFORM_NAME, RESOURCE_FACTS, UnitFacts

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
    design: Design,
    folded: tuple[str, ...],
    known: UnitFacts | None = None,
    passed: Collection[str] = (),
    least_cycles: float = 0.0,
) -> Mapping[str, Floats]:
    """What the units of each kind that each layer of ``folded`` shapes bring, and what the rest does.

    By layer and kind, ``(columns,)``: cycles are the least that a unit can work in, the steps of a
    lockstep program, the words of another. A unit of no free layer is shaped by the last one before it.
    ``known`` has facts of units that the design shares with others, and takes in what is new. Units of
    the names ``passed`` are passed over; none of them has more than ``least_cycles``.
    """
    parts, rows, units = (known or UnitFacts()).of(design, folded, passed)
    if not parts:
        return {}
    interval = max(least_cycles, float(rows[:, FACT["cycles"]].max()))
    are_fifos = np.zeros(len(parts), bool)
    are_fifos[units : len(parts) - (parts[-1] == PLATFORM_NAME)] = True
    watts = _watts(design, rows, are_fifos, interval)
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
    owned = [names.setdefault(name, len(names)) for name in parts]
    brings = np.zeros((len(names), len(COLUMNS)))
    np.add.at(brings[:, : columns.shape[1]], owned, columns)
    np.maximum.at(brings[:, -1], owned, rows[:, FACT["cycles"]])
    if PLATFORM_NAME in names:
        _add_platform(brings[names[PLATFORM_NAME]], design, interval)
    return dict(zip(names, brings, strict=True))


def _watts(
    design: Design, rows: Floats, are_fifos: Bools, interval: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Watts of clock, logic, memory and DSPs of each part, a frame every ``interval`` cycles."""
    values = default_coefficients()
    work = np.minimum(1.0, rows[:, FACT["steps"]] / interval)
    accesses = values["reference_accesses"] * work
    accesses[are_fifos] = np.nan
    return Energies(values, design.device).of(
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
