"""Pools, and the averages that become sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bnnsim.importers.exact.channel_function import Affine, ChannelFunction, direction
from bnnsim.importers.onnx.binding import (
    TensorBinding,
    as_map,
    lies_channels_last,
    map_dimensions,
)
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.joins import in_fixed_point
from bnnsim.importers.onnx.operators.layers import weighted_layer
from bnnsim.importers.onnx.operators.monotone import make_monotone
from bnnsim.importers.onnx.operators.quantise import negated, quantised
from bnnsim.importers.onnx.operators.windows import Pads, pair, window_border


def max_pool(state: Lowering, operator: Operator) -> TensorBinding:
    """The maximum of square windows, without padding; falling channels are negated before."""
    binding = quantised(state, operator, state.binding(operator))
    channels, height, width = as_map(operator, binding)
    kernel, stride, pads = _pool_window(operator, height, width)
    if any(pads) or pair(operator, "dilations") != (1, 1):
        raise operator.fault("a max pool without padding and dilation", f"pads {list(pads)}")
    if kernel[0] != kernel[1] or stride[0] != stride[1]:
        raise operator.fault("a square max pool", f"kernel {list(kernel)}, strides {list(stride)}")
    base, function = make_monotone(state, operator, binding.base, binding.function)
    turns = [direction(chain) for chain in function.chains]
    if -1 in turns:
        base, function = negated(state, base, function, [turn < 0 for turn in turns])
    low, high = state.draft.bounds_of(base)
    sizes = [(extent - kernel[0]) // stride[0] + 1 for extent in (height, width)]
    shape = (channels, sizes[0], sizes[1])
    layer = state.draft.append("max_pool", [base], shape, low, high)
    layer.options = {"kernel": kernel[0], "stride": stride[0]}
    return _mapped(operator, replace(binding, base=layer.name, function=function.simplest), shape)


def average_pool(state: Lowering, operator: Operator) -> TensorBinding:
    """The average as a sum: a convolution of each channel with weights of +1."""
    binding = quantised(state, operator, state.binding(operator))
    if binding.function.affine() is None:
        binding = in_fixed_point(state, operator, binding)
    if operator.kind == "ReduceMean":
        operator = replace(operator, channels_last=lies_channels_last(binding))
    _, height, width = as_map(operator, binding)
    axes: set[int] = set()
    if operator.kind == "AveragePool":
        kernel, stride, pads = _pool_window(operator, height, width)
        if any(pads):
            raise operator.fault("an average pool without padding", f"pads {list(pads)}")
    else:
        axes = _mean_axes(state, operator)
        kernel, stride = (height, width), (1, 1)
    result = _box_sum(state, operator, binding, kernel, stride, (height, width))
    if operator.kind == "ReduceMean" and not operator.attributes.get("keepdims", 1):
        kept = tuple(d for i, d in enumerate(result.dimensions) if i + 1 not in axes)
        return replace(result, dimensions=kept)
    return result


def _mean_axes(state: Lowering, operator: Operator) -> set[int]:
    """The axes (batch first) of a ReduceMean, which must be rows and columns."""
    if operator.kind != "ReduceMean":
        return set()
    given = operator.attributes.get("axes")
    if given is None:
        given = state.constant(operator, 1, "axes").tolist()
    binding = state.binding(operator)
    rank = len(binding.shape) + 1
    labels = {label for axis in given if axis % rank for label, _ in binding.dimensions[axis % rank - 1]}
    spatial = {label for one in binding.dimensions for label, _ in one} - {"C"}
    if labels != spatial or any(axis % rank == 0 for axis in given):
        raise operator.fault("a mean over rows and columns", f"axes {list(given)}")
    return {axis % rank for axis in given}


def _box_sum(
    state: Lowering,
    operator: Operator,
    binding: TensorBinding,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    extents: tuple[int, int],
) -> TensorBinding:
    channels = binding.channels
    area = kernel[0] * kernel[1]
    weights = np.ones((channels, 1, *kernel), np.int64)
    sizes = [(e - k) // s + 1 for e, k, s in zip(extents, kernel, stride, strict=True)]
    shape = (channels, sizes[0], sizes[1])
    layer = weighted_layer(state, binding, "conv", weights, shape)
    low, high = state.draft.bounds_of(binding.base)
    layer.low, layer.high = area * low, area * high
    layer.options = {"kernel": kernel, "stride": stride, "groups": channels}
    affine = binding.function.affine()
    assert affine is not None
    steps = [Affine(step.gain / area, step.offset) for step in affine]
    function = ChannelFunction().then(steps)
    return _mapped(operator, replace(binding, base=layer.name, function=function), shape)


def _mapped(operator: Operator, binding: TensorBinding, shape: tuple[int, int, int]) -> TensorBinding:
    return replace(binding, dimensions=map_dimensions(*shape, operator.channels_last))


def _pool_window(
    operator: Operator, height: int, width: int
) -> tuple[tuple[int, int], tuple[int, int], Pads]:
    kernel = pair(operator, "kernel_shape")
    stride = pair(operator, "strides")
    pads = window_border(operator, (height, width), kernel, stride)
    extents = (height + pads[0] + pads[2], width + pads[1] + pads[3])
    if any(k > e for k, e in zip(kernel, extents, strict=True)):
        raise operator.fault("a window within its input", f"{list(kernel)} on {height} x {width}")
    leftover = any((e - k) % s for e, k, s in zip(extents, kernel, stride, strict=True))
    if operator.attributes.get("ceil_mode", 0) and leftover:
        raise operator.fault("windows that fill the map, or ceil_mode 0", "ceil_mode 1")
    return kernel, stride, pads
