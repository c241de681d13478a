"""Bits on an engine: the frame's operations in the order of time, partial sums included.

The PE array adds tile after tile into its accumulators, in the order and with the tiles of its own
loops; what is left out, done twice or taken from the wrong place shows as wrong sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.datapath.engine.kernel import DIMENSIONS, PASS, accumulate
from bnnsim.datapath.engine.stages import Values, apply_epilogue, planes, scores, stage_layer
from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.program import Beside, LayerProgram, Op, Repeat, ResolvedLoop, Work
from bnnsim.design.network.network import INPUT, Node
from bnnsim.functional.tensors.elements import integer_dtype
from bnnsim.spec.workload import ConvBase, FixedLinearLayer, WeightedLayer


@dataclass
class EngineFrame:
    """One frame's values on the engine.

    ``outputs`` by layer, int64 ``(channels, height, width)``; ``sums`` by weighted layer, int64
    ``(planes, channels, height, width)`` as they stand in the accumulators when the layer is done (a
    gated layer's lower plane before its gate).
    """

    outputs: dict[str, Integers] = field(default_factory=dict)
    sums: dict[str, Integers] = field(default_factory=dict)


def run_engine_frame(
    design: EngineDesign,
    parameters: Mapping[str, Values],
    frame: Integers,
    given: Mapping[str, Integers] | None = None,
) -> EngineFrame:
    """Execute one frame.

    ``parameters``: by layer, then by name (``weights`` uint8 {0,1} where bipolar, ``thresholds``, the
    fixed-point layers' own). ``frame``: values ``(channels, height, width)``, {-1,+1} where bipolar.
    ``given``: what a streaming prefix put out, by layer.
    """
    result = EngineFrame({INPUT: frame.astype(np.int64), **(given or {})})
    for part in design.program.parts:
        for name in part.layers:
            node = design.network.nodes[name]
            inputs = [result.outputs[source] for source in node.inputs]
            values = parameters.get(name, {})
            if isinstance(node.layer, FixedLinearLayer):
                output = scores(node, values, inputs[0])
            elif isinstance(node.layer, WeightedLayer):
                sums = _array_sums(design, part, node, values, inputs[0])
                result.sums[name] = sums
                output = apply_epilogue(node, sums, values, inputs)
            else:
                output = stage_layer(node, values, inputs)
            result.outputs[name] = output
    return result


def _array_sums(
    design: EngineDesign, part: LayerProgram, node: Node, values: Values, x: Integers
) -> Integers:
    array = design.architecture.arrays[part.array]
    layer = node.layer
    assert isinstance(layer, WeightedLayer)
    operands = operands_of(design, part, node, x)
    extents = part.extents
    shape = (extents["planes"], node.output.channels, extents["rows"], extents["columns"])
    machine = _Array(
        operands,
        weights_of(node, values),
        np.zeros(shape, np.int64),
        extents["out_channels"],
        array.accumulator_bits or 0,
    )
    machine.run(part.ops, whole_bounds(part))
    sums = machine.sums
    if isinstance(layer, ConvBase) and array.iteration_space == "every_pixel":
        sums = sums[:, :, :: layer.stride_hw[0], :: layer.stride_hw[1]]
    return sums


def weights_of(node: Node, values: Values) -> Integers:
    """A layer's weights as an array reads them: int32 ``(outputs, kernel rows, kernel columns,
    in_channels)``, {-1,+1} where bipolar."""
    layer = node.layer
    assert isinstance(layer, WeightedLayer)
    weights = values["weights"].astype(np.int32)
    if layer.weight.is_bipolar:
        weights = weights * 2 - 1
    is_conv = isinstance(layer, ConvBase)
    weights = weights.transpose(0, 2, 3, 1) if is_conv else weights[:, None, None, :]
    return np.ascontiguousarray(weights, np.int32)


@dataclass(frozen=True)
class Operands:
    """What an array reads of one layer's input, and how far apart.

    ``x``: int32, or int64 where elements are wider, ``(planes, padded height, padded width, channels)``,
    the channels of all groups.
    """

    x: Integers
    stride: tuple[int, int]
    dilation: tuple[int, int]


def operands_of(design: EngineDesign, part: LayerProgram, node: Node, x: Integers) -> Operands:
    """The operands of a weighted layer with input ``x`` ``(channels, height, width)``."""
    array = design.architecture.arrays[part.array]
    layer = node.layer
    stride = dilation = (1, 1)
    if isinstance(layer, ConvBase):
        source = planes(node, x)
        top, left, bottom, right = layer.pad_tlbr
        border = ((0, 0), (0, 0), (top, bottom), (left, right))
        source = np.pad(source, border, constant_values=node.pad_value)
        dilation = layer.dilation_hw
        if array.iteration_space == "outputs":
            stride = layer.stride_hw
    else:
        # a map is flattened pixel by pixel, channel fastest
        levels = planes(node, x)
        source = levels.transpose(0, 2, 3, 1).reshape(len(levels), -1, 1, 1)
    ordered = np.ascontiguousarray(source.transpose(0, 2, 3, 1), integer_dtype(node.input.type))
    return Operands(ordered, stride, dilation)


def whole_bounds(part: LayerProgram) -> Integers:
    """Start and stop of every dimension of a layer's turn, int64 ``(9, 2)``."""
    return np.array([(0, part.extents[name]) for name in DIMENSIONS], np.int64)


class Walk:
    """The compute steps of a layer's turn in the order of time, each with its bounds."""

    def run(self, ops: tuple[Op, ...], bounds: Integers) -> None:
        """Every compute step of ``ops`` inside ``bounds``."""
        for op in ops:
            if isinstance(op, Repeat):
                if _computes(op.body):
                    self._repeat(op, bounds)
            elif isinstance(op, Beside):
                for branch in op.branches:
                    self.run(branch, bounds)
            elif isinstance(op, Work) and op.kind == "compute":
                self.compute(loop_table(op.loops), bounds)

    def compute(self, loops: Integers, bounds: Integers) -> None:
        """One compute step: a table of its loops, and the bounds where it begins."""
        raise NotImplementedError

    def _repeat(self, op: Repeat, bounds: Integers) -> None:
        for turn in product(*(range(loop.trips) for loop in op.loops)):
            inner = bounds.copy()
            kept = True
            for index, loop in zip(turn, op.loops, strict=True):
                kept = kept and narrow(inner, loop, index)
            if kept:
                self.run(op.body, inner)


@dataclass
class _Array(Walk):
    """A PE array with its input, weights and accumulators laid out for the kernel."""

    operands: Operands
    weights: Integers
    sums: Integers
    outputs_a_group: int
    accumulator_bits: int

    def compute(self, loops: Integers, bounds: Integers) -> None:
        accumulate(
            self.operands.x,
            self.weights,
            self.sums,
            loops,
            bounds,
            self.operands.stride,
            self.operands.dilation,
            self.outputs_a_group,
            self.accumulator_bits,
        )


def narrow(bounds: Integers, loop: ResolvedLoop, index: int) -> bool:
    """Narrow ``bounds`` to one trip; False where the trip works on nothing that is kept."""
    if loop.dimension not in DIMENSIONS:
        return index == 0
    row = bounds[DIMENSIONS.index(loop.dimension)]
    row[0] += index * loop.tile
    row[1] = min(row[1], row[0] + loop.tile)
    return bool(row[0] < row[1])


def loop_table(loops: tuple[ResolvedLoop, ...]) -> Integers:
    rows = [
        (
            DIMENSIONS.index(loop.dimension) if loop.dimension in DIMENSIONS else PASS,
            loop.trips,
            loop.tile,
        )
        for loop in loops
    ]
    return np.array(rows, np.int64).reshape(-1, 3)


def _computes(ops: tuple[Op, ...]) -> bool:
    return any(
        (isinstance(op, Work) and op.kind == "compute")
        or (isinstance(op, Repeat) and _computes(op.body))
        or (isinstance(op, Beside) and any(_computes(branch) for branch in op.branches))
        for op in ops
    )
