"""What a design costs, as ``evaluate --json`` says it: keys that no record of the code has as they are.

The values are the properties of :class:`~bnnsim.evaluation.record.Evaluation` of the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from bnnsim.cost.error_bars import ErrorBar
from bnnsim.cost.second_opinion import SynthesisReport
from bnnsim.cost.usage import Capped, ResourceKind
from bnnsim.evaluation import AdviceReport, Violation
from bnnsim.evaluation.wide_words import WideWord


class ResourceAmounts(TypedDict):
    """What is taken, by kind of resource."""

    lut: int
    """Logic and LUTRAM together; 0 on Intel parts."""
    lutram: int
    """LUTs that are memory, a part of `lut`."""
    ff: int
    """Registers."""
    bram18: int
    """Block memories of 18 kbit; one of 36 kbit counts as two."""
    uram: int
    """Large block memories."""
    dsp: int
    """Multiply-accumulate blocks."""
    alm: int
    """Logic of Intel parts, in place of `lut`."""
    m20k: int
    """Block memories of Intel parts, in place of `bram18`."""


class Taker(TypedDict):
    """What takes resources."""

    name: str
    """The unit, the stream of a FIFO, or platform."""
    kind: ResourceKind
    """What it is: a unit's kind, fifo, a part of an engine, or platform."""
    layer: str
    """The layer it serves; of an engine its own name."""


class TakenByUnit(Taker, ResourceAmounts):
    """What one unit, FIFO or the platform takes."""


class PowerParts(TypedDict):
    """Watts of the chip, by part; they add up to `power_w`."""

    static: float
    """Leakage of the device."""
    processing_system: float
    """Processor beside the fabric, as busy as the architecture's `processor` says; 0 without one."""
    dram: float
    """DRAM beside the processor, and what the design's traffic adds to it."""
    dynamic: float
    """Clock trees and what switches."""


class PowerByBasis(TypedDict):
    """Watts on every basis that is known; of different bases nothing may be compared."""

    programmable_logic: float
    """The fabric: static and dynamic."""
    chip: float
    """The fabric, the processing system and its DRAM: `power_w`."""
    rise: float
    """What the design at work adds over the same design loaded and idle, at the board's supply."""


class Costs(TypedDict):
    """What `evaluate` says beside the simulation."""

    resources: ResourceAmounts
    """What the design takes in all."""
    resources_by_unit: tuple[TakenByUnit, ...]
    """What each unit, FIFO and the platform take; they add up to `resources`."""
    utilisation: Mapping[str, float]
    """By resource, of what the device has (1 is all of it); resources that the device lacks are
    left out."""
    capped: tuple[Capped, ...]
    """Block memory that does not fit the device while constants of an engine take some: what would be
    left and taken with these in LUTs; `resources` has them in blocks; mostly empty."""
    structure_kind: str
    """What kind of structure the design is, by which its costs' errors are known."""
    error_bars: Mapping[str, ErrorBar]
    """By figure, within what it lies: of resources that are used, `power_w`, `energy_per_frame_uj`,
    `fps_per_w` and `fps_per_klut`."""
    power_w: float
    """Of the chip: static, processing system, DRAM and dynamic, at `power_rate_fps`."""
    power_basis: str
    """What `power_w` covers: chip."""
    power_parts_w: PowerParts
    """The parts of `power_w`."""
    power_by_basis_w: PowerByBasis
    """Watts on every basis that is known."""
    power_rate_fps: float
    """What watts and energy are of: the throughput, or what `--rate` asks for; where no interval is
    proven, one frame after the other."""
    activity_source: str
    """Where the switching activity comes from: measured in a bit-exact run, or default, random data
    at the design's rate."""
    energy_per_frame_uj: float | None
    """`power_w` from one frame to the next; null where no interval is proven and no rate asked for."""
    energy_by_layer_uj: Mapping[str, float] | None
    """The same by layer, with platform, static, processing_system and dram; the values add up to
    `energy_per_frame_uj`; null where no interval is proven and no rate asked for."""
    tops: float | None
    """Two operations a multiply-accumulate, in steady state; null where no interval is proven."""
    tops_per_w: float | None
    """`tops` at `power_rate_fps` for each watt of `power_w`; null where no interval is proven and
    no rate asked for."""
    fps_per_w: float | None
    """`power_rate_fps` for each watt of `power_w`; null where no interval is proven and no rate
    asked for."""
    fps_per_klut: float | None
    """`throughput_fps` for each 1,000 LUTs; null where no interval is proven, or the device has no
    LUTs."""
    achievable_clock_mhz: float
    """The clock that the slowest unit is estimated to reach."""
    advice: AdviceReport | None
    """What would make the design faster, found by trying other designs (`--advise`); null unless
    asked for."""
    synthesis: SynthesisReport | None
    """What Yosys counts of each own module, beside the model (`--synth`); null unless asked for."""
    clock_warning: str | None
    """Says so where the architecture asks for more; null where it does not."""
    feasible: bool
    """true where no budget is exceeded."""
    remark: str
    """One sentence where power, clock or size are beyond any such device, or words beyond what HLS
    builds; mostly empty."""
    wide_words: tuple[WideWord, ...]
    """Words of HLS units of more than 8,191 bits, which HLS cannot build; mostly empty."""
    violations: tuple[Violation, ...]
    """Every budget that is exceeded; empty where the design is feasible."""
