"""Borders that a layer's integers cannot hold: what they add, and borders of constants of their own."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.importers.draft.draft import LayerDraft
from bnnsim.importers.exact.channel_function import Affine
from bnnsim.importers.onnx.binding import (
    Border,
    TensorBinding,
    VaryingConstants,
    channel_values,
    is_ordered,
)
from bnnsim.importers.onnx.graph import Array, Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.orders import elements_apart
from bnnsim.importers.onnx.operators.windows import pair
from bnnsim.spec.value_type import BIPOLAR


def joined_border(
    state: Lowering, operator: Operator, axis: int, data: int
) -> TensorBinding:
    """A map that a Concat gives rows or columns of constants before and behind."""
    binding = state.binding(operator, data)
    label = {one for one, _ in binding.dimensions[axis - 1]} if axis else set()
    if len(binding.dimensions) != 3 or label not in ({"H"}, {"W"}) or not is_ordered(binding):
        name = next(name for i, name in enumerate(operator.inputs) if i != data)
        raise operator.fault(f"data at input {operator.inputs.index(name)}", name)
    old = binding.border or Border((0, 0, 0, 0), Fraction(0))
    around = _as_array(binding, old)
    parts = [
        around if i == data else np.asarray(state.constant(operator, i, "border"), np.float64)[0]
        for i in range(len(operator.inputs))
    ]
    shapes = {part.shape[:axis - 1] + part.shape[axis:] for part in parts}
    if len(shapes) > 1 or not all(np.all(np.isfinite(part)) for part in parts):
        raise operator.fault("rows or columns of constants that fit the map", f"{sorted(shapes)}")
    before, after = (
        sum(part.shape[axis - 1] for part in some) for some in (parts[:data], parts[data + 1 :])
    )
    sides = list(old.tlbr)
    along = 0 if label == {"H"} else 1
    sides[along], sides[along + 2] = sides[along] + before, sides[along + 2] + after
    top, left, bottom, right = sides
    border = Border((top, left, bottom, right), Fraction(0), np.concatenate(parts, axis=axis - 1))
    return replace(binding, border=border)


def _as_array(binding: TensorBinding, border: Border) -> Array:
    """A border's values ``(channels, rows, columns)`` with 0 inside."""
    if border.around is not None:
        return border.around
    top, left, bottom, right = border.tlbr
    inside = np.ones(binding.shape)
    found = np.pad(inside, ((0, 0), (top, bottom), (left, right)), constant_values=float(border.value))
    found[:, top : top + inside.shape[1], left : left + inside.shape[2]] = 0
    return found


def border_offsets(border: Border, weights: Int64s, operator: Operator) -> Array:
    """What each output of a convolution gets from a border's constants, ``(out, rows, columns)``."""
    assert border.around is not None
    stride, dilation = pair(operator, "strides"), pair(operator, "dilations")
    kernel = weights.shape[2:]
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    views = np.lib.stride_tricks.sliding_window_view(border.around, reach, axis=(1, 2))
    views = views[:, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
    per_group = weights.shape[1]
    groups = len(border.around) // per_group
    parts = [
        np.einsum("cyxij,ocij->oyx", views[g * per_group : (g + 1) * per_group], rows)
        for g, rows in enumerate(np.split(weights.astype(np.float64), groups))
    ]
    return np.concatenate(parts)


def with_offsets(
    state: Lowering, operator: Operator, binding: TensorBinding, offsets: Array, scales: list[Fraction]
) -> TensorBinding:
    """``binding`` plus an offset an element; where they vary in a channel, elements become channels."""
    gains = np.array([float(scales[o if len(scales) > 1 else 0]) for o in range(len(offsets))])
    whole = (offsets * gains[:, None, None])[None]
    try:
        values = channel_values(operator, binding, whole)
    except VaryingConstants:
        apart = elements_apart(state, operator, binding) if state.may_part else None
        if apart is None:
            raise
        binding = apart
        values = channel_values(operator, binding, whole)
    return binding.with_function(binding.function.then([Affine(offset=one) for one in values]))


def shared_step(offsets: set[Fraction], border: Fraction) -> Fraction | None:
    """By how much what integers of 0 stand for differs from the border; None where channels differ."""
    return next(iter(offsets)) - border if len(offsets) == 1 else None


def append_border_sums(state: Lowering, source: LayerDraft, weights: Int64s) -> LayerDraft:
    """For each position the sum of the weights whose taps are inside the map.

    ``source`` is a convolution with a border of true zeros, ``weights`` ``(out, in / groups, kh, kw)``
    its own. The map of ones is one channel whose threshold always fires.
    """
    draft, base = state.draft, source.inputs[0]
    key = ("ones", base)
    if key not in state.made:
        channels, height, width = draft.shape_of(base)
        ones = draft.append("conv", [base], (1, height, width), -1, 1)
        reach = channels * max(abs(bound) for bound in draft.bounds_of(base))
        ones.weights, ones.options = np.ones((1, channels, 1, 1), np.int64), {"kernel": (1, 1)}
        ones.thresholds, ones.activation = np.full((1, 1), -reach, np.int64), BIPOLAR
        state.made[key] = ones.name
    sums = weights.sum(axis=1, keepdims=True)
    reach = int(np.abs(sums).reshape(len(sums), -1).sum(axis=1).max())
    layer = draft.append("conv", [state.made[key]], source.shape, -reach, reach)
    layer.weights, layer.options = np.ascontiguousarray(sums), {**source.options, "groups": 1}
    state.notes.append(
        f"{layer.name}: adds what the border of {source.name} has, which its integers cannot hold"
    )
    return layer
