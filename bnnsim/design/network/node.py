"""One layer of a network with its shapes, types and matrix size worked out."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.design.network.tensor import Tensor
from bnnsim.spec.faults import divisors_of
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import ConvBase, Layer, MatmulLayer, WeightedLayer

INPUT = "input"
"""The name of the frame among the layers."""
OPERATIONS_PER_MAC = 2
"""One binary multiply-accumulate counts as two operations, as in published GOPS."""


@dataclass(frozen=True)
class Node:
    """One layer with its resolved inputs and output.

    ``sum_type`` is the value set of the integer sum before any activation (weighted, threshold and
    add layers); ``pad_value`` the resolved border value of a convolution.
    """

    layer: Layer
    inputs: tuple[str, ...]
    input_tensors: tuple[Tensor, ...]
    output: Tensor
    sum_type: ValueType
    pad_value: int = 0

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def input(self) -> Tensor:
        """The first input."""
        return self.input_tensors[0]

    @property
    def matrix_height(self) -> int:
        """Rows of the layer's matrix (of one group): output channels."""
        assert self.has_matrix
        return self.output.channels // self.groups

    @property
    def matrix_width(self) -> int:
        """Columns of the layer's matrix (of one group): kernel * channels."""
        if isinstance(self.layer, ConvBase):
            height, width = self.layer.kernel_hw
            return height * width * self.input.channels // self.groups
        if isinstance(self.layer, MatmulLayer):
            return self.group_channels
        return self.input.elements

    @property
    def has_matrix(self) -> bool:
        """Whether the layer multiplies with a matrix: of weights, or what its second input brings."""
        return isinstance(self.layer, WeightedLayer | MatmulLayer)

    @property
    def groups(self) -> int:
        """Groups of a convolution, heads of a matrix product."""
        if isinstance(self.layer, MatmulLayer):
            return self.layer.heads
        return self.layer.groups if isinstance(self.layer, ConvBase) else 1

    @property
    def pe_choices(self) -> tuple[int, ...]:
        """PEs that a unit for a weighted layer may have: a divisor of a group's rows, or all rows of so
        many groups side by side."""
        rows = self.matrix_height
        if isinstance(self.layer, MatmulLayer):
            return (*divisors_of(rows),)
        several = tuple(rows * groups for groups in divisors_of(self.groups)[1:])
        return (*divisors_of(rows), *several)

    @property
    def group_channels(self) -> int:
        """Input channels of a group."""
        return self.input.channels // self.groups

    @property
    def is_residual(self) -> bool:
        """Whether activations are residual on either side."""
        return self.input.type.is_residual or self.output.type.is_residual

    @property
    def macs(self) -> int:
        """Multiply-accumulates a frame, padded taps included."""
        if not self.has_matrix:
            return 0
        return self.matrix_height * self.matrix_width * self.groups * self.output.pixels

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weight array in the weights file."""
        if isinstance(self.layer, ConvBase):
            return (self.layer.out, self.group_channels, *self.layer.kernel_hw)
        return (self.matrix_height, self.matrix_width)

    @property
    def threshold_count(self) -> int:
        """Thresholds a channel; 0 without activation."""
        activation = getattr(self.layer, "activation", None)
        return 0 if activation is None else int(activation.thresholds)
