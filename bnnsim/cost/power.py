"""Power: static by device, fixed blocks by platform, dynamic from clock, resources and activity.

Every figure names its basis. ``programmable_logic`` is the fabric's static and dynamic power, ``chip``
adds the processing system with its DRAM interface, ``plug`` is a whole board at its supply and exists
only for boards that were measured. Figures of different bases must not be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, assert_never

from bnnsim.cost.blocks.amounts import Amounts
from bnnsim.cost.blocks.coefficients import Coefficients, default_coefficients
from bnnsim.cost.usage import Resources
from bnnsim.design.design import Design
from bnnsim.design.streaming.units import (
    Add,
    Concat,
    Converter,
    Mvau,
    Padding,
    Pool,
    Scale,
    Sink,
    Source,
    Split,
    Threshold,
    Unit,
    Window,
)
from bnnsim.spec.device import Device
from bnnsim.spec.faults import InputError

Basis = Literal["programmable_logic", "chip", "board", "plug"]
BASES: tuple[Basis, ...] = ("programmable_logic", "chip", "board", "plug")
STATIC, PROCESSING_SYSTEM = "static", "processing_system"


@dataclass(frozen=True)
class Activity:
    """How often bits change, and memories are read, a clock cycle.

    ``units`` are toggles per bit and cycle of the data that a unit works on, ``streams`` those of the
    words on a stream, ``memories`` accesses per cycle of a unit's memories, each by name. What is not
    named has the default: random data (0.5 toggles a word) in every cycle. ``source`` says where the
    numbers come from, ``default`` or ``measured``.
    """

    units: Mapping[str, float] = field(default_factory=dict)
    streams: Mapping[str, float] = field(default_factory=dict)
    memories: Mapping[str, float] = field(default_factory=dict)
    source: Literal["default", "measured"] = "default"

    @property
    def is_measured(self) -> bool:
        return self.source == "measured"


def activity_at_rate(
    design: Design,
    initiation_interval_cycles: float,
    coefficients: Coefficients | None = None,
) -> Activity:
    """The activity of random data passing at a known rate: a frame every so many cycles.

    A unit works in as many cycles a frame as it has steps, and its data and memories change only then;
    a stream carries its words. A default, not a measurement: real data toggles less than random data.
    """
    values = coefficients or default_coefficients()
    toggles, accesses = values["reference_toggles"], values["reference_accesses"]
    interval = initiation_interval_cycles
    shares = {unit.name: min(1.0, _steps(design, unit) / interval) for unit in design.graph.units}
    return Activity(
        units={name: toggles * share for name, share in shares.items()},
        streams={s.name: toggles * min(1.0, s.words / interval) for s in design.graph.streams},
        memories={name: accesses * share for name, share in shares.items()},
    )


def _steps(design: Design, unit: Unit) -> int:
    """Cycles a frame in which the unit works on new data."""
    match unit.parameters:
        case Mvau() as mvau:
            return mvau.vectors * mvau.fold
        case (
            Source() | Sink() | Converter() | Padding() | Window() | Pool()
            | Threshold() | Scale() | Split() | Add() | Concat()
        ):
            streams = design.graph.stream_by_name
            return max((streams[name].words for name in (*unit.inputs, *unit.outputs)), default=0)
        case _:
            assert_never(unit.parameters)


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


@dataclass(frozen=True)
class Power:
    """Power of a design on a device.

    ``dynamic`` has an entry for each unit, stream and the platform. ``activity_source`` is ``default``
    where no activity was measured.
    """

    static_w: float
    processing_system_w: float
    dynamic: tuple[DynamicPower, ...]
    clock_mhz: float
    activity_source: str
    idle_plug_w: Mapping[str, float]

    @cached_property
    def dynamic_w(self) -> float:
        return sum(item.total_w for item in self.dynamic)

    @cached_property
    def by_layer_w(self) -> Mapping[str, float]:
        """Dynamic watts of each layer; ``platform`` is one of them."""
        sums: dict[str, float] = {}
        for item in self.dynamic:
            sums[item.layer] = sums.get(item.layer, 0.0) + item.total_w
        return sums

    @property
    def programmable_logic_w(self) -> float:
        return self.static_w + self.dynamic_w

    @property
    def chip_w(self) -> float:
        return self.programmable_logic_w + self.processing_system_w

    def of_basis(self, basis: str, board: str | None = None) -> float:
        """Watts on one basis.

        Raises :class:`InputError` for an unknown basis, and for ``board`` and ``plug`` where nothing
        about the board is known.
        """
        if basis == "programmable_logic":
            return self.programmable_logic_w
        if basis == "chip":
            return self.chip_w
        if basis not in BASES:
            raise InputError("power basis", f"one of {', '.join(BASES)}", repr(basis))
        idle = self.idle_plug_w.get(board or "")
        if basis == "board" or idle is None:
            known = ", ".join(sorted(self.idle_plug_w)) or "none"
            raise InputError(
                "power basis",
                f"programmable_logic or chip, or plug on a board that was measured ({known})",
                f"{basis} of {board or 'no board'}",
            )
        return idle + self.dynamic_w


@dataclass(frozen=True)
class FrameEnergy:
    """Energy of one frame in steady state, in microjoules, on the stated basis.

    ``by_layer`` has the layers' dynamic energy, ``platform``, ``static`` and, on the chip basis,
    ``processing_system``; they add up to ``total_uj``.
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
) -> Power:
    """Power of a design with these ``resources`` at ``clock_mhz``."""
    values = coefficients or default_coefficients()
    used = activity or Activity()
    energies = _Energies(values, resources.device)
    dynamic = tuple(
        energies.of(
            unit.name,
            unit.layer,
            unit.amounts,
            clock_mhz,
            (used.streams if unit.kind == "fifo" else used.units).get(unit.name),
            used.memories.get(unit.name),
        )
        for unit in resources.units
    )
    return _power(resources.device, dynamic, clock_mhz, used.source, values)


