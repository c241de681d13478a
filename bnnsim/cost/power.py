"""Power: static by device, fixed blocks by platform, dynamic from clock, resources and activity.

Every figure names its basis. ``programmable_logic`` is the fabric's static and dynamic power, ``chip``
adds the processing system and its DRAM. ``rise`` is what the design at work adds over the same design
loaded and idle, at the board's supply: all that a frame costs and an idle cycle does not. ``plug`` is a
whole board at its supply and exists only for boards whose idle power was measured. Figures of different
bases must not be compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from bnnsim.cost.blocks.amounts import AMOUNTS, Amounts, amounts_of
from bnnsim.cost.blocks.coefficients import Coefficients, default_coefficients
from bnnsim.cost.energies import DynamicPower, Energies, generation
from bnnsim.cost.switching import Activity
from bnnsim.cost.usage import Resources
from bnnsim.spec.accelerator import ProcessorActivity
from bnnsim.spec.device import Device
from bnnsim.spec.faults import InputError

Basis = Literal["programmable_logic", "chip", "rise", "board", "plug"]
BASES: tuple[Basis, ...] = ("programmable_logic", "chip", "rise", "board", "plug")
STATIC, PROCESSING_SYSTEM, DRAM = "static", "processing_system", "dram"
_IDLE = {
    "PYNQ-Z1": "pynq_z1_idle_w",
    "PYNQ-Z2": "pynq_z2_idle_w",
    "Arty-A7-100T": "arty_a7_100t_idle_w",
}
"""Boards whose supply was measured with a design loaded and idle."""
_CORES_AT_WORK: Mapping[ProcessorActivity, float] = {"idle": 0, "polling": 1}


@dataclass(frozen=True)
class Power:
    """Power of a design on a device.

    ``dynamic`` has an entry for each unit, stream and the platform. ``dram_w`` is the memory beside a
    processing system, ``traffic_w`` what moving the frames to and from DRAM adds to it.
    ``activity_source`` is ``default`` where no activity was measured.
    """

    static_w: float
    processing_system_w: float
    memory_w: float
    traffic_w: float
    dynamic: tuple[DynamicPower, ...]
    clock_mhz: float
    activity_source: str
    idle_plug_w: Mapping[str, float]
    supply_efficiency: float

    @cached_property
    def dynamic_w(self) -> float:
        return sum(item.total_w for item in self.dynamic)

    @cached_property
    def clock_w(self) -> float:
        """The clock trees' part of ``dynamic_w``: what an idle design takes too."""
        return sum(item.clock_w for item in self.dynamic)

    @cached_property
    def by_layer_w(self) -> Mapping[str, float]:
        """Dynamic watts of each layer; ``platform`` is one of them."""
        sums: dict[str, float] = {}
        for item in self.dynamic:
            sums[item.layer] = sums.get(item.layer, 0.0) + item.total_w
        return sums

    @property
    def dram_w(self) -> float:
        """DRAM, with the frames' traffic."""
        return self.memory_w + self.traffic_w

    @property
    def fixed_w(self) -> float:
        """What neither the frame rate nor the design's units change."""
        return self.static_w + self.processing_system_w + self.memory_w

    @property
    def programmable_logic_w(self) -> float:
        return self.static_w + self.dynamic_w

    @property
    def chip_w(self) -> float:
        return self.fixed_w + self.dynamic_w + self.traffic_w

    @property
    def rise_w(self) -> float:
        """What work adds at the board's supply, with the losses of its regulators."""
        return (self.dynamic_w - self.clock_w + self.traffic_w) / self.supply_efficiency

    @property
    def by_basis_w(self) -> dict[str, float]:
        """Watts on every basis that is known, ``plug`` with its board."""
        plugs = {f"plug {board}": idle + self.rise_w for board, idle in self.idle_plug_w.items()}
        return {
            "programmable_logic": self.programmable_logic_w,
            "chip": self.chip_w,
            "rise": self.rise_w,
            **plugs,
        }

    def of_basis(self, basis: str, board: str | None = None) -> float:
        """Watts on one basis.

        Raises :class:`InputError` for an unknown basis, and for ``board`` and ``plug`` where nothing
        about the board is known.
        """
        if basis in ("programmable_logic", "chip", "rise"):
            return self.by_basis_w[basis]
        if basis not in BASES:
            raise InputError("power basis", f"one of {', '.join(BASES)}", repr(basis))
        idle = self.idle_plug_w.get(board or "")
        if basis == "board" or idle is None:
            known = ", ".join(sorted(self.idle_plug_w)) or "none"
            raise InputError(
                "power basis",
                f"programmable_logic, chip or rise, or plug on a board that was measured ({known})",
                f"{basis} of {board or 'no board'}",
            )
        return idle + self.rise_w


@dataclass(frozen=True)
class FrameEnergy:
    """Energy of one frame in steady state, in microjoules, on the stated basis.

    ``by_layer`` has the layers' dynamic energy, ``platform``, ``static`` and, on the chip basis,
    ``processing_system`` and ``dram``; they add up to ``total_uj``.
    """

    basis: Basis
    by_layer: Mapping[str, float]
    total_uj: float


def frame_energy_uj(power_w: float, interval_cycles: float, clock_mhz: float) -> float:
    """What ``power_w`` uses from one frame to the next."""
    return power_w * interval_cycles / clock_mhz


