"""Bits of an engine's stages: what becomes of sums and maps behind the array.

Written from the hardware's side, apart from the reference in ``functional``: one frame, maps
``(channels, height, width)`` of integers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.design.network.network import Node
from bnnsim.functional.layers.fixed_point import divided_towards_zero, rounded, with_room
from bnnsim.spec.layers.pools import SlidingPool
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import (
    Activation,
    AddLayer,
    AffineLayer,
    AveragePoolLayer,
    ConcatLayer,
    FixedLinearLayer,
    GatedConvLayer,
    LookupLayer,
    MatmulLayer,
    MaxPoolLayer,
    MeanPoolLayer,
    MultiplyLayer,
    PreluLayer,
    RepeatLayer,
    SumPoolLayer,
    ThresholdLayer,
    TopKLayer,
    WeightedLayer,
)

Values = Mapping[str, Integers]
_TWO_THIRDS, _ONE_THIRD = 171, 85
_PARAMETER_BITS = 8


def planes(node: Node, x: Integers) -> Integers:
    """The array's input ``(planes, channels, height, width)``: a gated layer's two bit planes as +-1, a
    plane a level of residual activations, any other layer's values as they are."""
    layer = node.layer
    if node.input.type.has_integer_means:
        levels: Integers = np.stack([x >> level & 1 for level in range(node.input.type.bits)]) * 2 - 1
        return levels
    if not isinstance(layer, GatedConvLayer):
        return x[None]
    one = 1 << layer.type.fraction_bits
    codes = np.clip(((x + one) * 3 + one) >> (layer.type.fraction_bits + 1), 0, 3)
    both: Integers = np.stack([codes >> 1, codes & 1]) * 2 - 1
    return both


def apply_epilogue(node: Node, sums: Integers, values: Values, inputs: list[Integers]) -> Integers:
    """What a weighted layer puts out. ``sums``: ``(planes, out, rows, columns)``, already subsampled."""
    layer = node.layer
    assert isinstance(layer, WeightedLayer)
    if isinstance(layer, GatedConvLayer):
        return _gated(sums[0], sums[1], inputs[-1], values, layer.type)
    total: Integers = sums[0]
    if node.input.type.has_integer_means:
        total = np.tensordot(values["in_means"].astype(np.int64), sums, 1)
    if layer.accumulator == "popcount":
        total = (total + node.matrix_width) // 2
    if layer.activation is None:
        return total
    return _fired(total, values["thresholds"], layer.activation)


def _fired(sums: Integers, thresholds: Integers, activation: Activation) -> Integers:
    levels = np.asarray(thresholds).reshape(sums.shape[0], -1)[:, :, None, None]
    above = sums[:, None] > levels if activation.compare == ">" else sums[:, None] >= levels
    count: Integers = above.sum(axis=1)
    if activation.type.has_integer_means:
        return _turned(count, activation.type.bits)
    return count * 2 - 1 if activation.type.is_bipolar else count + activation.least


def _turned(numbers: Integers, bits: int) -> Integers:
    """Numbers with their bits in the other order: a level's sign lies in its own bit of a code, and the
    first level decides which code is larger."""
    turned = np.zeros_like(numbers)
    for bit in range(bits):
        turned |= (numbers >> bit & 1) << (bits - 1 - bit)
    return turned


def _gated(
    upper: Integers, lower: Integers, shortcut: Integers, values: Values, to: ValueType
) -> Integers:
    """Gate, merge, batch norm, RPReLU, shortcut, affine: one register write a line."""
    f, p = to.fraction_bits, _PARAMETER_BITS
    v = {name: value.astype(np.int64)[:, None, None] for name, value in values.items() if value.ndim == 1}
    kept = np.where(upper * _TWO_THIRDS > v["gate_thresholds"], lower, 0)
    y = rounded(rounded(upper, 0, to) * _TWO_THIRDS, f + p, to)
    y = rounded((y << p) + rounded(kept, 0, to) * _ONE_THIRD, f + p, to)
    y = rounded(y * v["bn_scale"] + (v["bn_bias"] << f), f + p, to)
    y = rounded((y << p) + (v["rprelu_x"] << f), f + p, to)
    y = np.where(y < 0, rounded(y * v["rprelu_slope"], f + p, to), y)
    y = rounded((y << p) + (v["rprelu_y"] << f), f + p, to)
    y = rounded(y + shortcut, f, to)
    return rounded(y * v["post_scale"] + (v["post_bias"] << f), f + p, to)


