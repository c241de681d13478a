"""What a cycle costs in each resource: clock, data, control, memories, DSPs, DRAM.

Energy is charged where work is done. The clock tree runs in every cycle; LUTs, memories and DSPs take
energy in the cycles in which their unit works. LUTs on the data path change as often as the data; what
steers them (counters, decoders, handshakes, interconnect) has a toggle rate of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import TypeVar

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.cost.blocks.amounts import AMOUNTS, Amounts
from bnnsim.cost.blocks.coefficients import Coefficients
from bnnsim.cost.usage import PLATFORM, UnitResources
from bnnsim.spec.device import Device

_STEERING = frozenset({PLATFORM, "control", "port", "frame_source", "frame_sink"})
"""Kinds of unit that hold no data path."""
_STEERING_PARTS = ("control", "counter", "loop", "weight memory", "threshold memory")
"""Words in the names of parts whose logic holds none: of memories it is decoders and enables."""


@dataclass(frozen=True, slots=True)
class DynamicPower:
    """Dynamic watts of one unit, stream or the platform, by resource."""

    name: str
    layer: str
    clock_w: float
    logic_w: float
    memory_w: float
    dsp_w: float

    @property
    def total_w(self) -> float:
        return self.clock_w + self.logic_w + self.memory_w + self.dsp_w


def control_share(unit: UnitResources) -> float:
    """The share of a unit's logic that steers instead of working on data."""
    if unit.kind in _STEERING:
        return 1.0
    logic = steering = 0.0
    for part in unit.parts:
        luts = part.amounts.lut_logic
        logic += luts
        if luts and _steers(part.name):
            steering += luts
    return steering / logic if logic else 0.0


@lru_cache(maxsize=4096)
def _steers(part: str) -> bool:
    """Whether a part's name says that its logic holds no data path; few names are asked for often."""
    return any(word in part for word in _STEERING_PARTS)


_counts = attrgetter(*AMOUNTS)
Watts = TypeVar("Watts", float, Floats)
"""Of one unit, or of many at once."""


class Energies:
    """Energy a cycle of each resource on one device."""

    def __init__(self, values: Coefficients, device: Device) -> None:
        self.scale = process_factor(values, device)
        self.luts_per_alm = 1 / values["alm_per_lut"]
        self.toggles = values["reference_toggles"]
        self.accesses = values["reference_accesses"]
        self.control_toggles = values["control_toggles"]
        self.blocks_per_uram = values["uram_bram18_equivalent"]
        names = "data_lut", "register", "lutram", "bram18", "clock", "dsp"
        self.energies_pj = tuple(values[f"{name}_pj"] for name in names)

    def of(
        self,
        name: str,
        layer: str,
        amounts: Amounts[int],
        clock_mhz: float,
        toggles: float | None = None,
        accesses: float | None = None,
        work: float = 1.0,
        steering: float = 0.0,
    ) -> DynamicPower:
        """Dynamic power of ``amounts``, of whose logic the share ``steering`` is control."""
        activity = 1.0 if toggles is None else toggles / self.toggles
        access = activity if accesses is None else accesses / self.accesses
        counts = list(map(float, _counts(amounts)))
        return DynamicPower(
            name, layer, *self._watts(counts, clock_mhz, activity, access, work, steering)
        )

    def of_many(
        self,
        amounts: Floats,
        clock_mhz: float,
        toggles: Floats,
        accesses: Floats,
        work: Floats,
        steering: Floats,
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Watts of clock, logic, memory and DSPs of many units at once, each ``(units,)``, as
        :meth:`of` has them.

        ``amounts`` ``(kinds, units)`` in the order of ``AMOUNTS``; ``accesses`` is NaN where a unit's
        memory is accessed as its data toggles.
        """
        activity = toggles / self.toggles
        accesses = accesses / self.accesses
        access = np.where(np.isnan(accesses), activity, accesses)
        return self._watts(list(amounts), clock_mhz, activity, access, work, steering)

    def _watts(
        self,
        amounts: list[Watts],
        clock_mhz: float,
        activity: Watts,
        access: Watts,
        work: Watts,
        steering: Watts,
    ) -> tuple[Watts, Watts, Watts, Watts]:
        """Watts of clock, logic, memory and DSPs."""
        lut_pj, register_pj, lutram_pj, bram18_pj, clock_pj, dsp_pj = self.energies_pj
        lut_logic, lutram, ff, bram18, uram, dsp, alm, m20k = amounts
        # pJ x MHz is microwatts.
        watts = self.scale * clock_mhz * 1e-6
        luts = lut_logic + alm * self.luts_per_alm
        control = steering * work * self.control_toggles / self.toggles
        changing = (1 - steering) * activity + control
        logic = changing * luts * lut_pj + activity * ff * register_pj
        blocks = bram18 + m20k + uram * self.blocks_per_uram
        memory = activity * lutram * lutram_pj + access * blocks * bram18_pj
        clock = watts * ff * clock_pj
        return clock, watts * logic, watts * memory, watts * activity * dsp * dsp_pj


def generation(device: Device) -> str:
    """Whose static power and processor a device has: ``ultrascale_plus`` or ``28nm``."""
    return "ultrascale_plus" if "ultrascale+" in device.family else "28nm"


def process_factor(values: Coefficients, device: Device) -> float:
    """Energy on this device against 16 nm."""
    return 1.0 if generation(device) == "ultrascale_plus" else values["dynamic_factor_28nm"]
