"""Convolutions and matrix products: operators that make a weighted layer of their own."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.importers.draft.draft import INPUT
from bnnsim.importers.exact.channel_function import Affine, ChannelFunction, Smooth
from bnnsim.importers.exact.rational import fractions_of
from bnnsim.importers.onnx.binding import (
    TensorBinding,
    as_map,
    dimension,
    is_ordered,
    map_dimensions,
    within_channels,
)
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering, RoundedWeights
from bnnsim.importers.onnx.operators.joins import add_bindings
from bnnsim.importers.onnx.operators.maps.borders import (
    append_border_sums,
    border_offsets,
    shared_step,
    with_offsets,
)
from bnnsim.importers.onnx.operators.maps.matrix_products import matrix_product
from bnnsim.importers.onnx.operators.maps.volumes import volume_conv
from bnnsim.importers.onnx.operators.orders import in_order
from bnnsim.importers.onnx.operators.quantise import quantised
from bnnsim.importers.onnx.operators.sums import of_one_gain, sum_function, weighted_layer
from bnnsim.importers.onnx.operators.windows import narrowed, pair, widened, window_border
from bnnsim.importers.onnx.outputs import End, classifier_end, leads_to_outputs
from bnnsim.importers.onnx.weights import weight_rows


def conv(state: Lowering, operator: Operator) -> TensorBinding:
    """A map ``(channels, rows, columns)`` times weights ``(out, channels / groups, kh, kw)``.

    Channels last, both have their channels last. A border that a Pad has put around the map becomes
    the layer's own.
    """
    binding = state.binding(operator)
    border = binding.border
    if border is None and len(binding.dimensions) == 4:
        return volume_conv(state, operator, conv)
    if border is not None:
        binding = replace(binding, border=None)
    binding = quantised(state, operator, binding)
    if border is not None:
        state.integers[operator.inputs[0]] = replace(binding, border=border)
    operator, binding, put_in = widened(operator, binding)
    if int(operator.attributes.get("group", 1)) > 1:
        binding = in_order(state, operator, binding)
    channels, height, width = as_map(operator, binding)
    weights, scales = _weights(state, operator, 1, 0)
    if operator.channels_last:  # (out, kh, kw, channels / groups), as qonnx writes them
        weights = np.moveaxis(weights, -1, 1)
    if put_in and weights.ndim == 3:
        weights = np.expand_dims(weights, 1 + put_in)
    if weights.ndim != 4:
        raise operator.fault("a convolution with two spatial dimensions", f"{weights.ndim - 2}")
    groups = int(operator.attributes.get("group", 1))
    out, group_channels, *kernel = weights.shape
    given = [int(size) for size in operator.attributes.get("kernel_shape", kernel)]
    if given != kernel:
        raise operator.fault(f"kernel_shape {kernel}, as its weights have it", given)
    if group_channels * groups != channels or out % groups:
        expected = f"weights for {channels} channels in {groups} groups"
        raise operator.fault(expected, list(weights.shape))
    if not is_ordered(binding):  # weights as the base's channels lie
        weights = weights[:, np.argsort(binding.channel_order)]
    stride = pair(operator, "strides")
    dilation = pair(operator, "dilations")
    pads = window_border(operator, (height, width), kernel, stride, dilation)
    value = Fraction(0)
    if border is not None:
        if any(pads) and (border.value != 0 or border.around is not None):
            raise operator.fault("one value all around its input", f"{float(border.value)} and 0")
        value = border.value
        top, left, bottom, right = (a + b for a, b in zip(pads, border.tlbr, strict=True))
        pads = (top, left, bottom, right)
    parts = [range(g * group_channels, (g + 1) * group_channels) for g in range(groups)]
    given_real, inputs = of_one_gain(state, operator, binding, parts, weights)
    if given_real is not binding and border is not None:
        state.integers[operator.inputs[0]] = replace(given_real, border=border)
    binding = given_real
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
    step = None
    if any(pads):
        pad = _pad_value(state, binding, inputs, value)
        if border is not None and border.around is not None:
            pad = 0 if {one.offset for steps in inputs for one in steps} == {0} else None
        if pad is None:
            step = shared_step({one.offset for steps in inputs for one in steps}, value)
            if step is None:
                value_type = state.draft.type_of(binding.base)
                remedy = "; --input-type fixed8.7 has a 0" if binding.base == INPUT and not value else ""
                raise operator.fault(f"a border that {value_type} can hold{remedy}", f"{float(value)}")
        options |= {"pad": pads, "pad_value": pad or 0}
    layer = weighted_layer(state, binding, "conv", weights, (out, sizes[0], sizes[1]))
    layer.options = options
    bias = state.optional(operator, 2, "bias")
    of_channels = weights.reshape(out, group_channels, -1).sum(axis=2)
    reals = None if bias is None else fractions_of(bias)
    if step is not None:  # as if the border were all around, and what the map's inside has more
        inputs = [[Affine(one.gain, value) for one in steps] for steps in inputs]
    function = sum_function(of_channels, scales, inputs, reals)
    dimensions = map_dimensions(*layer.shape, operator.channels_last)
    found = TensorBinding(layer.name, function, dimensions)
    if step is not None:
        inside = append_border_sums(state, layer, weights)
        gains = ChannelFunction().then([Affine(scale * step) for scale in scales])
        found = add_bindings(state, operator, [found, replace(found, base=inside.name, function=gains)])
    if border is not None and border.around is not None:
        found = with_offsets(state, operator, found, border_offsets(border, weights, operator), scales)
    return narrowed(found, put_in)


def matmul(state: Lowering, operator: Operator) -> TensorBinding:
    """``x * w`` with ``w`` of shape ``(features, out)``; ``w * x`` mixes tokens; or two activations."""
    if all(state.is_data(operator, i) for i in range(len(operator.inputs))):
        return matrix_product(state, operator)
    if len(operator.inputs) == 2 and state.is_data(operator, 1):
        return _from_the_left(state, operator)
    return _linear(state, operator, transposed=False, factor=Fraction(1), bias=None)


def _from_the_left(state: Lowering, operator: Operator) -> TensorBinding:
    """``w * x`` with ``w`` of shape ``(out, tokens)``: each feature's tokens times ``w``."""
    binding = state.binding(operator, 1)
    if len(binding.dimensions) != 2:
        raise operator.fault("weights times [batch, tokens, features]", f"{[1, *binding.shape]}")
    weights, scales = _weights(state, operator, 0, 0)
    turned = replace(binding, dimensions=binding.dimensions[::-1])
    found = _matrix_layer(state, operator, turned, weights, scales, None)
    return replace(found, dimensions=found.dimensions[::-1])


