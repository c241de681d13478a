"""Layer normalisation: mean, variance and the inverse of its root at run time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from bnnsim.importers.exact.channel_function import Affine, ChannelFunction
from bnnsim.importers.onnx.binding import TensorBinding, channel_values
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.elementwise import then
from bnnsim.importers.onnx.operators.joins import add_bindings, in_own_word
from bnnsim.importers.onnx.operators.maps.products import MOST_FACTOR_BITS, product
from bnnsim.importers.onnx.operators.maps.reductions import reduce_mean
from bnnsim.importers.onnx.operators.maps.tables import append_table, inverse_root

Step = Callable[[Lowering, Operator], TensorBinding]


def layer_normalization(state: Lowering, operator: Operator) -> TensorBinding:
    """``scale * (x - mean) / sqrt(variance + epsilon) + bias`` over the last axis."""
    binding = state.binding(operator)
    rank = len(binding.shape) + 1
    axis = int(operator.attributes.get("axis", -1)) % rank
    if axis != rank - 1:
        raise operator.fault("a norm over the last axis", f"axis {axis} of {[1, *binding.shape]}")
    mean = _mean(state, operator, "mean", binding)
    centred = add_bindings(state, operator, [binding, then(mean, [Affine(Fraction(-1))])])
    centred = in_own_word(state, operator, centred, MOST_FACTOR_BITS)
    square = _step(state, operator, "square", product, [centred, centred])
    variance = in_own_word(state, operator, _mean(state, operator, "variance", square), MOST_FACTOR_BITS)
    steps = variance.function.affine()
    assert steps is not None
    curve = inverse_root(operator.real("epsilon", 1e-5))
    base, unit = append_table(state, variance.base, steps[0].gain, curve)
    root = replace(variance, base=base, function=ChannelFunction().then([Affine(unit)]))
    found = _step(state, operator, "normed", product, [centred, root])
    scales = channel_values(operator, found, state.constant(operator, 1, "scale"))
    found = then(found, [Affine(scale) for scale in scales])
    bias = state.optional(operator, 2, "bias")
    if bias is not None:
        found = then(found, [Affine(offset=one) for one in channel_values(operator, found, bias)])
    return found


def _mean(state: Lowering, operator: Operator, name: str, binding: TensorBinding) -> TensorBinding:
    attributes = {"axes": [len(binding.shape)], "keepdims": 1}
    return _step(state, operator, name, reduce_mean, [binding], attributes)


def _step(
    state: Lowering,
    operator: Operator,
    name: str,
    step: Step,
    given: list[TensorBinding],
    attributes: dict[str, object] | None = None,
) -> TensorBinding:
    """An operator on tensors that the model does not name."""
    names = tuple(f"{operator.output} {name} {i}" for i in range(len(given)))
    state.bindings.update(zip(names, given, strict=True))
    outputs = (f"{operator.output} {name}",)
    return step(state, replace(operator, inputs=names, outputs=outputs, attributes=attributes or {}))
