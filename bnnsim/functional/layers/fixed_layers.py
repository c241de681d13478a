"""Reference of the layers that compute in fixed point: affine, mean pool, gated convolution, classifier.

Maps are integers ``(channels, frames, height, width)``. The order of the statements and what each
rounds follow FracBNN's CIFAR-10 accelerator (cornell-zhang/FracBNN, xcel-cifar10/source/layer.h).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.design.network.network import Node
from bnnsim.functional.layers.fixed_point import divided_towards_zero, rounded, shifted_product, with_room
from bnnsim.functional.layers.pooling import bordered
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import (
    AffineLayer,
    FixedLinearLayer,
    GatedConvLayer,
    LookupLayer,
    MeanPoolLayer,
    PreluLayer,
)

Values = Mapping[str, Integers]

PARAMETER_TYPE = ValueType("fixed", 12, 8)
UPPER_WEIGHT = 171
"""2/3 with 8 bits behind the point: what a +-1 of the upper plane weighs."""
LOWER_WEIGHT = 85
"""1/3 with 8 bits behind the point: what a +-1 of the lower plane weighs."""
FIXED_LAYERS = (
    AffineLayer,
    PreluLayer,
    LookupLayer,
    MeanPoolLayer,
    GatedConvLayer,
    FixedLinearLayer,
)
CHANNEL_PARAMETERS = (
    "gate_thresholds",
    "bn_scale",
    "bn_bias",
    "rprelu_x",
    "rprelu_slope",
    "rprelu_y",
    "post_scale",
    "post_bias",
)
"""Of a gated convolution, one a channel, besides its weights."""


@dataclass(frozen=True)
class GatedSums:
    """What a gated convolution computes on the way.

    ``codes`` uint8 0 .. 3, the quantised input; ``upper`` and ``lower`` int32, the two planes' sums,
    the lower one zero where the gate is shut.
    """

    codes: NDArray[np.uint8]
    upper: NDArray[np.int32]
    lower: NDArray[np.int32]


def quantised(x: Integers, value_type: ValueType) -> NDArray[np.uint8]:
    """Codes 0 .. 3: round((x + 1) x 1.5), halves up, clipped."""
    one = 1 << value_type.fraction_bits
    codes = ((x.astype(np.int64) + one) * 3 + one) // (2 * one)
    return np.clip(codes, 0, 3).astype(np.uint8)


def plane_sums(plane: Integers, weights: Integers, layer: GatedConvLayer) -> NDArray[np.int32]:
    """Sums of +-1 products of bits ``(channels, frames, height, width)``; border taps add nothing."""
    signs = plane.astype(np.float32) * 2 - 1
    windows = sliding_window_view(bordered(signs, layer.pad_tlbr, 0), layer.kernel_hw, axis=(2, 3))
    windows = windows[:, :, :: layer.stride_hw[0], :: layer.stride_hw[1]]
    # float32 holds every sum: they are integers below 2**24
    sums = np.tensordot(weights.astype(np.float32) * 2 - 1, windows, axes=([1, 2, 3], [0, 4, 5]))
    return np.rint(sums).astype(np.int32)


def gate(upper: Integers, lower: Integers, thresholds: Integers) -> NDArray[np.int32]:
    """The lower sums where 2/3 of the upper one exceeds the channel's threshold, else 0."""
    opens = upper.astype(np.int64) * UPPER_WEIGHT > per_channel(thresholds)
    return np.where(opens, lower, 0).astype(np.int32)


def gated_sums(node: Node, values: Values, x: Integers) -> GatedSums:
    """Quantised input and both planes' sums of a gated convolution."""
    assert isinstance(node.layer, GatedConvLayer)
    codes = quantised(x, node.layer.type)
    upper = plane_sums(codes >> 1, values["weights"], node.layer)
    lower = plane_sums(codes & 1, values["weights"], node.layer)
    return GatedSums(codes, upper, gate(upper, lower, values["gate_thresholds"]))


def after_gate(
    upper: Integers, lower: Integers, shortcut: Integers, values: Values, to: ValueType
) -> NDArray[np.int64]:
    """Merge, batch norm, RPReLU, shortcut and affine, each statement rounded and saturated."""
    f, p = to.fraction_bits, PARAMETER_TYPE.fraction_bits

    def scaled(y: Integers, name: str) -> Integers:
        return y * per_channel(values[name])

    def offset(name: str) -> Integers:
        return per_channel(values[name]) << f

    y = rounded(upper, 0, to)
    y = rounded(y * UPPER_WEIGHT, f + p, to)
    y = rounded((y << p) + rounded(lower, 0, to) * LOWER_WEIGHT, f + p, to)
    y = rounded(scaled(y, "bn_scale") + offset("bn_bias"), f + p, to)
    y = rounded((y << p) + offset("rprelu_x"), f + p, to)
    y = np.where(y < 0, rounded(scaled(y, "rprelu_slope"), f + p, to), y)
    y = rounded((y << p) + offset("rprelu_y"), f + p, to)
    y = rounded(y + shortcut, f, to)
    return rounded(scaled(y, "post_scale") + offset("post_bias"), f + p, to)


