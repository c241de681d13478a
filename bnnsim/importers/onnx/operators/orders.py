"""Channels in another order, some of them, and more of them: shuffles between groups, slices, elements as
channels, channels of one value around a map's own."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import wraps

import numpy as np

from bnnsim.importers.exact.channel_function import ONE, Affine, Chain, ChannelFunction, as_affine
from bnnsim.importers.onnx.binding import (
    TensorBinding,
    VaryingConstants,
    as_channels,
    as_map,
    dimension,
    is_ordered,
    map_dimensions,
)
from bnnsim.importers.onnx.graph import Array, Operator
from bnnsim.importers.onnx.lowering import Handler, Lowering
from bnnsim.importers.onnx.operators.quantise import quantised
from bnnsim.importers.onnx.outputs import End

_MOST_PICKS = 1 << 24


def in_order(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding:
    """A map whose channels lie as they do in the model: a layer moves them where they do not.

    ``binding`` holds no quantiser. The layer is a 1x1 convolution that picks a channel for each.
    """
    if is_ordered(binding):
        return binding
    channels, height, width = as_map(operator, binding)
    found = on_channels(state, binding, binding.channel_order)
    dimensions = map_dimensions(channels, height, width, operator.channels_last)
    return replace(found, dimensions=dimensions)


def on_channels(state: Lowering, binding: TensorBinding, order: Array) -> TensorBinding:
    """``binding`` on a layer with the channels ``order`` of its own; its dimensions are as they were."""
    chains = tuple(binding.function.of(int(c)) for c in order)
    base = picked(state, binding.base, order)
    return replace(binding, base=base, function=ChannelFunction(chains).simplest)


def picked(state: Lowering, base: str, order: Array) -> str:
    """The layer that puts out the channels ``order`` of ``base``, one behind the other."""
    key = ("order", base, tuple(order))
    if key not in state.made:
        channels, height, width = state.draft.shape_of(base)
        weights = np.zeros((len(order), channels, 1, 1), np.int64)
        weights[np.arange(len(order)), order] = 1
        state.made[key] = _picking(state, base, weights, 1, (len(order), height, width))
    made: str = state.made[key]
    return made


def with_channels_around(
    state: Lowering, operator: Operator, binding: TensorBinding, front: int, behind: int, value: Fraction
) -> TensorBinding:
    """A map with channels of one ``value`` in front and behind: no weight of theirs is other than 0."""
    binding = in_order(state, operator, quantised(state, operator, binding))
    channels, height, width = as_map(operator, binding)
    count = front + channels + behind
    weights = np.zeros((count, channels, 1, 1), np.int64)
    weights[np.arange(front, front + channels), np.arange(channels)] = 1
    low, high = state.draft.bounds_of(binding.base)
    shape = (count, height, width)
    layer = state.draft.append("conv", [binding.base], shape, min(low, 0), max(high, 0))
    layer.weights, layer.options = weights, {"kernel": (1, 1)}
    first = as_affine(binding.function.of(0))
    nothing: Chain = (Affine(ONE if first is None else first.gain, value),)
    kept = [binding.function.of(c) for c in range(channels)]
    function = ChannelFunction((*[nothing] * front, *kept, *[nothing] * behind)).simplest
    dimensions = map_dimensions(*shape, operator.channels_last)
    return replace(binding, base=layer.name, function=function, dimensions=dimensions)


def _picking(
    state: Lowering, base: str, weights: Array, groups: int, shape: tuple[int, int, int]
) -> str:
    """A convolution whose rows of ``weights`` are one 1 each; it keeps the type of what it picks from."""
    draft = state.draft
    low, high = draft.bounds_of(base)
    value_type = draft.type_of(base)
    layer = draft.append("conv", [base], shape, low, high)
    layer.weights, layer.options = weights, {"kernel": weights.shape[2:], "groups": groups}
    if value_type is not None and value_type.kind != "fixed":
        layer.activation = value_type
        levels = np.arange(value_type.minimum + 1, value_type.maximum + 1)
        levels = levels[-1:] if value_type.is_bipolar else levels
        layer.thresholds = np.tile(levels, (shape[0], 1)).astype(np.int64)
    return layer.name


def by_element(handler: Handler) -> Handler:
    """``handler``, with elements as channels where constants vary within one and the walk allows that."""

    @wraps(handler)
    def handle(state: Lowering, operator: Operator) -> TensorBinding | End:
        try:
            return handler(state, operator)
        except VaryingConstants:
            if not state.may_part:
                raise
            given = {name: state.bindings[name] for name in operator.inputs if name in state.bindings}
            apart = {name: elements_apart(state, operator, one) for name, one in given.items()}
            if not all(apart.values()):
                raise
        state.bindings.update({name: one for name, one in apart.items() if one is not None})
        try:
            return handler(state, operator)
        finally:
            state.bindings.update(given)

    return handle


def elements_apart(
    state: Lowering, operator: Operator, binding: TensorBinding
) -> TensorBinding | None:
    """``binding`` on a layer whose channels are the elements of its own: channel, row, column.

    None where that is a matrix of more than 2^24 weights. Each channel is a group by itself, whose kernel
    is the whole map.
    """
    binding = quantised(state, operator, binding)
    channels, height, width = state.draft.shape_of(binding.base)
    pixels = height * width
    if channels * pixels**2 > _MOST_PICKS:
        return None
    key = ("elements", binding.base)
    if key not in state.made:
        weights = np.tile(np.eye(pixels, dtype=np.int64), (channels, 1))
        shaped = weights.reshape(channels * pixels, 1, height, width)
        made = _picking(state, binding.base, shaped, channels, (channels * pixels, 1, 1))
        state.made[key] = made
        state.notes.append(
            f"{made}: a layer that makes each of {channels * pixels} elements a channel, "
            f"since {operator.name or operator.output} ({operator.kind}) has a number for each"
        )
    chains = tuple(binding.function.of(c) for c in range(channels) for _ in range(pixels))
    return replace(
        binding,
        base=state.made[key],
        function=ChannelFunction(chains).simplest,
        dimensions=as_channels(binding, (channels, height, width)),
    )


def slice_map(state: Lowering, operator: Operator) -> TensorBinding:
    """Some of the channels, by start, end and step along their axis; or every n-th row and column."""
    binding = quantised(state, operator, state.binding(operator))
    if "starts" in operator.attributes:
        starts, ends = operator.attributes["starts"], operator.attributes["ends"]
        axes, steps = operator.attributes.get("axes", range(len(starts))), [1] * len(starts)
    else:
        starts, ends = (state.constant(operator, i, n).tolist() for i, n in ((1, "starts"), (2, "ends")))
        given, by = state.optional(operator, 3, "axes"), state.optional(operator, 4, "steps")
        axes = range(len(starts)) if given is None else given.tolist()
        steps = [1] * len(starts) if by is None else by.tolist()
    rank, strides = len(binding.shape) + 1, {"H": 1, "W": 1}
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        size = (1, *binding.shape)[axis % rank]
        picks = np.arange(size)[slice(start, end, step)]
        if len(picks) == size and step == 1:
            continue
        along = binding.dimensions[axis % rank - 1] if axis % rank else ()
        labels = [label for label, _ in along]
        is_stride = labels in (["H"], ["W"]) and list(picks) == list(range(0, size, step))
        if not is_ordered(binding) or not (is_stride or labels == ["C"]) or not len(picks):
            expected = "a slice of channels, or every n-th row and column"
            raise operator.fault(expected, f"axis {axis} of {[1, *binding.shape]}")
        dimensions = list(binding.dimensions)
        dimensions[axis % rank - 1] = dimension(labels[0], len(picks))
        if is_stride:
            strides[labels[0]] = int(step)
            binding = replace(binding, dimensions=tuple(dimensions))
            continue
        binding = replace(on_channels(state, binding, picks), dimensions=tuple(dimensions))
    return _every(state, binding, (strides["H"], strides["W"]))


def _every(state: Lowering, binding: TensorBinding, stride: tuple[int, int]) -> TensorBinding:
    """Every n-th row and column of ``binding``, whose dimensions say so already: windows of one."""
    if stride == (1, 1):
        return binding
    base, before = binding.base, state.draft.layers.get(binding.base)
    if before is not None and before.kind == "max_pool" and before.options["kernel"] == (1, 1):
        base = before.inputs[0]  # rows were taken before: both at once
        rows, columns = before.options["stride"]
        stride = (rows * stride[0], columns * stride[1])
    channels, height, width = state.draft.shape_of(base)
    shape = (channels, -(-height // stride[0]), -(-width // stride[1]))
    layer = state.draft.append("max_pool", [base], shape, *state.draft.bounds_of(base))
    layer.options = {"kernel": (1, 1), "stride": stride}
    return replace(binding, base=layer.name)