def estimate_power(
    resources: Resources,
    clock_mhz: float,
    activity: Activity | None = None,
    coefficients: Coefficients | None = None,
    processor: ProcessorActivity = "polling",
) -> Power:
    """Power of a design with these ``resources`` at ``clock_mhz``, the processor being so busy."""
    values = coefficients or default_coefficients()
    used = activity or Activity()
    units = resources.units
    toggles = [(used.streams if u.kind == "fifo" else used.units).get(u.name) for u in units]
    dynamic = _dynamic_power(
        Energies(values, resources.device),
        clock_mhz,
        [(u.name, u.layer, u.amounts) for u in units],
        [values["reference_toggles"] if rate is None else rate for rate in toggles],
        [used.memories.get(u.name, math.nan) for u in units],
        [used.work.get(u.name, 1.0) for u in units],
        [u.control_share for u in units],
    )
    return _power(resources.device, dynamic, clock_mhz, used, values, processor)


def power_without_units(
    device: Device,
    clock_mhz: float,
    activity: Activity,
    processor: ProcessorActivity = "polling",
    coefficients: Coefficients | None = None,
) -> Power:
    """Power of what a design stands on: its device, the processor, and the traffic of ``activity``."""
    values = coefficients or default_coefficients()
    return _power(device, (), clock_mhz, activity, values, processor)


def power_of_amounts(
    amounts: Amounts[int],
    device: Device,
    clock_mhz: float,
    busy: float = 1.0,
    coefficients: Coefficients | None = None,
) -> Power:
    """Power of a design of which only totals are known, at work in the share ``busy`` of its cycles.

    All its logic is taken to be on the data path.
    """
    values = coefficients or default_coefficients()
    toggles, accesses = values["reference_toggles"] * busy, values["reference_accesses"] * busy
    named = [("design", "design", amounts)]
    energies = Energies(values, device)
    dynamic = _dynamic_power(energies, clock_mhz, named, [toggles], [accesses], [busy], [0.0])
    return _power(device, dynamic, clock_mhz, Activity(), values, "polling")


def _dynamic_power(
    energies: Energies,
    clock_mhz: float,
    units: Sequence[tuple[str, str, Amounts[int]]],
    toggles: Sequence[float],
    accesses: Sequence[float],
    work: Sequence[float],
    steering: Sequence[float],
) -> tuple[DynamicPower, ...]:
    """Dynamic power of units by name, layer and amounts (:meth:`Energies.of`)."""
    found = [amounts_of(amounts) for _, _, amounts in units]
    table = np.array(found, np.float64).reshape(-1, len(AMOUNTS)).T
    rates = (np.array(one, np.float64) for one in (toggles, accesses, work, steering))
    watts = (one.tolist() for one in energies.of(table, clock_mhz, *rates))
    names, layers = [name for name, _, _ in units], [layer for _, layer, _ in units]
    return tuple(map(DynamicPower, names, layers, *watts))


def energy_per_frame(
    power: Power, initiation_interval_cycles: float, basis: Basis = "chip"
) -> FrameEnergy:
    """Energy of a frame: power times the time between frames, layer by layer.

    Raises :class:`InputError` for a basis other than ``programmable_logic`` and ``chip``.
    """
    if basis not in ("programmable_logic", "chip"):
        raise InputError("energy basis", "programmable_logic or chip", basis)
    frame_us = initiation_interval_cycles / power.clock_mhz
    shares = {name: watts * frame_us for name, watts in power.by_layer_w.items()}
    shares |= fixed_energy_uj(power, initiation_interval_cycles, basis)
    watts_in_all = power.of_basis(basis)
    total_uj = frame_energy_uj(watts_in_all, initiation_interval_cycles, power.clock_mhz)
    return FrameEnergy(basis, shares, total_uj)


def fixed_energy_uj(power: Power, interval_cycles: float, basis: Basis) -> dict[str, float]:
    """What a frame's time costs beside the design's units, by what takes it."""
    watts = {STATIC: power.static_w}
    if basis == "chip":
        watts |= {PROCESSING_SYSTEM: power.processing_system_w, DRAM: power.dram_w}
    return {
        name: frame_energy_uj(one, interval_cycles, power.clock_mhz) for name, one in watts.items()
    }


def _power(
    device: Device,
    dynamic: tuple[DynamicPower, ...],
    clock_mhz: float,
    activity: Activity,
    values: Coefficients,
    processor: ProcessorActivity,
) -> Power:
    process = generation(device)
    luts = device.lut or (device.alm or 0) / values["alm_per_lut"]
    static = values[f"static_{process}_w"] + luts * values[f"static_{process}_nw_per_lut"] * 1e-9
    system = memory = 0.0
    if device.family.startswith("zynq"):
        cores = _CORES_AT_WORK.get(processor, values[f"processor_cores_{process}"])
        system = values[f"processing_system_{process}_w"] + cores * values[f"processor_core_{process}_w"]
        memory = values[f"dram_{process}_w"]
    # pJ a bit x MHz is microwatts.
    traffic = activity.external_bits * clock_mhz * values["dram_pj_per_bit"] * 1e-6
    return Power(
        static,
        system,
        memory,
        traffic,
        dynamic,
        clock_mhz,
        activity.source,
        {board: values[_IDLE[board]] for board in device.boards if board in _IDLE},
        values["supply_efficiency"],
    )