def scores(node: Node, values: Values, x: Integers) -> Integers:
    """A fixed-point classifier: bias first, then a product a term, rounded each time."""
    layer = node.layer
    assert isinstance(layer, FixedLinearLayer)
    to, f = layer.type, layer.type.fraction_bits
    vector = rounded(x.reshape(-1), node.input.type.fraction_bits, to)
    matrix = rounded(values["weights"], layer.weight.fraction_bits, to)
    total = rounded(values["bias"], layer.weight.fraction_bits, to)
    for term in range(vector.size):
        total = rounded((total << f) + matrix[:, term] * vector[term], 2 * f, to)
    return total[:, None, None]


def stage_layer(node: Node, values: Values, inputs: list[Integers]) -> Integers:
    """A layer without an array."""
    layer, x = node.layer, inputs[0]
    if isinstance(layer, MaxPoolLayer):
        given = node.input.type
        rank = _turned(x, given.bits) if given.has_integer_means else x
        largest: Integers = _pool_windows(rank, layer, given.minimum).max(axis=(3, 4))
        return _turned(largest, given.bits) if given.has_integer_means else largest
    if isinstance(layer, SumPoolLayer):
        sums: Integers = _pool_windows(x, layer, 0).sum(axis=(3, 4))
        return sums
    if isinstance(layer, AveragePoolLayer):
        return _majority(x, layer)
    if isinstance(layer, MeanPoolLayer):
        return _mean(x, node.input.type, layer)
    if isinstance(layer, AffineLayer):
        f, p = node.input.type.fraction_bits, layer.parameters.fraction_bits
        scale, bias = (values[n].astype(np.int64)[:, None, None] for n in ("scale", "bias"))
        if layer.shift_bits is not None:
            products = x.astype(object) * scale + ((1 << layer.shift_bits) >> 1)
            shifted: Integers = (products >> layer.shift_bits) + bias
            return shifted.clip(layer.type.minimum, layer.type.maximum).astype(np.int64)
        x = with_room(x, node.input.type.bits + f + p + layer.parameters.bits)
        return rounded(x * scale + (bias << f), f + p, layer.type)
    if isinstance(layer, PreluLayer):
        f, p = node.input.type.fraction_bits, layer.parameters.fraction_bits
        slope = values["slope"].astype(np.int64)[:, None, None]
        x = with_room(x, node.input.type.bits + p + layer.parameters.bits)
        return rounded(np.where(x < 0, x * slope, x << p), f + p, layer.type)
    if isinstance(layer, ThresholdLayer):
        return _fired(x, values["thresholds"], layer.activation)
    if isinstance(layer, AddLayer):
        total: Integers = np.add.reduce(inputs)
        return total
    if isinstance(layer, LookupLayer):
        pieces = range(layer.segments + 1)
        ends = [layer.low + (piece << layer.shift_bits) for piece in pieces]
        return _between(x, ends, [int(v) for v in values["values"]], layer.shift_bits)
    if isinstance(layer, MultiplyLayer):
        product: Integers = np.multiply(*(one.astype(np.int64) for one in inputs))
        return product
    if isinstance(layer, MatmulLayer):
        return _matrix_product(layer, *inputs)
    if isinstance(layer, RepeatLayer):
        return _repeated(x, layer)
    if isinstance(layer, TopKLayer):
        return _largest(x, layer.k)
    assert isinstance(layer, ConcatLayer)
    return np.concatenate(inputs)


