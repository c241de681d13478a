"""Channels in another order: shuffles between groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bnnsim.importers.exact.channel_function import ChannelFunction
from bnnsim.importers.onnx.binding import TensorBinding, as_map, is_ordered, map_dimensions
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering


def in_order(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding:
    """A map whose channels lie as they do in the model: a layer moves them where they do not.

    ``binding`` holds no quantiser. The layer is a 1x1 convolution that picks a channel for each.
    """
    if is_ordered(binding):
        return binding
    channels, height, width = as_map(operator, binding)
    order = binding.channel_order
    draft = state.draft
    key = ("order", binding.base, tuple(order))
    if key not in state.made:
        low, high = draft.bounds_of(binding.base)
        value_type = draft.type_of(binding.base)
        layer = draft.append("conv", [binding.base], (channels, height, width), low, high)
        weights = np.zeros((channels, channels, 1, 1), np.int64)
        weights[np.arange(channels), order] = 1
        layer.weights, layer.options = weights, {"kernel": (1, 1)}
        if value_type is not None and value_type.kind != "fixed":
            layer.activation = value_type
            levels = np.arange(value_type.minimum + 1, value_type.maximum + 1)
            levels = levels[-1:] if value_type.is_bipolar else levels
            layer.thresholds = np.tile(levels, (channels, 1)).astype(np.int64)
        state.made[key] = layer.name
    chains = tuple(binding.function.of(int(c)) for c in order)
    dimensions = map_dimensions(channels, height, width, operator.channels_last)
    function = ChannelFunction(chains).simplest
    return replace(binding, base=state.made[key], function=function, dimensions=dimensions)
