"""Norms of a layer, of channels and of groups: mean, variance, the inverse of its root at run time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np

from bnnsim.importers.exact.channel_function import Affine, ChannelFunction
from bnnsim.importers.exact.rational import fractions_of
from bnnsim.importers.onnx.binding import (
    TensorBinding,
    channel_values,
    map_dimensions,
    regrouped,
)
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.elementwise import then
from bnnsim.importers.onnx.operators.joins import add_bindings, in_own_word
from bnnsim.importers.onnx.operators.maps.products import MOST_FACTOR_BITS, product_of
from bnnsim.importers.onnx.operators.maps.reductions import reduce_mean
from bnnsim.importers.onnx.operators.maps.tables import append_table, inverse_root

MeanOf = Callable[[str, TensorBinding], TensorBinding]
"""A mean, by what it is called and what it is of."""


def layer_normalization(state: Lowering, operator: Operator) -> TensorBinding:
    """``scale * (x - mean) / sqrt(variance + epsilon) + bias`` over the last axis."""
    binding = state.binding(operator)
    rank = len(binding.shape) + 1
    axis = int(operator.attributes.get("axis", -1)) % rank
    if axis != rank - 1:
        raise operator.fault("a norm over the last axis", f"axis {axis} of {[1, *binding.shape]}")
    found = _normed(state, operator, binding, partial(_mean, state, operator))
    scales = channel_values(operator, found, state.constant(operator, 1, "scale"))
    found = then(found, [Affine(scale) for scale in scales])
    bias = state.optional(operator, 2, "bias")
    if bias is not None:
        found = then(found, [Affine(offset=one) for one in channel_values(operator, found, bias)])
    return found


def group_normalization(state: Lowering, operator: Operator) -> TensorBinding:
    """The same over each group of a map's channels with all their pixels, or (InstanceNormalization)
    over each channel. A model may have brought groups into one dimension first."""
    binding = state.binding(operator)
    channels, height, width = state.draft.shape_of(binding.base)
    groups = int(operator.attributes.get("num_groups", binding.shape[0]))
    plain = replace(binding, dimensions=map_dimensions(channels, height, width))
    natural = regrouped(operator, plain, binding.shape).dimensions
    if natural != binding.dimensions or channels % groups:
        expected = "a map with its channels first, of whole groups"
        raise operator.fault(expected, f"{groups} groups of {[1, *binding.shape]}")
    real = in_own_word(state, operator, plain, MOST_FACTOR_BITS)
    found = _normed(state, operator, real, lambda _, given: _group_mean(state, given, groups))
    for position, role in ((1, "scale"), (2, "bias")):
        given = fractions_of(state.constant(operator, position, role))
        if len(given) not in (groups, channels):
            raise operator.fault(f"a {role} for each group or channel", len(given))
        each = [given[c * len(given) // channels] for c in range(channels)]
        found = then(found, [Affine(one) if role == "scale" else Affine(offset=one) for one in each])
    return replace(found, dimensions=binding.dimensions)


def _group_mean(state: Lowering, binding: TensorBinding, groups: int) -> TensorBinding:
    """One number a channel, those of a group equal; ``binding`` has one gain and no offset."""
    channels, height, width = state.draft.shape_of(binding.base)
    pixels, share, base = height * width, channels // groups, binding.base
    low, high = state.draft.bounds_of(base)
    if pixels > 1:
        shape = (channels, 1, 1)
        pool = state.draft.append("sum_pool", [base], shape, low * pixels, high * pixels)
        pool.options = {"kernel": (height, width), "stride": (height, width)}
        base = pool.name
    if share > 1:
        count = pixels * share
        layer = state.draft.append("conv", [base], (channels, 1, 1), low * count, high * count)
        layer.weights = np.ones((channels, share, 1, 1), np.int64)
        layer.options = {"kernel": (1, 1), "groups": groups}
        base = layer.name
    steps = binding.function.affine()
    assert steps is not None
    function = ChannelFunction().then([Affine(steps[0].gain / (pixels * share))])
    return replace(binding, base=base, function=function, dimensions=map_dimensions(channels, 1, 1))


def _normed(
    state: Lowering, operator: Operator, binding: TensorBinding, mean_of: MeanOf
) -> TensorBinding:
    """``(x - mean) / sqrt(variance + epsilon)``."""
    mean = mean_of("mean", binding)
    centred = add_bindings(state, operator, [binding, then(mean, [Affine(Fraction(-1))])])
    centred = in_own_word(state, operator, centred, MOST_FACTOR_BITS)
    square = product_of(state, operator, centred, centred)
    variance = in_own_word(state, operator, mean_of("variance", square), MOST_FACTOR_BITS)
    steps = variance.function.affine()
    assert steps is not None
    curve = inverse_root(operator.real("epsilon", 1e-5))
    base, unit = append_table(state, variance.base, steps[0].gain, curve)
    root = replace(variance, base=base, function=ChannelFunction().then([Affine(unit)]))
    return product_of(state, operator, centred, root)


def _mean(state: Lowering, operator: Operator, name: str, binding: TensorBinding) -> TensorBinding:
    given = f"{operator.output} {name} 0"
    state.bindings[given] = binding
    attributes = {"axes": [len(binding.shape)], "keepdims": 1}
    outputs = (f"{operator.output} {name}",)
    return reduce_mean(state, replace(operator, inputs=(given,), outputs=outputs, attributes=attributes))