def power_of_amounts(
    amounts: Amounts[int],
    device: Device,
    clock_mhz: float,
    busy: float = 1.0,
    coefficients: Coefficients | None = None,
) -> Power:
    """Power of a design of which only totals are known, at work in the share ``busy`` of its cycles."""
    values = coefficients or default_coefficients()
    toggles, accesses = values["reference_toggles"] * busy, values["reference_accesses"] * busy
    energies = _Energies(values, device)
    item = energies.of("design", "design", amounts, clock_mhz, toggles, accesses)
    return _power(device, (item,), clock_mhz, "default", values)


def energy_per_frame(
    power: Power, initiation_interval_cycles: float, basis: Basis = "chip"
) -> FrameEnergy:
    """Energy of a frame: power times the time between frames, layer by layer.

    Raises :class:`InputError` for a basis other than ``programmable_logic`` and ``chip``.
    """
    if basis not in ("programmable_logic", "chip"):
        raise InputError("energy basis", "programmable_logic or chip", basis)
    frame_us = initiation_interval_cycles / power.clock_mhz
    watts_in_all = power.programmable_logic_w
    shares = {name: watts * frame_us for name, watts in power.by_layer_w.items()}
    shares[STATIC] = power.static_w * frame_us
    if basis == "chip":
        watts_in_all = power.chip_w
        shares[PROCESSING_SYSTEM] = power.processing_system_w * frame_us
    total_uj = frame_energy_uj(watts_in_all, initiation_interval_cycles, power.clock_mhz)
    return FrameEnergy(basis, shares, total_uj)


class _Energies:
    """Energy a cycle of each resource on one device."""

    def __init__(self, values: Coefficients, device: Device) -> None:
        self.values = values
        self.scale = 1.0 if "ultrascale+" in device.family else values["dynamic_factor_28nm"]
        self.luts_per_alm = 1 / values["alm_per_lut"]

    def of(
        self,
        name: str,
        layer: str,
        amounts: Amounts[int],
        clock_mhz: float,
        toggles: float | None,
        accesses: float | None,
    ) -> DynamicPower:
        values = self.values
        activity = 1.0 if toggles is None else toggles / values["reference_toggles"]
        access = activity if accesses is None else accesses / values["reference_accesses"]
        # pJ x MHz is microwatts.
        watts = self.scale * clock_mhz * 1e-6
        luts = amounts.lut_logic + amounts.alm * self.luts_per_alm
        logic = luts * (values["lut_pj"] + values["signal_pj"]) + amounts.ff * values["register_pj"]
        blocks = amounts.bram18 + amounts.m20k + amounts.uram * values["uram_bram18_equivalent"]
        return DynamicPower(
            name,
            layer,
            clock_w=watts * amounts.ff * values["clock_pj"],
            logic_w=watts * activity * logic,
            memory_w=watts
            * (activity * amounts.lutram * values["lutram_pj"] + access * blocks * values["bram18_pj"]),
            dsp_w=watts * activity * amounts.dsp * values["dsp_pj"],
        )


def _power(
    device: Device,
    dynamic: tuple[DynamicPower, ...],
    clock_mhz: float,
    source: str,
    values: Coefficients,
) -> Power:
    generation = "ultrascale_plus" if "ultrascale+" in device.family else "28nm"
    luts = device.lut or (device.alm or 0) / values["alm_per_lut"]
    static = values[f"static_{generation}_w"] + luts * values[f"static_{generation}_nw_per_lut"] * 1e-9
    system = 0.0
    if device.family.startswith("zynq"):
        ultrascale = generation == "ultrascale_plus"
        system = values["processing_system_us_w" if ultrascale else "processing_system_7_w"]
    idle = {"PYNQ-Z1": values["pynq_z1_idle_w"]} if "PYNQ-Z1" in device.boards else {}
    return Power(static, system, dynamic, clock_mhz, source, idle)
