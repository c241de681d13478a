"""Convolutions, matrix products and pools: operators that make a layer of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Int64s
from bnnsim.importers.draft.draft import INPUT, LayerDraft
from bnnsim.importers.exact.channel_function import Affine, ChannelFunction, direction
from bnnsim.importers.exact.rational import fractions_of
from bnnsim.importers.onnx.constants import weight_rows
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.joins import in_fixed_point
from bnnsim.importers.onnx.operators.kinks import without_falls
from bnnsim.importers.onnx.operators.quantise import negated, quantised
from bnnsim.importers.onnx.signal import Signal, as_map, dimension, map_dimensions

Border = tuple[int, int, int, int]


def conv(state: Lowering, operator: Operator) -> Signal:
    signal = state.signal(operator)
    border = signal.border
    if border is not None:
        signal = replace(signal, border=None)
    signal = quantised(state, operator, signal)
    channels, height, width = as_map(operator, signal, operator.channels_last)
    weights, scales = _weights(state, operator, 1, 0)
    if weights.ndim != 4:
        raise operator.fault("a convolution with two spatial dimensions", f"{weights.ndim - 2}")
    groups = int(operator.attributes.get("group", 1))
    out, group_channels, *kernel = weights.shape
    if group_channels * groups != channels or out % groups:
        expected = f"weights for {channels} channels in {groups} groups"
        raise operator.fault(expected, list(weights.shape))
    stride = _pair(operator, "strides")
    dilation = _pair(operator, "dilations")
    pads = window_border(operator, (height, width), kernel, stride, dilation)
    value = Fraction(0)
    if border is not None:
        if any(pads) and border.value != 0:
            raise operator.fault("one value all around its input", f"{float(border.value)} and 0")
        value = border.value
        top, left, bottom, right = (a + b for a, b in zip(pads, border.tlbr, strict=True))
        pads = (top, left, bottom, right)
    inputs = [
        _one_affine(operator, signal, range(g * group_channels, (g + 1) * group_channels))
        for g in range(groups)
    ]
    sizes = [
        (extent + before + after - ((k - 1) * d + 1)) // s + 1
        for extent, before, after, k, d, s in zip(
            (height, width), pads[:2], pads[2:], kernel, dilation, stride, strict=True
        )
    ]
    if min(sizes) < 1:
        raise operator.fault("a kernel within its padded input", f"{kernel} on {height} x {width}")
    options: dict[str, object] = {
        "kernel": tuple(kernel),
        "stride": stride,
        "dilation": dilation,
        "groups": groups,
    }
    if any(pads):
        options |= {"pad": pads, "pad_value": _pad_value(state, operator, signal, inputs, value)}
    layer = _weighted(state, signal, "conv", weights, (out, sizes[0], sizes[1]))
    layer.options = options
    bias = state.optional(operator, 2, "bias")
    function = _sum_function(weights, scales, inputs, None if bias is None else fractions_of(bias))
    dimensions = map_dimensions(*layer.shape)
    if operator.channels_last:
        dimensions = (*dimensions[1:], dimensions[0])
    return Signal(layer.name, function, dimensions)


def matmul(state: Lowering, operator: Operator) -> Signal:
    return _linear(state, operator, transposed=False, factor=Fraction(1), bias=None)


def gemm(state: Lowering, operator: Operator) -> Signal:
    """``alpha * x * w + beta * c``."""
    if operator.attributes.get("transA", 0):
        raise operator.fault("transA 0", 1)
    alpha, beta = (
        Fraction(float(np.float32(operator.attributes.get(key, 1.0)))) for key in ("alpha", "beta")
    )
    given = state.optional(operator, 2, "bias")
    bias = None if given is None else [beta * b for b in fractions_of(given)]
    transposed = bool(operator.attributes.get("transB", 0))
    return _linear(state, operator, transposed, alpha, bias)


def xnor_popcount_matmul(state: Lowering, operator: Operator) -> Signal:
    """Counts of equal bits of {0,1} inputs and weights: (dot + K) / 2 of their bipolar values."""
    bits = state.constant(operator, 1, "weights")
    if bits.ndim != 2 or not np.all((bits == 0) | (bits == 1)):
        raise operator.fault("a matrix of 0 and 1 as its weights", "others")
    signal = state.signal(operator)
    bipolar = signal.with_function(signal.function.then([Affine(Fraction(2), Fraction(-1))]))
    matrix = bits.T.astype(np.int64) * 2 - 1
    result = _matrix_layer(state, operator, bipolar, matrix, [Fraction(1)], None)
    step = Affine(Fraction(1, 2), Fraction(bits.shape[0], 2))
    return result.with_function(result.function.then([step]))


def _linear(
    state: Lowering,
    operator: Operator,
    transposed: bool,
    factor: Fraction,
    bias: list[Fraction] | None,
) -> Signal:
    signal = state.signal(operator)
    weights, scales = _weights(state, operator, 1, 0 if transposed else 1)
    matrix = weights if transposed else weights.T
    return _matrix_layer(state, operator, signal, matrix, [factor * s for s in scales], bias)


def _matrix_layer(
    state: Lowering,
    operator: Operator,
    signal: Signal,
    matrix: Int64s,
    scales: list[Fraction],
    bias: list[Fraction] | None,
) -> Signal:
    signal = quantised(state, operator, signal)
    if matrix.ndim != 2 or len(signal.dimensions) != 1 or matrix.shape[1] != signal.shape[0]:
        expected = "[batch, features] times a matrix that fits"
        raise operator.fault(expected, f"{[1, *signal.shape]} times {list(matrix.T.shape)}")
    step = _one_affine(operator, signal, range(signal.channels))
    axes = [axis for axis, _ in signal.dimensions[0]]
    readers = state.graph.readers()
    if signal.base == INPUT and len(axes) > 1 and readers.get(state.graph.input) == 1:
        # A map that is only ever flattened: a flat frame, in the model's own order.
        state.draft.input_shape = (signal.shape[0], 1, 1)
    elif axes not in (["C"], ["H", "W", "C"], ["H", "C"], ["W", "C"], []):
        matrix = _pixel_major(matrix, signal)
    layer = _weighted(state, signal, "linear", matrix, (matrix.shape[0], 1, 1))
    function = _sum_function(matrix, scales, [step], bias)
    return Signal(layer.name, function, (dimension("C", matrix.shape[0]),))


def _pixel_major(matrix: Int64s, signal: Signal) -> Int64s:
    """Columns from the tensor's order to pixel by pixel, channel fastest."""
    axes = [axis for axis, _ in signal.dimensions[0]]
    sizes = [size for _, size in signal.dimensions[0]]
    order = [axes.index(axis) + 1 for axis in "HWC" if axis in axes]
    return matrix.reshape(-1, *sizes).transpose(0, *order).reshape(len(matrix), -1)


