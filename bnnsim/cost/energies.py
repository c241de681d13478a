"""What a cycle costs in each resource: clock, data, control, memories, DSPs, DRAM.

Energy is charged where work is done. The clock tree runs in every cycle; LUTs, memories and DSPs take
energy in the cycles in which their unit works. LUTs on the data path change as often as the data; what
steers them (counters, decoders, handshakes, interconnect) has a toggle rate of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.cost.blocks.coefficients import Coefficients
from bnnsim.spec.device import Device


class DynamicPower(NamedTuple):
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
        amounts: Floats,
        clock_mhz: float,
        toggles: Floats,
        accesses: Floats,
        work: Floats,
        steering: Floats,
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Watts of clock, logic, memory and DSPs of units, each ``(units,)``.

        ``amounts`` ``(kinds, units)`` in the order of ``AMOUNTS``; of their logic the share ``steering``
        is control. ``accesses`` is NaN where a unit's memory is accessed as its data toggles. The rest
        are rates a cycle.
        """
        lut_pj, register_pj, lutram_pj, bram18_pj, clock_pj, dsp_pj = self.energies_pj
        lut_logic, lutram, ff, bram18, uram, dsp, alm, m20k = amounts
        activity = toggles / self.toggles
        access = np.where(np.isnan(accesses), activity, accesses / self.accesses)
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
