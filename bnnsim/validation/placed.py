"""Placed designs whose structure is known in full: what the models say of each, part by part.

These rows calibrate the few fitted coefficients, and, left out one at a time, validate them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.coefficients import Coefficients
from bnnsim.cost.blocks.parts import total
from bnnsim.cost.blocks.technology import technology_of
from bnnsim.cost.engine.resources import engine_parts_by_unit
from bnnsim.cost.power import activity_at_rate, estimate_power, power_of_amounts
from bnnsim.cost.resources import estimate_resources
from bnnsim.design.design import Design, EngineDesign
from bnnsim.spec.device import Device
from bnnsim.spec.load import load_device
from bnnsim.validation.systems import simulated_systems

PLACED = ("lut", "bram18", "dsp")
"""A system that reports one of these, its structure being complete, is a placed design."""
Model = Callable[[Coefficients], Estimate]


@dataclass(frozen=True)
class PlacedDesign:
    """A placed design: its name in the published results, and its resources by the models.

    ``capped`` are the resources of which the model wants more than the device has.
    """

    name: str
    device: Device
    resources: Model
    capped: tuple[str, ...]


@dataclass(frozen=True)
class PoweredDesign:
    """A design whose power was reported on a known basis; ``power`` gives the models' watts."""

    name: str
    basis: str
    power: Callable[[Coefficients], float]
    note: str


@lru_cache(maxsize=1)
def placed_designs() -> tuple[PlacedDesign, ...]:
    """All placed designs whose hardware is known, by their publications."""
    return tuple(
        PlacedDesign(
            name,
            entry.design.device,
            _model(entry.design),
            tuple(c.resource for c in estimate_resources(entry.design).capped),
        )
        for name, entry in simulated_systems().items()
        if entry.system.structure == "complete"
        and any(result.quantity in PLACED for result in entry.system.results)
    )


def _model(design: Design | EngineDesign) -> Model:
    if isinstance(design, EngineDesign):
        return _engine_model(design)
    return _streaming_model(design)


def _engine_model(design: EngineDesign) -> Model:
    def resources(coefficients: Coefficients) -> Estimate:
        # Not rounded, so that it stays linear in the coefficients.
        tech = technology_of(design.device, coefficients, design.architecture.ram_decomposition)
        return total(part for _, _, parts in engine_parts_by_unit(tech, design) for part in parts)

    return resources


def _streaming_model(design: Design) -> Model:
    def resources(coefficients: Coefficients) -> Estimate:
        amounts = estimate_resources(design, coefficients).total
        return Amounts(
            amounts.lut_logic, amounts.lutram, amounts.ff, amounts.bram18, amounts.uram, amounts.dsp
        )

    return resources


def powered_designs() -> tuple[PoweredDesign, ...]:
    """Designs whose power was reported on a known basis.

    FINN's folding is not known, so its power is computed from its reported LUTs and blocks, with as many
    flip-flops as LUTs. SFC-max and LFC-max keep all units at work. LFC-max has 23,168 XNOR lanes (fold
    128) in 82,988 LUTs; CNV-max at as many LUTs a lane has 12,913 and uses 6,513 of them on average
    (59,461,376 MAC a frame in 9,130 cycles): half.
    """
    z7045 = load_device("xc7z045").spec
    zu5 = load_device("xczu5eg").spec
    cnv = simulated_systems()["pynq-cnv"].design
    assert isinstance(cnv, Design)

    def finn(lut: int, bram18: int, busy: float) -> Callable[[Coefficients], float]:
        amounts = Amounts(lut_logic=lut, ff=lut, bram18=bram18)
        return lambda c: power_of_amounts(amounts, z7045, 200.0, busy, c).chip_w

    def plug(c: Coefficients) -> float:
        resources = estimate_resources(cnv, c)
        activity = activity_at_rate(cnv, 32768, c)
        return estimate_power(resources, 100.0, activity, c).of_basis("plug", "PYNQ-Z1")

    placed = Amounts(lut_logic=54752, lutram=1564, ff=48896, bram18=288, dsp=126)
    reported = "from the reported LUTs and blocks"
    return (
        PoweredDesign("finn-sfc-max", "chip", finn(91131, 9, 1.0), reported),
        PoweredDesign("finn-lfc-max", "chip", finn(82988, 792, 1.0), reported),
        PoweredDesign(
            "finn-cnv-max", "chip", finn(46253, 372, 0.5), f"{reported}, at work half of the time"
        ),
        PoweredDesign("pynq-cnv", "plug", plug, "from the modelled resources, random data at rate"),
        PoweredDesign(
            "fracbnn-zu5eg",
            "chip",
            lambda c: power_of_amounts(placed, zu5, 200.0, 1.0, c).chip_w,
            "source of the energies: agreement proves only the arithmetic",
        ),
    )