def affine(x: Integers, given: ValueType, values: Values, layer: AffineLayer) -> NDArray[np.int64]:
    """scale x x + bias: in one statement, or shifted to the output's point before the bias is added."""
    if layer.shift_bits is not None:
        product = shifted_product(x, per_channel(values["scale"]), layer.shift_bits)
        return rounded(product + per_channel(values["bias"]), 0, replace(layer.type, fraction_bits=0))
    f, p = given.fraction_bits, layer.parameters.fraction_bits
    bits = max(given.bits + layer.parameters.bits, f + layer.parameters.bits) + _room(f + p, layer.type)
    wide = with_room(x, bits) * per_channel(values["scale"])
    return rounded(wide + (with_room(per_channel(values["bias"]), bits) << f), f + p, layer.type)


def prelu(x: Integers, given: ValueType, values: Values, layer: PreluLayer) -> NDArray[np.int64]:
    """x, or slope x x where x is negative, in one statement."""
    f, p = given.fraction_bits, layer.parameters.fraction_bits
    wide = with_room(x, given.bits + layer.parameters.bits + _room(f + p, layer.type))
    sloped = np.where(wide < 0, wide * per_channel(values["slope"]), wide << p)
    return rounded(sloped, f + p, layer.type)


def lookup(x: Integers, values: Values, layer: LookupLayer) -> NDArray[np.int64]:
    """Straight pieces between the values of a table."""
    table = values["values"].astype(np.int64)
    last = (layer.segments << layer.shift_bits) - 1
    place = np.clip(x.astype(np.int64) - layer.low, 0, last)
    piece = place >> layer.shift_bits
    rise = (table[piece + 1] - table[piece]) * (place - (piece << layer.shift_bits))
    half = (1 << layer.shift_bits) >> 1
    found: NDArray[np.int64] = table[piece] + ((rise + half) >> layer.shift_bits)
    return found


def _room(fraction_bits: int, to: ValueType) -> int:
    """Bits that rounding needs on top: to the left where ``to`` is finer, and one for a carry."""
    return 1 + max(0, to.fraction_bits - fraction_bits)


def mean_pool(x: Integers, given: ValueType, layer: MeanPoolLayer) -> NDArray[np.int64]:
    """Means of non-overlapping windows."""
    channels, frames, height, width = x.shape
    rows, columns = layer.kernel_on(height, width)
    shape = (channels, frames, height // rows, rows, width // columns, columns)
    more = max(0, layer.type.fraction_bits - given.fraction_bits)
    sums = x.astype(np.int64).reshape(shape).sum(axis=(3, 5)) << more
    count = rows * columns
    if layer.rounding == "half_up":
        means = (2 * sums + count) // (2 * count)
    else:
        means = divided_towards_zero(sums, count)
    return rounded(means, given.fraction_bits + more, layer.type)


def fixed_linear(
    x: Integers, given: ValueType, values: Values, layer: FixedLinearLayer
) -> NDArray[np.int64]:
    """Scores ``(out, frames, 1, 1)``; input, weights and bias are first rounded to the scores' type."""
    to = layer.type
    f = to.fraction_bits
    vector = rounded(x.reshape(x.shape[0], x.shape[1]), given.fraction_bits, to)
    matrix = rounded(values["weights"], layer.weight.fraction_bits, to)
    bias = rounded(values["bias"], layer.weight.fraction_bits, to)
    total = np.repeat(bias[:, None], x.shape[1], axis=1)
    for i in range(vector.shape[0]):
        total = rounded((total << f) + matrix[:, i : i + 1] * vector[i], 2 * f, to)
    return total[:, :, None, None]


def fixed_layer(node: Node, values: Values, inputs: list[Integers]) -> NDArray[np.int64]:
    """The output of a fixed-point layer from its inputs, all ``(channels, frames, height, width)``."""
    layer, x, given = node.layer, inputs[0], node.input.type
    if isinstance(layer, AffineLayer):
        return affine(x, given, values, layer)
    if isinstance(layer, PreluLayer):
        return prelu(x, given, values, layer)
    if isinstance(layer, LookupLayer):
        return lookup(x, values, layer)
    if isinstance(layer, MeanPoolLayer):
        return mean_pool(x, given, layer)
    if isinstance(layer, FixedLinearLayer):
        return fixed_linear(x, given, values, layer)
    assert isinstance(layer, GatedConvLayer)
    sums = gated_sums(node, values, x)
    return after_gate(sums.upper, sums.lower, inputs[-1], values, layer.type)


def per_channel(values: Integers) -> NDArray[np.int64]:
    """A value a channel, shaped to meet maps."""
    wide: NDArray[np.int64] = values.astype(np.int64)[:, None, None, None]
    return wide