def gemm(state: Lowering, operator: Operator) -> TensorBinding:
    """``alpha * x * w + beta * c``."""
    if operator.attributes.get("transA", 0):
        raise operator.fault("transA 0", 1)
    alpha, beta = operator.real("alpha", 1.0), operator.real("beta", 1.0)
    given = state.optional(operator, 2, "bias")
    bias = None if given is None else [beta * b for b in fractions_of(given)]
    transposed = bool(operator.attributes.get("transB", 0))
    return _linear(state, operator, transposed, alpha, bias)


def xnor_popcount_matmul(state: Lowering, operator: Operator) -> TensorBinding:
    """Counts of equal bits of {0,1} inputs and weights: (dot + K) / 2 of their bipolar values."""
    bits = state.constant(operator, 1, "weights")
    if bits.ndim != 2 or not np.all((bits == 0) | (bits == 1)):
        raise operator.fault("a matrix of 0 and 1 as its weights", "others")
    binding = state.binding(operator)
    bipolar = binding.with_function(binding.function.then([Affine(Fraction(2), Fraction(-1))]))
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
) -> TensorBinding:
    binding = state.binding(operator)
    weights, scales = _weights(state, operator, 1, 0 if transposed else 1)
    matrix = weights if transposed else weights.T
    return _matrix_layer(state, operator, binding, matrix, [factor * s for s in scales], bias)


