"""Reference of residual binarization: activations as M sign bits, each worth +-mean of its level.

Codes hold level l's sign in bit l, the first (largest) level in bit 0. With means that are integers
nothing is rounded: sums of +-mean, and thresholds. Else the arithmetic of ReBNet
(mohaghasemzadeh/ReBNet, bnn/src/library/hls): numbers are ap_fixed<24, 16>, 8 bits behind the point,
fractions cut off towards minus infinity, overflow wraps. Maps are integers ``(channels, frames, height,
width)``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.design.network.network import RESIDUAL_SUM, Node
from bnnsim.functional.layers.pooling import bordered
from bnnsim.spec.workload import ConvBase, MaxPoolLayer, WeightedLayer

Values = Mapping[str, Integers]
FRACTION_BITS = RESIDUAL_SUM.fraction_bits


def wrapped(values: Integers) -> NDArray[np.int64]:
    """Values in the 24 bits of a sum."""
    half = 1 << (RESIDUAL_SUM.bits - 1)
    within: NDArray[np.int64] = (values.astype(np.int64) + half) % (2 * half) - half
    return within


def residual_layer(node: Node, values: Values, x: Integers) -> NDArray[np.int64]:
    """Codes of a convolution or linear layer with residual activations; sums where it has none.

    ``values``: ``weights`` bits, ``in_means`` (levels in,) where the input is residual; with an
    activation ``alpha``, ``bias`` ``(out,)`` and ``out_means`` (levels out,).
    """
    layer = node.layer
    assert isinstance(layer, WeightedLayer)
    sums = wrapped(_sums(node, values, x))
    if layer.activation is None:
        return sums
    alpha, bias = (values[name].astype(np.int64)[:, None, None, None] for name in ("alpha", "bias"))
    rest = wrapped((sums * alpha + (bias << FRACTION_BITS)) >> FRACTION_BITS)
    codes = np.zeros_like(rest)
    for level, mean in enumerate(values["out_means"].tolist()):
        fires = rest > 0
        codes |= fires.astype(np.int64) << level
        rest = wrapped(np.where(fires, rest - mean, rest + mean))
    return codes


def level_sums(node: Node, values: Values, x: Integers) -> NDArray[np.int64]:
    """Sums of a layer whose input's levels are worth integers; a border of 0 counts nothing.

    ``values``: ``weights`` bits, ``in_means`` (levels in,).
    """
    signs = values["weights"].astype(np.int64) * 2 - 1
    total = np.zeros((node.output.channels, x.shape[1], *node.output.shape[1:]), np.int64)
    for level, mean in enumerate(values["in_means"].tolist()):
        bipolar = (x.astype(np.int64) >> level & 1) * 2 - 1
        if isinstance(node.layer, ConvBase):
            bipolar = bordered(bipolar, node.layer.pad_tlbr, node.pad_value)
        total += _products(node, signs, bipolar) * mean
    return total


def codes_of(count: Integers, levels: int) -> NDArray[np.int64]:
    """Codes from how many of a channel's ``2**levels - 1`` thresholds fire: the first level is the upper
    bit."""
    return _reversed(count.astype(np.int64), levels)


def _sums(node: Node, values: Values, x: Integers) -> Integers:
    given = node.input.type
    if isinstance(node.layer, ConvBase):
        x = bordered(x, node.layer.pad_tlbr, node.pad_value)
    signs = values["weights"].astype(np.int64) * 2 - 1
    if not given.is_residual:
        shift = FRACTION_BITS - given.fraction_bits
        return _products(node, signs, x.astype(np.int64)) << shift
    total: Integers = np.zeros(1, np.int64)
    for level, mean in enumerate(values["in_means"].tolist()):
        bipolar = (x.astype(np.int64) >> level & 1) * 2 - 1
        # the hardware counts matches: P = (dot + K) / 2
        matches = (_products(node, signs, bipolar) + node.matrix_width) >> 1
        total = total + matches * mean
    return total


def _products(node: Node, signs: Integers, x: Integers) -> Integers:
    layer = node.layer
    if not isinstance(layer, ConvBase):
        flat = x.transpose(2, 3, 0, 1).reshape(-1, x.shape[1])
        return (signs @ flat)[:, :, None, None]
    pairs = zip(layer.kernel_hw, layer.dilation_hw, strict=True)
    reach = tuple((kernel - 1) * dilation + 1 for kernel, dilation in pairs)
    windows = sliding_window_view(x, reach, axis=(2, 3))
    windows = windows[:, :, :: layer.stride_hw[0], :: layer.stride_hw[1]]
    windows = windows[..., :: layer.dilation_hw[0], :: layer.dilation_hw[1]]
    parts = []
    for rows, given in zip(
        np.split(signs, node.groups), np.split(windows, node.groups), strict=True
    ):
        # float64 holds every sum exactly: they are far below 2**53
        sums = np.tensordot(
            rows.astype(np.float64), given.astype(np.float64), axes=([1, 2, 3], [0, 4, 5])
        )
        parts.append(np.rint(sums).astype(np.int64))
    return np.concatenate(parts)


def residual_pool(node: Node, x: Integers) -> NDArray[np.int64]:
    """The largest activation of each window: the first level decides, then the next."""
    layer = node.layer
    assert isinstance(layer, MaxPoolLayer)
    levels = node.input.type.bits
    kernel, stride = layer.kernel_on(*node.input.shape[1:]), layer.stride_on(*node.input.shape[1:])
    rank = bordered(_reversed(x.astype(np.int64), levels), layer.pad_tlbr, 0)
    windows = sliding_window_view(rank, kernel, axis=(2, 3))
    return _reversed(windows[:, :, :: stride[0], :: stride[1]].max(axis=(4, 5)), levels)


def _reversed(codes: Integers, levels: int) -> NDArray[np.int64]:
    """Codes with their bits in the other order."""
    turned = np.zeros_like(codes, np.int64)
    for level in range(levels):
        turned |= (codes >> level & 1) << (levels - 1 - level)
    return turned
