"""Switching activity of an engine's arrays, counted over the operands in the arrays' own order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.datapath.engine.frame import Operands, Walk, operands_of, whole_bounds
from bnnsim.datapath.engine.kernel import operand_toggles
from bnnsim.datapath.engine.toggle_record import ArrayToggles
from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.loops import planes_of
from bnnsim.design.network.network import Node
from bnnsim.spec.workload import FixedLinearLayer, WeightedLayer


def count_engine_toggles(
    design: EngineDesign, frames: Sequence[Mapping[str, Integers]]
) -> dict[str, ArrayToggles]:
    """Toggles of every array that runs weighted layers.

    ``frames``: of each frame the values ``(channels, height, width)`` by layer, the input among them,
    as integers ({-1,+1} where bipolar). The registers start at zero. Weights stand still for a whole
    map in most arrays and are not counted.
    """
    counters: dict[str, _Counter] = {}
    for values in frames:
        for part in design.program.parts:
            for name in part.layers[:1]:
                node = design.network.nodes[name]
                if not isinstance(node.layer, WeightedLayer) or isinstance(node.layer, FixedLinearLayer):
                    continue
                counter = counters.setdefault(part.array, _Counter(design, part.array))
                operands = operands_of(design, part, node, values[node.inputs[0]])
                counter.begin(operands, part.extents, _element_bits(node))
                counter.run(part.ops, whole_bounds(part))
    return {
        name: ArrayToggles(len(frames), counter.toggles, counter.operand_bits)
        for name, counter in counters.items()
    }


def _element_bits(node: Node) -> int:
    return 1 if planes_of(node) > 1 else node.input.type.bits


class _Counter(Walk):
    """An array's operand register."""

    def __init__(self, design: EngineDesign, array: str) -> None:
        unrolls = design.architecture.arrays[array].spatial_unrolling
        self.lanes = 1
        for dimension, lanes in unrolls.items():
            self.lanes *= 1 if dimension == "out_channels" else lanes
        self.register = np.zeros(self.lanes, np.int32)
        self.operand_bits = 0
        self.toggles = 0

    def begin(self, operands: Operands, extents: Mapping[str, int], element_bits: int) -> None:
        """The next layer's operands."""
        self.operands, self.element_bits = operands, element_bits
        self.columns, self.channels = extents["columns"], extents["in_channels"]
        self.operand_bits = max(self.operand_bits, self.lanes * element_bits)

    def compute(self, loops: Integers, bounds: Integers) -> None:
        self.toggles += operand_toggles(
            self.operands.x,
            self.columns,
            loops,
            bounds,
            self.operands.stride,
            self.operands.dilation,
            self.channels,
            self.element_bits,
            self.register,
        )
