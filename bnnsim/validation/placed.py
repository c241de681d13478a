"""Placed designs whose structure is known in full: what the models say of each, part by part.

These rows calibrate the few fitted coefficients, and, left out one at a time, validate them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from bnnsim.cost.coefficients import Coefficients
from bnnsim.cost.parts import Cost, total
from bnnsim.cost.power import activity_at_rate, estimate_power, power_of_amounts
from bnnsim.cost.resources import Amounts, estimate_resources
from bnnsim.cost.technology import Technology, technology_of
from bnnsim.design.build import Design, build_design
from bnnsim.design.units import Mvau
from bnnsim.spec.device import Device
from bnnsim.spec.load import load_architecture, load_device, load_workload
from bnnsim.validation.placed_engines import (
    acce_bnn_parts,
    fracbnn_cifar10_parts,
    fracbnn_imagenet_parts,
)

_DESIGNS = Path(__file__).resolve().parent / "designs"
Model = Callable[[Coefficients], Cost]


@dataclass(frozen=True)
class PlacedDesign:
    """A placed design: its name in the published results, and its resources by the models."""

    name: str
    device: Device
    resources: Model


@dataclass(frozen=True)
class PoweredDesign:
    """A design whose power was reported on a known basis; ``power`` gives the models' watts."""

    name: str
    basis: str
    power: Callable[[Coefficients], float]
    note: str


@lru_cache(maxsize=1)
def placed_designs() -> tuple[PlacedDesign, ...]:
    """All placed designs with complete structure, streaming first."""
    z7020 = load_device("xc7z020").spec
    zu3 = load_device("xczu3eg").spec
    zu5 = load_device(_DESIGNS / "xczu5eg.device.yaml").spec
    streaming = [
        PlacedDesign(name, design.device, _streaming_model(design))
        for name, design in streaming_designs().items()
    ]
    return (
        *streaming,
        PlacedDesign("acce-bnn", z7020, lambda c: total(acce_bnn_parts(_tech(z7020, c), 8, 3))),
        PlacedDesign("acce-bnn-2", z7020, lambda c: total(acce_bnn_parts(_tech(z7020, c), 2, 4))),
        PlacedDesign("acce-bnn-1", z7020, lambda c: total(acce_bnn_parts(_tech(z7020, c), 1, 3))),
        PlacedDesign("fracbnn", zu3, lambda c: total(fracbnn_cifar10_parts(_tech(zu3, c), zu3.bram18))),
        PlacedDesign(
            "fracbnn-zu5eg", zu5, lambda c: total(fracbnn_cifar10_parts(_tech(zu5, c), zu5.bram18))
        ),
        PlacedDesign("fracbnn-imagenet", zu3, lambda c: total(fracbnn_imagenet_parts(_tech(zu3, c)))),
    )


@lru_cache(maxsize=1)
def streaming_designs() -> dict[str, Design]:
    """BNN-PYNQ's five accelerators, by name."""
    cnv = build_design(load_architecture("pynq-cnv"), load_workload("cnv"))
    named = {
        "pynq-cnv-w1a2": "cnv-w1a2",
        "pynq-cnv-w2a2": "cnv-w2a2",
        "pynq-lfc-w1a1": "lfc-w1a1",
        "pynq-lfc-w1a2": "lfc-w1a2",
    }
    others = {
        name: _ternary(
            build_design(
                load_architecture(_DESIGNS / f"{name}.arch.yaml"),
                load_workload(_DESIGNS / f"{workload}.workload.yaml"),
            )
        )
        for name, workload in named.items()
    }
    return {"pynq-cnv": cnv, **others}


def _ternary(design: Design) -> Design:
    """BNN-PYNQ's two-bit activations take -1, 0 and +1: two thresholds where the type has three."""
    units = tuple(
        replace(unit, parameters=replace(unit.parameters, thresholds=2))
        if isinstance(unit.parameters, Mvau) and unit.parameters.thresholds == 3
        else unit
        for unit in design.graph.units
    )
    return replace(design, graph=replace(design.graph, units=units))


def _tech(device: Device, coefficients: Coefficients) -> Technology:
    return technology_of(device, coefficients)


def _streaming_model(design: Design) -> Model:
    def resources(coefficients: Coefficients) -> Cost:
        amounts = estimate_resources(design, coefficients).total
        return Cost(
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
    zu5 = load_device(_DESIGNS / "xczu5eg.device.yaml").spec
    cnv = streaming_designs()["pynq-cnv"]

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