def _weights(
    state: Lowering, operator: Operator, position: int, row_axis: int
) -> tuple[Int64s, list[Fraction]]:
    state.constant(operator, position, "weights")
    return weight_rows(state.graph, operator, operator.inputs[position], row_axis)


def _weighted(
    state: Lowering,
    signal: Signal,
    kind: str,
    weights: npt.NDArray[np.int64],
    shape: tuple[int, int, int],
) -> LayerDraft:
    low, high = state.draft.bounds_of(signal.base)
    columns = int(np.abs(weights.reshape(len(weights), -1)).sum(axis=1).max())
    reach = columns * max(abs(low), abs(high))
    assert kind in ("conv", "linear")
    layer = state.draft.append(
        "conv" if kind == "conv" else "linear", [signal.base], shape, -reach, reach
    )
    layer.weights = np.ascontiguousarray(weights)
    return layer


def _one_affine(operator: Operator, signal: Signal, channels: Sequence[int]) -> Affine:
    """The affine step that the given channels share: what the sum over them can carry."""
    chains = {signal.function.of(c) for c in channels} if not signal.function.is_shared else set()
    function = ChannelFunction(tuple(chains)) if chains else signal.function
    step = function.shared_affine()
    if step is None or step.gain == 0:
        raise operator.fault(
            "quantised inputs with one scale (a sign or another quantiser directly in front)",
            "real numbers that differ between channels" if step is None else "a scale of 0",
        )
    return step


