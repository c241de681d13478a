"""What a cycle costs in each resource: clock, data, control, memories, DSPs, DRAM.

Energy is charged where work is done. The clock tree runs in every cycle; LUTs, memories and DSPs take
energy in the cycles in which their unit works. LUTs on the data path change as often as the data; what
steers them (counters, decoders, handshakes, interconnect) has a toggle rate of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.cost.blocks.amounts import Amounts
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
        if any(word in part.name for word in _STEERING_PARTS):
            steering += luts
    return steering / logic if logic else 0.0


class Energies:
    """Energy a cycle of each resource on one device."""

    def __init__(self, values: Coefficients, device: Device) -> None:
        self.values = values
        self.scale = process_factor(values, device)
        self.luts_per_alm = 1 / values["alm_per_lut"]

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
        values = self.values
        reference = values["reference_toggles"]
        activity = 1.0 if toggles is None else toggles / reference
        access = activity if accesses is None else accesses / values["reference_accesses"]
        # pJ x MHz is microwatts.
        watts = self.scale * clock_mhz * 1e-6
        luts = amounts.lut_logic + amounts.alm * self.luts_per_alm
        changing = (1 - steering) * activity + steering * work * values["control_toggles"] / reference
        logic = changing * luts * values["data_lut_pj"] + activity * amounts.ff * values["register_pj"]
        blocks = amounts.bram18 + amounts.m20k + amounts.uram * values["uram_bram18_equivalent"]
        return DynamicPower(
            name,
            layer,
            clock_w=watts * amounts.ff * values["clock_pj"],
            logic_w=watts * logic,
            memory_w=watts
            * (activity * amounts.lutram * values["lutram_pj"] + access * blocks * values["bram18_pj"]),
            dsp_w=watts * activity * amounts.dsp * values["dsp_pj"],
        )


def generation(device: Device) -> str:
    """Whose static power and processor a device has: ``ultrascale_plus`` or ``28nm``."""
    return "ultrascale_plus" if "ultrascale+" in device.family else "28nm"


def process_factor(values: Coefficients, device: Device) -> float:
    """Energy on this device against 16 nm."""
    return 1.0 if generation(device) == "ultrascale_plus" else values["dynamic_factor_28nm"]
