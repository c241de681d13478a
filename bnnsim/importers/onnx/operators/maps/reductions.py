"""Means over channels, and over channels and pixels together."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from bnnsim.importers.exact.channel_function import Affine
from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.layers import conv, matmul
from bnnsim.importers.onnx.operators.pools import average_pool


def reduce_mean(state: Lowering, operator: Operator) -> TensorBinding:
    """A mean over rows and columns is a pool, over channels a layer with weights of 1."""
    given = operator.attributes.get("axes")
    if given is None and operator.has(1):
        given = state.constant(operator, 1, "axes").tolist()
    binding = state.binding(operator)
    rank = len(binding.shape) + 1
    axes = sorted({axis % rank for axis in (range(1, rank) if given is None else given)})
    along = [axis for axis in axes if axis and _is_of_channels(binding, axis)]
    if not along or len(along) > 1 or 0 in axes or operator.channels_last:
        return average_pool(state, operator)
    rest, step = [axis for axis in axes if axis != along[0]], operator
    if rest:
        pooled = f"{operator.output} pixels"
        keeping = {"axes": rest, "keepdims": 1}
        first = replace(operator, inputs=operator.inputs[:1], outputs=(pooled,), attributes=keeping)
        state.bindings[pooled] = binding = average_pool(state, first)
        step = replace(operator, inputs=(pooled,))
    found = _over_channels(state, step, binding, along[0])
    if not operator.attributes.get("keepdims", 1):
        kept = tuple(d for i, d in enumerate(found.dimensions) if i + 1 not in axes)
        found = replace(found, dimensions=kept)
    return found


def _is_of_channels(binding: TensorBinding, axis: int) -> bool:
    return any(label[0] == "C" for label, _ in binding.dimensions[axis - 1])


def _over_channels(
    state: Lowering, operator: Operator, binding: TensorBinding, axis: int
) -> TensorBinding:
    """A matrix of ones, and the division."""
    if len(binding.dimensions) == 2 and axis == 1:  # of tokens, which are channels too
        turned = f"{operator.output} turned"
        state.bindings[turned] = binding = replace(binding, dimensions=binding.dimensions[::-1])
        found = _over_channels(state, replace(operator, inputs=(turned,)), binding, 2)
        return replace(found, dimensions=found.dimensions[::-1])
    count = binding.shape[axis - 1]
    name = f"{operator.output} ones"
    is_map = len(binding.dimensions) == 3 and axis == 1
    shape = (1, count, 1, 1) if is_map else (count, 1)
    state.graph.constants[name] = np.ones(shape, np.float32)
    if not is_map and axis != len(binding.dimensions):
        raise operator.fault("a mean over channels of a map, or over the last axis", f"axis {axis}")
    handler = conv if is_map else matmul
    step = replace(
        operator,
        kind="Conv" if is_map else "MatMul",
        inputs=(operator.inputs[0], name),
        attributes={},
    )
    found = handler(state, step)
    return found.with_function(found.function.then([Affine(Fraction(1, count))]))