def _matrix_layer(
    state: Lowering,
    operator: Operator,
    binding: TensorBinding,
    matrix: Int64s,
    scales: list[Fraction],
    bias: list[Fraction] | None,
) -> TensorBinding:
    binding = quantised(state, operator, binding)
    if matrix.ndim == 2 and len(binding.dimensions) in (2, 3) and matrix.shape[1] == binding.shape[-1]:
        return on_each_token(state, operator, binding, matrix, scales, bias)
    if matrix.ndim != 2 or len(binding.dimensions) != 1 or matrix.shape[1] != binding.shape[0]:
        expected = "[batch, features] times a matrix that fits"
        raise operator.fault(expected, f"{[1, *binding.shape]} times {list(matrix.T.shape)}")
    binding, (steps,) = of_one_gain(state, operator, binding, [range(binding.channels)], matrix)
    axes = [axis for axis, _ in binding.dimensions[0]]
    readers = [one for one in state.graph.operators if state.graph.input in one.inputs]
    is_whole_frame = binding.base == INPUT and len(axes) > 1
    of_channels = _channel_sums(matrix, binding)
    if is_whole_frame and state.may_flatten and sum(one.kind != "Shape" for one in readers) == 1:
        # A map that is only ever flattened: a flat frame, in the model's own order.
        state.draft.input_shape = (binding.shape[0], 1, 1)
        state.flat_orders.add(tuple(axes))
    else:
        matrix = _pixel_major(matrix, binding)
    layer = weighted_layer(state, binding, "linear", matrix, (matrix.shape[0], 1, 1))
    function = sum_function(of_channels, scales, [steps], bias)
    return TensorBinding(layer.name, function, (dimension("C", matrix.shape[0]),))