def _between(x: Integers, ends: list[int], values: list[int], shift: int) -> Integers:
    """Straight lines between ``values`` at ``ends``."""
    found = []
    for number in x.reshape(-1).tolist():
        held = min(max(number, ends[0]), ends[-1] - 1)
        piece = (held - ends[0]) // (1 << shift)
        rise = (values[piece + 1] - values[piece]) * (held - ends[piece])
        found.append(values[piece] + (2 * rise + (1 << shift)) // (2 << shift))
    return np.array(found, np.int64).reshape(x.shape)


def _matrix_product(layer: MatmulLayer, vectors: Integers, matrix: Integers) -> Integers:
    """Each head's pixels of one map against the pixels, or the channels, of the other, term by term."""
    made = []
    for head in range(layer.heads):
        parts = [one.shape[0] // layer.heads for one in (vectors, matrix)]
        mine, its = (
            one.astype(np.int64)[head * part : (head + 1) * part]
            for one, part in zip((vectors, matrix), parts, strict=True)
        )
        flat = its.reshape(parts[1], -1)
        terms = flat if layer.transposed else flat.T
        rows = terms.shape[1]
        total = np.zeros((rows, *vectors.shape[1:]), np.int64)
        for term, values in zip(terms, mine, strict=True):
            total += term[:, None, None] * values
        made.append(total)
    return np.concatenate(made)


def _repeated(x: Integers, layer: RepeatLayer) -> Integers:
    """Each place out from the row and column that it shows, or 0 between them."""
    channels, height, width = x.shape
    rows = [r for r, count in enumerate(layer.row_counts(height)) for _ in range(count)]
    columns = [c for c, count in enumerate(layer.column_counts(width)) for _ in range(count)]
    large: Integers = x[np.arange(channels * layer.channels) // layer.channels][:, rows][:, :, columns]
    if layer.fill == "zero":
        first = np.outer(_is_first(rows), _is_first(columns))
        large = np.where(first, large, 0)
    return large


def _largest(x: Integers, count: int) -> Integers:
    """Positions of the largest channels: each in turn taken out of those that are left."""
    left = x.astype(np.int64)
    found = []
    for _ in range(count):
        best = left.argmax(axis=0)
        found.append(best)
        np.put_along_axis(left, best[None], np.iinfo(np.int64).min, axis=0)
    return np.stack(found)


def _is_first(places: list[int]) -> list[bool]:
    return [i == 0 or place != places[i - 1] for i, place in enumerate(places)]


def _pool_windows(x: Integers, layer: SlidingPool, border: int) -> Integers:
    """The windows of a pool ``(channels, rows, columns, kernel rows, kernel columns)``."""
    kernel, stride = layer.kernel_on(*x.shape[1:]), layer.stride_on(*x.shape[1:])
    if any(layer.pad_tlbr):
        top, left, bottom, right = layer.pad_tlbr
        x = np.pad(x, ((0, 0), (top, bottom), (left, right)), constant_values=border)
    view = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))
    windows: Integers = view[:, :: stride[0], :: stride[1]]
    return windows


def _majority(x: Integers, layer: AveragePoolLayer) -> Integers:
    total = _pool_windows(x, layer, 0).sum(axis=(3, 4))
    wins: Integers = (total > 0 if layer.compare == ">" else total >= 0).astype(np.int64)
    return wins * 2 - 1


def _mean(x: Integers, given: ValueType, layer: MeanPoolLayer) -> Integers:
    kernel = layer.kernel_on(*x.shape[1:])
    rows, columns = x.shape[1] // kernel[0], x.shape[2] // kernel[1]
    more = max(0, layer.type.fraction_bits - given.fraction_bits)
    total = x.reshape(x.shape[0], rows, kernel[0], columns, kernel[1]).sum(axis=(2, 4)) << more
    count = kernel[0] * kernel[1]
    if layer.rounding == "half_up":
        mean = (2 * total + count) // (2 * count)
    else:
        mean = divided_towards_zero(total, count)
    return rounded(mean, given.fraction_bits + more, layer.type)
