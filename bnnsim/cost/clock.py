"""A first-order estimate of the achievable clock, used as a warning only.

Basis: for each unit the longest path between registers from its widths: levels of adders with their
carry chains, one net a level, the fan-out of the word that all PEs share, or the read of a block RAM.
Delays are those of the slowest speed grade. Not modelled: placement, congestion, control paths, clock
skew; a full device is slower, a hand-placed one faster.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from bnnsim.cost.blocks.coefficients import Coefficients, default_coefficients
from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.streaming.units import (
    Add,
    Concat,
    Converter,
    LabelSelect,
    Lookup,
    Multiply,
    Mvau,
    Padding,
    Pool,
    Repeat,
    Scale,
    Sink,
    Source,
    Split,
    Threshold,
    Unit,
    WeightBuffer,
    Window,
)
from bnnsim.spec.device import Device
from bnnsim.spec.engine.blocks import Array

BASIS = "first-order path delays from unit widths, slowest speed grade, placement not modelled"


@dataclass(frozen=True)
class ClockEstimate:
    """The clock each unit can run at, and the slowest of them.

    ``units`` maps unit names to MHz.
    """

    units: Mapping[str, float]
    asked_mhz: float
    basis: str = BASIS

    @property
    def slowest_unit(self) -> str:
        return min(self.units, key=lambda name: (self.units[name], name))

    @property
    def achievable_mhz(self) -> float:
        return self.units[self.slowest_unit]

    @property
    def warning(self) -> str | None:
        """A sentence where the architecture asks for more than the estimate, else None."""
        if self.asked_mhz <= self.achievable_mhz:
            return None
        return (
            f"clock_mhz {self.asked_mhz:g} is above the {self.achievable_mhz:.0f} MHz estimated for "
            f"{self.slowest_unit} ({self.basis})"
        )


@dataclass(frozen=True)
class Delays:
    """Delays of one device generation in ns."""

    register: float
    lut: float
    carry_entry: float
    carry_bit: float
    net: float
    fan_out: float
    bram: float

    def adder(self, bits: float) -> float:
        """Through an adder of ``bits`` bits, the net to it included."""
        return self.net + self.carry_entry + bits * self.carry_bit

    def broadcast(self, loads: int) -> float:
        """What a net to ``loads`` loads takes beyond a short one."""
        return self.fan_out * math.log2(max(1, loads))

    def path_mhz(self, delay_ns: float) -> float:
        """Clock of a register-to-register path through ``delay_ns`` of logic and nets."""
        return 1e3 / (self.register + delay_ns)


def estimate_clock(
    design: Design | EngineDesign, coefficients: Coefficients | None = None
) -> ClockEstimate:
    """The achievable clock of ``design``, unit by unit; of an engine, array by array."""
    values = coefficients or default_coefficients()
    delays = delays_of(design.device, values)
    if isinstance(design, EngineDesign):
        arrays = {name: _array_mhz(delays, array) for name, array in design.architecture.arrays.items()}
        prefix = _units_mhz(delays, design.prefix_units, values)
        return ClockEstimate({**prefix, **arrays}, design.architecture.clock_mhz)
    units = _units_mhz(delays, design.graph.units, values)
    return ClockEstimate(units, design.architecture.clock_mhz)


def delays_of(device: Device, coefficients: Coefficients) -> Delays:
    """Delays on ``device``; Intel's 28 nm parts take the Xilinx 28 nm numbers."""
    scale = coefficients["speed_ultrascale_plus"] if "ultrascale+" in device.family else 1.0
    return Delays(
        *(
            coefficients[f"{name}_28nm"] * scale
            for name in (
                "register_ns",
                "lut_ns",
                "carry_entry_ns",
                "carry_ns_per_bit",
                "net_ns",
                "fan_out_ns",
                "bram_ns",
            )
        )
    )


def fastest_proven_mhz(device: Device, coefficients: Coefficients | None = None) -> int:
    """The fastest clock at which a published accelerator ran on a board with such a device.

    The estimate knows no placement and goes far beyond it; a higher clock is no promise.
    """
    generation = "ultrascale_plus" if "ultrascale+" in device.family else "28nm"
    return int((coefficients or default_coefficients())[f"fastest_proven_mhz_{generation}"])


def _array_mhz(delays: Delays, array: Array) -> float:
    """An array's adders are registered level by level; its operands go to all outputs at once."""
    sums = delays.adder(array.accumulator_bits or 16)
    outputs = array.spatial_unrolling.get("out_channels", 1) * array.spatial_unrolling.get("pixels", 1)
    broadcast = delays.net + delays.lut + delays.broadcast(outputs)
    return delays.path_mhz(max(sums, broadcast, delays.bram + delays.net))


def _units_mhz(delays: Delays, units: Iterable[Unit], coefficients: Coefficients) -> dict[str, float]:
    stages = int(coefficients["hls_mvau_compute_stages"])
    return {unit.name: _unit_mhz(delays, unit, stages) for unit in units}


def _unit_mhz(delays: Delays, unit: Unit, stages: int) -> float:
    parameters = unit.parameters
    memory = delays.bram + delays.net
    match parameters:
        case Mvau():
            bits = parameters.sum_type.bits
            levels = math.ceil(math.log2(max(2, parameters.simd))) + 2
            steps = math.ceil(levels / stages)
            tree = steps * delays.adder(bits)
            broadcast = delays.net + delays.lut + delays.broadcast(parameters.pe)
            return delays.path_mhz(max(tree, broadcast, memory))
        case WeightBuffer():
            # A 32-bit counter and what it decides, or the memory's word to the register behind it.
            counted = delays.adder(32) + delays.lut + delays.net
            return delays.path_mhz(max(counted, memory))
        case Window():
            width = (parameters.words_in - 1).bit_length()
            return delays.path_mhz(max(memory, delays.adder(width) + delays.lut + delays.net))
        case Threshold():
            return delays.path_mhz(max(memory, delays.adder(parameters.input_bits / 2)))
        case Lookup():
            held = delays.adder(parameters.input_bits) + delays.lut + delays.net
            return delays.path_mhz(max(memory, held))
        case LabelSelect():
            # A score against the largest so far, and those of a word one after the other.
            held = delays.adder(parameters.input_bits / 2) + delays.lut + delays.net
            return delays.path_mhz(parameters.pe * held)
        case Pool():
            loads = parameters.lanes * parameters.type.bits
            path = memory + delays.lut + delays.net + delays.broadcast(loads) / 2
            if parameters.adds:
                path = max(path, memory + delays.adder(parameters.state_bits))
            return delays.path_mhz(path)
        case Add():
            levels = math.ceil(math.log2(max(2, len(parameters.input_bits))))
            return delays.path_mhz(levels * delays.adder(parameters.output_bits))
        case (
            Source()
            | Sink()
            | Converter()
            | Padding()
            | Scale()
            | Split()
            | Concat()
            | Repeat()
            | Multiply()
        ):
            # A 32-bit counter and what it decides.
            return delays.path_mhz(delays.adder(32) + delays.lut + delays.net)
        case _:
            assert_never(parameters)