def _sum_function(
    weights: Int64s, scales: list[Fraction], inputs: list[Affine], bias: list[Fraction] | None
) -> ChannelFunction:
    """What a row's integer sum means: scale of weights and inputs, offsets, bias."""
    rows = weights.reshape(len(weights), -1).sum(axis=1).tolist()
    per_group = len(rows) // len(inputs)
    steps = []
    for row, total in enumerate(rows):
        step = inputs[row // per_group]
        scale = scales[row if len(scales) > 1 else 0]
        offset = scale * step.offset * total
        if bias is not None:
            offset += bias[row if len(bias) > 1 else 0]
        steps.append(Affine(scale * step.gain, offset))
    return ChannelFunction().then(steps).simplest


def _pad_value(
    state: Lowering, operator: Operator, signal: Signal, inputs: list[Affine], value: Fraction
) -> int:
    """The integer that stands for the border's real value."""
    found = {(value - step.offset) / step.gain for step in inputs}
    pad = found.pop()
    value_type = state.draft.type_of(signal.base)
    low, high = state.draft.bounds_of(signal.base)
    fits = not found and pad.denominator == 1 and low <= pad <= high
    if value_type is not None and value_type.is_bipolar and pad not in (-1, 0, 1):
        fits = False
    if not fits:
        raise operator.fault(f"a border that {value_type} can hold", f"{float(value)}")
    return int(pad)


def window_border(
    operator: Operator,
    extents: tuple[int, int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int] = (1, 1),
) -> Border:
    """Top, left, bottom, right of ``pads`` or ``auto_pad``."""
    auto = str(operator.attributes.get("auto_pad", "NOTSET"))
    if auto in ("NOTSET", ""):
        pads = [int(p) for p in operator.attributes.get("pads", (0, 0, 0, 0))]
        if len(pads) != 4 or min(pads) < 0:
            raise operator.fault("four pads of at least 0", pads)
        return pads[0], pads[1], pads[2], pads[3]
    if auto == "VALID":
        return 0, 0, 0, 0
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        raise operator.fault("auto_pad NOTSET, VALID, SAME_UPPER or SAME_LOWER", auto)
    sides: list[tuple[int, int]] = []
    for extent, k, s, d in zip(extents, kernel, stride, dilation, strict=True):
        total = max(0, (-(-extent // s) - 1) * s + (k - 1) * d + 1 - extent)
        small, large = total // 2, total - total // 2
        sides.append((small, large) if auto == "SAME_UPPER" else (large, small))
    (top, bottom), (left, right) = sides
    return top, left, bottom, right


def _pair(operator: Operator, key: str) -> tuple[int, int]:
    values = [int(v) for v in operator.attributes.get(key, (1, 1))]
    if len(values) != 2 or min(values) < 1:
        raise operator.fault(f"two {key}", values)
    return values[0], values[1]


# ---- pools -----------------------------------------------------------------------------------------


def max_pool(state: Lowering, operator: Operator) -> Signal:
    signal = quantised(state, operator, state.signal(operator))
    channels, height, width = as_map(operator, signal, operator.channels_last)
    kernel, stride, pads = _pool_window(operator, height, width)
    if any(pads) or _pair(operator, "dilations") != (1, 1):
        raise operator.fault("a max pool without padding and dilation", f"pads {list(pads)}")
    if kernel[0] != kernel[1] or stride[0] != stride[1]:
        raise operator.fault("a square max pool", f"kernel {list(kernel)}, strides {list(stride)}")
    base, function = without_falls(state, operator, signal.base, signal.function)
    turns = [direction(chain) for chain in function.chains]
    if -1 in turns:
        base, function = negated(state, base, function, [turn < 0 for turn in turns])
    low, high = state.draft.bounds_of(base)
    sizes = [(extent - kernel[0]) // stride[0] + 1 for extent in (height, width)]
    shape = (channels, sizes[0], sizes[1])
    layer = state.draft.append("max_pool", [base], shape, low, high)
    layer.options = {"kernel": kernel[0], "stride": stride[0]}
    return _mapped(operator, replace(signal, base=layer.name, function=function.simplest), shape)


def average_pool(state: Lowering, operator: Operator) -> Signal:
    """The average as a sum: a convolution of each channel with weights of +1."""
    signal = quantised(state, operator, state.signal(operator))
    if signal.function.affine() is None:
        signal = in_fixed_point(state, operator, signal)
    _, height, width = as_map(operator, signal, operator.channels_last)
    if operator.kind == "AveragePool":
        kernel, stride, pads = _pool_window(operator, height, width)
        if any(pads):
            raise operator.fault("an average pool without padding", f"pads {list(pads)}")
    else:
        _check_means(state, operator)
        kernel, stride = (height, width), (1, 1)
    result = _box_sum(state, operator, signal, kernel, stride, (height, width))
    if operator.kind == "ReduceMean" and not operator.attributes.get("keepdims", 1):
        return replace(result, dimensions=tuple(d for d in result.dimensions if d))
    return result


def _check_means(state: Lowering, operator: Operator) -> None:
    """A ReduceMean must be over rows and columns."""
    if operator.kind != "ReduceMean":
        return
    given = operator.attributes.get("axes")
    if given is None:
        given = state.constant(operator, 1, "axes").tolist()
    signal = state.signal(operator)
    rank = len(signal.shape) + 1
    labels = {label for axis in given if axis % rank for label, _ in signal.dimensions[axis % rank - 1]}
    spatial = {label for one in signal.dimensions for label, _ in one} - {"C"}
    if labels != spatial or any(axis % rank == 0 for axis in given):
        raise operator.fault("a mean over rows and columns", f"axes {list(given)}")


def _box_sum(
    state: Lowering,
    operator: Operator,
    signal: Signal,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    extents: tuple[int, int],
) -> Signal:
    channels = signal.channels
    area = kernel[0] * kernel[1]
    weights = np.ones((channels, 1, *kernel), np.int64)
    sizes = [(e - k) // s + 1 for e, k, s in zip(extents, kernel, stride, strict=True)]
    shape = (channels, sizes[0], sizes[1])
    layer = _weighted(state, signal, "conv", weights, shape)
    low, high = state.draft.bounds_of(signal.base)
    layer.low, layer.high = area * low, area * high
    layer.options = {"kernel": kernel, "stride": stride, "groups": channels}
    affine = signal.function.affine()
    assert affine is not None
    steps = [Affine(step.gain / area, step.offset) for step in affine]
    function = ChannelFunction().then(steps)
    return _mapped(operator, replace(signal, base=layer.name, function=function), shape)


def _mapped(operator: Operator, signal: Signal, shape: tuple[int, int, int]) -> Signal:
    dimensions = map_dimensions(*shape)
    if operator.channels_last:
        dimensions = (*dimensions[1:], dimensions[0])
    return replace(signal, dimensions=dimensions)


def _pool_window(
    operator: Operator, height: int, width: int
) -> tuple[tuple[int, int], tuple[int, int], Border]:
    kernel = _pair(operator, "kernel_shape")
    stride = _pair(operator, "strides")
    pads = window_border(operator, (height, width), kernel, stride)
    extents = (height + pads[0] + pads[2], width + pads[1] + pads[3])
    if any(k > e for k, e in zip(kernel, extents, strict=True)):
        raise operator.fault("a window within its input", f"{list(kernel)} on {height} x {width}")
    leftover = any((e - k) % s for e, k, s in zip(extents, kernel, stride, strict=True))
    if operator.attributes.get("ceil_mode", 0) and leftover:
        raise operator.fault("windows that fill the map, or ceil_mode 0", "ceil_mode 1")
    return kernel, stride, pads


def classifier_end(state: Lowering, operator: Operator) -> None:
    """TopK, ArgMax, Softmax: what is in front of them are the scores."""
    state.signal(operator)
