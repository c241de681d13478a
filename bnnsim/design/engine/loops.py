"""Loops over a layer's dimensions: what is left of each dimension inside them."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.design.engine.program import ResolvedLoop
from bnnsim.design.network.network import Node
from bnnsim.spec.engine.blocks import Array, Loop
from bnnsim.spec.workload import ConvBase, GatedConvLayer, WeightedLayer


@dataclass(frozen=True)
class Scope:
    """The size of every dimension at one place in a program.

    ``group`` is how many tiles of input channels share the partial-sum memory (None: not grouped).
    """

    extents: dict[str, int]
    unrolls: dict[str, int]
    group: int | None

    def enter(self, loop: Loop, unrolls: dict[str, int]) -> tuple[ResolvedLoop, Scope]:
        """The loop in whole numbers, and the scope inside it."""
        if loop.trips is not None:
            return ResolvedLoop("", loop.trips, 0, loop.trips), self
        assert loop.dimension is not None
        extent = self.extents[loop.dimension]
        lanes = unrolls.get(loop.dimension, 1)
        together = self.group or 1
        if loop.within_group:
            extent = min(extent, together * self.unrolls.get(loop.dimension, 1))
        tile = together * lanes if loop.tile == "group" else loop.tile or lanes
        trips = max(0, -(-extent // tile) + loop.extra)
        inner = self.narrowed(loop.dimension, min(tile, extent))
        return ResolvedLoop(loop.dimension, trips, tile, extent), inner

    def narrowed(self, dimension: str, extent: int) -> Scope:
        """The scope where ``dimension`` has only ``extent`` indices."""
        extents = {**self.extents, dimension: extent}
        if dimension == "pixels":
            extents["rows"] = extents["columns"] = 1
        elif dimension in ("rows", "columns"):
            extents["pixels"] = extents["rows"] * extents["columns"]
        return Scope(extents, self.unrolls, self.group)


def layer_scope(node: Node, last: Node, array: Array | None) -> tuple[Scope, tuple[str, str] | None]:
    """The dimensions of a layer whose program ends with layer ``last``'s output.

    The second value is (expected, got) where the array's partial-sum memory cannot hold one map.
    """
    extents = layer_extents(node, last, array is not None and array.iteration_space == "every_pixel")
    unrolls = {str(k): v for k, v in array.spatial_unrolling.items()} if array else {}
    group = None
    if array is not None and array.group is not None:
        words = -(-extents["pixels"] // unrolls.get("pixels", 1))
        group = array.group.words // words
        if group == 0:
            expected = f"at least {words} words (the partial sums of one map of {node.name})"
            return Scope(extents, unrolls, 1), (expected, str(array.group.words))
    return Scope(extents, unrolls, group), None


def layer_extents(node: Node, last: Node, every_pixel: bool) -> dict[str, int]:
    """Every dimension's size. A linear layer is a map of one pixel with all elements as channels; the
    channels of a layer with groups are those of one group."""
    layer = node.layer
    kernel = layer.kernel_hw if isinstance(layer, ConvBase) else (1, 1)
    channels, height, width = node.input.shape
    rows, columns = node.output.shape[1:]
    if isinstance(layer, ConvBase):
        if every_pixel:
            top, left, bottom, right = layer.pad_tlbr
            rows = height + top + bottom - (kernel[0] - 1) * layer.dilation_hw[0]
            columns = width + left + right - (kernel[1] - 1) * layer.dilation_hw[1]
    elif isinstance(layer, WeightedLayer):
        channels, height, width = node.input.elements, 1, 1
    return {
        "out_channels": node.output.channels // node.groups,
        "in_channels": channels // node.groups,
        "planes": planes_of(node),
        "groups": node.groups,
        "kernel_rows": kernel[0],
        "kernel_columns": kernel[1],
        "rows": rows,
        "columns": columns,
        "pixels": rows * columns,
        "in_rows": height,
        "in_columns": width,
        "out_rows": last.output.shape[1] if isinstance(layer, ConvBase) else rows,
        "out_columns": last.output.shape[2] if isinstance(layer, ConvBase) else columns,
    }


def planes_of(node: Node) -> int:
    """Binary planes of an input element that the array works on one by one."""
    if isinstance(node.layer, GatedConvLayer):
        return 2
    has_levels = isinstance(node.layer, WeightedLayer) and node.input.type.has_integer_means
    return node.input.type.bits if has_levels else 1
