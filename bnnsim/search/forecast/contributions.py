"""What each unit and stream of a pipeline brings to its figures.

Resources and watts are sums over units, and no frame takes less than the slowest unit's cycles. So the
figures of a design follow from what its units bring, and a unit brings the same whatever the others are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.cost.power import estimate_power
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.switching import activity_at_rate
from bnnsim.cost.usage import PLATFORM, RESOURCES
from bnnsim.design.design import Design
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.programs.program import Lockstep

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


def contributions(design: Design, folded: tuple[str, ...]) -> Mapping[str, Floats]:
    """What the units of each kind that each layer of ``folded`` shapes bring, and what the rest does.

    By layer and kind, ``(columns,)``: cycles are the least that a unit can work in, the steps of a
    lockstep program, the words of another. A unit of no free layer is shaped by the last one before it.
    """
    owners: dict[str, str] = {PLATFORM: ""}
    last = ""
    for unit in design.graph.units:
        last = unit.layer if unit.layer in folded else last
        owners.setdefault(unit.layer, last)
    cycles = dict.fromkeys((unit.name for unit in design.graph.units), 0.0)
    for timed in build_timing(design.graph).units:
        program, name = timed.program, timed.part_of or timed.name
        words = max(program.words_in, program.words_out)
        least = program.steps if isinstance(program, Lockstep) else words
        cycles[name] = max(cycles[name], float(least))
    resources = estimate_resources(design)
    clock_mhz = float(design.architecture.clock_mhz)
    interval = max(cycles.values())
    activity = activity_at_rate(design, interval)
    power = estimate_power(
        resources, clock_mhz, activity, processor=design.architecture.processor
    )
    bits = {stream.name: stream.depth_words * stream.width_bits for stream in design.graph.streams}
    brings: dict[str, Floats] = {}
    for used, watts in zip(resources.units, power.dynamic, strict=True):
        is_fifo = used.kind == "fifo"
        row = brings.setdefault(f"{owners[used.layer]} {used.kind}", np.zeros(len(COLUMNS)))
        row[: len(RESOURCES) + 3] += (
            *(getattr(used.amounts, name) for name in RESOURCES),
            bits[used.name] if is_fifo else 0,
            watts.clock_w / clock_mhz,
            (watts.total_w - watts.clock_w) / clock_mhz * interval,
        )
        row[-1] = max(row[-1], 0.0 if is_fifo else cycles.get(used.name, 0.0))
    platform = brings[f" {PLATFORM}"]
    platform[COLUMN["static_w"]] = power.fixed_w
    platform[COLUMN["work_w_per_mhz"]] += power.traffic_w / clock_mhz * interval
    platform[COLUMN["clock_mhz"]] = clock_mhz
    for name in BOUNDED:
        allowed = getattr(design.budget, name)
        platform[COLUMN[f"room {name}"]] = np.inf if allowed is None else allowed
    return brings