def on_each_token(
    state: Lowering,
    operator: Operator,
    binding: TensorBinding,
    matrix: Int64s,
    scales: list[Fraction],
    bias: list[Fraction] | None,
) -> TensorBinding:
    """``[tokens, features]`` times a matrix ``(out, features)``: a convolution; maps with their channels
    last are tokens along two dimensions.

    Where features are channels its kernel is 1x1; where they lie along rows or columns, and tokens are
    channels, each channel has a kernel as long as they are, for each output. Where both are parts of the
    channels it is a matrix of blocks.
    """
    *others, last = binding.dimensions
    out, count = matrix.shape
    kinds = {label[0] for label, _ in last} or {"C"}
    channels, height, width = (binding.extent(kind) for kind in "CHW")
    apart = {label[0] for one in others for label, _ in one}
    if kinds == {"C"} and "C" not in apart:
        binding, inputs = of_one_gain(state, operator, binding, [range(channels)], matrix)
        weights = matrix[:, np.argsort(binding.channel_order)].reshape(out, count, 1, 1)
        shape, dimensions, groups = (out, height, width), (*others, dimension("C", out)), 1
    elif len(last) == 1 and last[0][0] in ("H", "W") and not kinds & apart:
        binding, inputs = of_one_gain(state, operator, binding, [[c] for c in range(channels)], matrix)
        kernel = (count, 1) if last[0][0] == "H" else (1, count)
        weights = np.tile(matrix.reshape(out, 1, *kernel), (channels, 1, 1, 1))
        shape = (channels * out, height // kernel[0], width // kernel[1])
        lying = (within_channels(one, out) for one in others)
        dimensions, groups = (*lying, dimension("C", out)), channels
        scales, bias = scales * channels, None if bias is None else bias * channels
    elif height == width == 1 and len(others) == 1:  # both are of channels: blocks of a whole matrix
        places, tokens = binding.places("C"), binding.shape[0]
        weights = np.zeros((tokens * out, channels, 1, 1), np.int64)
        for token in range(tokens):
            weights[token * out : (token + 1) * out, places[token], 0, 0] = matrix
        binding, inputs = of_one_gain(state, operator, binding, [range(channels)], weights)
        shape, groups = (tokens * out, 1, 1), 1
        dimensions = (within_channels(dimension("C", tokens), out), dimension("C", out))
        scales, bias = scales * tokens, None if bias is None else bias * tokens
    else:
        got = f"{[1, *binding.shape]} times {list(matrix.T.shape)}"
        raise operator.fault("[batch, tokens, features] whose features lie along one axis", got)
    layer = weighted_layer(state, binding, "conv", weights, shape)
    layer.options = {"kernel": weights.shape[2:], "groups": groups}
    of_channels = weights.reshape(len(weights), weights.shape[1], -1).sum(axis=2)
    function = sum_function(of_channels, scales, inputs, bias)
    return TensorBinding(layer.name, function, dimensions)


def _pixel_major(matrix: Int64s, binding: TensorBinding) -> Int64s:
    """Columns from the tensor's order to pixel by pixel, channel fastest."""
    rows, columns, channels = (binding.places(kind).reshape(-1) for kind in "HWC")
    at = (rows * binding.extent("W") + columns) * binding.extent("C") + channels
    return np.ascontiguousarray(matrix[:, np.argsort(at)])


def _channel_sums(matrix: Int64s, binding: TensorBinding) -> Int64s:
    """Each row's weights summed by channel, ``(rows, channels)``."""
    by_channel = np.argsort(binding.places("C").reshape(-1), kind="stable")
    sums: Int64s = matrix[:, by_channel].reshape(len(matrix), binding.channels, -1).sum(axis=2)
    return sums


def _weights(
    state: Lowering, operator: Operator, position: int, row_axis: int
) -> tuple[Int64s, list[Fraction]]:
    state.constant(operator, position, "weights")
    name, bits = operator.inputs[position], state.options.real_layers
    found = weight_rows(state.graph, operator, name, row_axis, bits)
    if found.quantised_bits:
        state.rounded[name] = RoundedWeights(row_axis, found.quantised_bits)
        state.notes.append(
            f"{operator.name or operator.output}: real weights ({name}) as int{bits}, "
            f"at most {found.error:.3g} off"
        )
    return found.integers, found.scales


def _pad_value(
    state: Lowering, binding: TensorBinding, inputs: list[list[Affine]], value: Fraction
) -> int | None:
    """The integer that stands for the border's real value; None where there is none."""
    found = {(value - step.offset) / step.gain for steps in inputs for step in steps}
    pad = found.pop()
    value_type = state.draft.type_of(binding.base)
    low, high = state.draft.bounds_of(binding.base)
    fits = not found and pad.denominator == 1 and low <= pad <= high
    if value_type is not None and value_type.is_bipolar and pad not in (-1, 0, 1):
        fits = False
    if value_type is not None and value_type.is_residual and pad not in (low, 0, high):
        fits = False
    return int(pad) if fits else None


def classifier(state: Lowering, operator: Operator) -> End:
    """TopK, ArgMax, Softmax: what is in front of them are the scores."""
    return classifier_end(operator, state.binding(operator), state.graph.opset)


def squashed(state: Lowering, operator: Operator) -> TensorBinding | End:
    """Sigmoid and Tanh at the end keep the order of the scores; elsewhere a quantiser behind them is as
    if moved in front."""
    binding = state.binding(operator)
    if leads_to_outputs(state.graph, operator.output):
        return End(operator.inputs[0], binding, operator, (operator.kind,))
    step = Smooth("sigmoid" if operator.kind == "Sigmoid" else "tanh")
    return binding.with_function(binding.function.then([step]))
