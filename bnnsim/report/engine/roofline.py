"""Roofline of an engine: operations a cycle against operations a byte, under its arrays and ports."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from bnnsim.design.design import EngineDesign
from bnnsim.design.network.node import OPERATIONS_PER_MAC
from bnnsim.report.figures.figure import Figure, csv_text
from bnnsim.timing.engine.spending import Spending


@dataclass(frozen=True)
class EngineRooflinePoint:
    """One layer that computes and moves something in its turn."""

    name: str
    bound: str
    operations_a_byte: float
    operations_a_cycle: float
    peak_operations_a_cycle: int


@dataclass(frozen=True)
class EngineRooflineInfo:
    """``arrays``: operations a cycle that each could do; ``ports``: bytes a cycle that each can move."""

    points: tuple[EngineRooflinePoint, ...]
    arrays: dict[str, int]
    ports: dict[str, float]
    without_traffic: tuple[str, ...]
    """Layers that move nothing: no port can limit them."""


def engine_roofline_info(design: EngineDesign, spending: Spending) -> EngineRooflineInfo:
    """The record behind the figure."""
    spec = design.architecture
    computing = [layer for layer in spending.layers if layer.operations and layer.total_cycles]
    points = tuple(
        EngineRooflinePoint(
            layer.name,
            layer.bound or "",
            layer.operations_a_byte,
            layer.operations_a_cycle,
            layer.peak_operations_a_cycle,
        )
        for layer in computing
        if layer.operations_a_byte is not None
    )
    return EngineRooflineInfo(
        points,
        {
            name: OPERATIONS_PER_MAC * prod(array.spatial_unrolling.values())
            for name, array in spec.arrays.items()
        },
        {port.name: spec.ports[port.name].width_bits / 8 for port in spending.ports},
        tuple(layer.name for layer in computing if layer.operations_a_byte is None),
    )


def engine_roofline_figure(info: EngineRooflineInfo) -> Figure:
    """Layers as points; a flat ceiling an array, a slanted one a port."""
    header = (
        "layer",
        "bound",
        "operations_a_byte",
        "operations_a_cycle",
        "peak_operations_a_cycle",
    )
    rows = [
        (p.name, p.bound, p.operations_a_byte, p.operations_a_cycle, p.peak_operations_a_cycle)
        for p in info.points
    ]
    data = {
        "points": [dict(zip(header, row, strict=True)) for row in rows],
        "arrays": info.arrays,
        "ports": info.ports,
    }
    still = f" Nothing goes through a port for {', '.join(info.without_traffic)}."
    note = (
        "A layer cannot be above the flat line of its array, nor, where it must fetch what it moves "
        "in its own turn, above the slanted line of its port. Distance below both is stages, overhead, "
        f"latency and waiting.{still if info.without_traffic else ''}"
    )
    body = (
        '<div class="plot"></div>'
        '<p class="readout" aria-live="polite">Point at a layer, or tab to it.</p>'
    )
    return Figure(
        "roofline", "Roofline", note, body, csv=csv_text(header, rows), data=data, script="engineRoofline"
    )
