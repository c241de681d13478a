"""What a synthesis tool counted of own modules, beside what the model says of them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from bnnsim.cost.blocks.coefficients import Coefficients

FEW_LUTS = 8
"""So many LUTs more or less say nothing of a small module."""


@dataclass(frozen=True)
class SynthesisedUnit:
    """A module as a design has it, once, by the model and by the tool; LUTs with those of memories."""

    name: str
    """The first unit or stream of the design that is this module."""
    kind: str
    """What kind of unit it is, or fifo."""
    count: int
    """Units and streams of the design that are this module with these parameters and memories."""
    lut: int
    """LUTs that the model says."""
    lut_low: int
    """Lower end of the model's interval: of such modules four in five lie inside."""
    lut_high: int
    """Upper end of it."""
    synthesised_lut: int
    """LUTs that the tool counted."""
    ff: int
    """Flip-flops that the model counts, columns of memories in logic included as they are filled."""
    synthesised_ff: int
    """Flip-flops that the tool counted."""
    bram18: int
    """BRAM18 that the model says."""
    synthesised_bram18: int
    """BRAM18 that the tool counted."""
    dsp: int
    """DSP slices that the model says."""
    synthesised_dsp: int
    """DSP slices that the tool counted."""

    @property
    def is_within(self) -> bool:
        """Whether the LUTs that the tool counted lie within the model's interval."""
        return self.lut_low <= self.synthesised_lut <= self.lut_high

    @property
    def is_counted(self) -> bool:
        """Whether the model's flip-flops are those that the tool counted."""
        return self.ff == self.synthesised_ff


@dataclass(frozen=True)
class SynthesisReport:
    """A second opinion on a design's own modules."""

    tool: str
    """The tool with its version."""
    options: str
    """The command and options that it was run with."""
    units: tuple[SynthesisedUnit, ...]
    """Each distinct module of the design, the largest first."""
    others: tuple[str, ...]
    """Units and streams of other libraries, whose costs rest on published designs."""


def synthesis_json(report: SynthesisReport) -> dict[str, Any]:
    """The report as plain data, under the same names (docs/json.md)."""
    units = [
        asdict(unit) | {"is_within": unit.is_within, "is_counted": unit.is_counted}
        for unit in report.units
    ]
    return asdict(report) | {"units": units}


def lut_interval(coefficients: Coefficients, luts: float) -> tuple[int, int]:
    """Within what the LUTs of a module lie that is estimated to have ``luts``, for four in five."""
    size = math.exp(coefficients["own_lut_bar"])
    low = (luts + FEW_LUTS) / size - FEW_LUTS
    return max(0, math.floor(low)), math.ceil((luts + FEW_LUTS) * size - FEW_LUTS)


def lut_residual(counted: float, estimated: float) -> float:
    """Logarithm of counted over estimated LUTs, both with a few added."""
    return math.log((counted + FEW_LUTS) / (estimated + FEW_LUTS))
