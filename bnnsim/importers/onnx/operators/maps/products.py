"""Products of two activations: gates a channel or a position, run-time scales and choices."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from bnnsim.importers.exact.channel_function import Affine, ChannelFunction
from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.joins import add_bindings, in_own_word
from bnnsim.importers.onnx.operators.maps.repeats import broadcast
from bnnsim.importers.onnx.operators.quantise import quantised
from bnnsim.spec.value_type import integer_type

MOST_FACTOR_BITS = 30
"""Of a factor's integers: their product has a word of at most 62."""


def product(state: Lowering, operator: Operator) -> TensorBinding:
    """Two activations, one of which may have dimensions of one element (a gate)."""
    return product_of(state, operator, state.binding(operator, 0), state.binding(operator, 1))


def product_of(
    state: Lowering, operator: Operator, first: TensorBinding, second: TensorBinding
) -> TensorBinding:
    """The same for factors that the model does not name; ``operator`` is who asks, for messages.

    Integers are multiplied as they are; real values with offsets come in fixed point first. A choice of
    0 or 1 times integers is exact: ``x * (b + 1) / 2``.
    """
    one, other = (_factor(state, operator, binding) for binding in (first, second))
    if len(one.dimensions) != len(other.dimensions):
        shapes = f"{[1, *one.shape]} and {[1, *other.shape]}"
        raise operator.fault("factors of as many dimensions", shapes)
    wanted = tuple(a or b for a, b in zip(one.dimensions, other.dimensions, strict=True))
    for binding in (one, other):
        if any(mine not in ((), all_) for mine, all_ in zip(binding.dimensions, wanted, strict=True)):
            shapes = f"{[1, *one.shape]} and {[1, *other.shape]}"
            raise operator.fault("factors of one shape, or a gate for one of them", shapes)
    one, other = (broadcast(state, operator, binding, wanted) for binding in (one, other))
    for chooser, chosen in ((one, other), (other, one)):
        if _offsets(chooser) and not _offsets(chosen):
            return _chosen(state, operator, chooser, chosen)
    return multiplied(state, one, other)


def _factor(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding:
    """``binding`` as integers without offsets, or as a choice of bits; else in a word of its own."""
    binding = quantised(state, operator, binding)
    steps = binding.function.affine()
    value_type = state.draft.type_of(binding.base)
    is_bits = value_type is not None and value_type.is_bipolar
    if is_bits and steps and all(abs(step.offset) in (0, abs(step.gain)) for step in steps):
        return binding
    bounds = state.draft.bounds_of(binding.base)
    bits = (value_type or integer_type(*bounds)).bits
    if steps is not None and not any(step.offset for step in steps) and bits <= MOST_FACTOR_BITS:
        return binding
    return in_own_word(state, operator, binding, MOST_FACTOR_BITS)


def _offsets(binding: TensorBinding) -> bool:
    steps = binding.function.affine()
    assert steps is not None
    return any(step.offset for step in steps)


def _chosen(
    state: Lowering, operator: Operator, chooser: TensorBinding, chosen: TensorBinding
) -> TensorBinding:
    """``x * (gain * b + offset)``, ``b`` being bits: the sum of two terms."""
    signs = replace(chooser, function=_without_offsets(chooser))
    term = multiplied(state, signs, chosen)
    steps = chooser.function.affine()
    assert steps is not None
    plain = chosen.function.then([Affine(step.offset) for step in steps])
    return add_bindings(state, operator, [term, chosen.with_function(plain)])


def _without_offsets(binding: TensorBinding) -> ChannelFunction:
    steps = binding.function.affine()
    assert steps is not None
    return ChannelFunction().then([Affine(step.gain) for step in steps])


def multiplied(state: Lowering, one: TensorBinding, other: TensorBinding) -> TensorBinding:
    shape = state.draft.shape_of(one.base)
    ends = [state.draft.bounds_of(binding.base) for binding in (one, other)]
    products = [a * b for a in ends[0] for b in ends[1]]
    layer = state.draft.append("multiply", [one.base, other.base], shape, min(products), max(products))
    gains = [_gains(one, shape[0]), _gains(other, shape[0])]
    steps = [Affine(a * b) for a, b in zip(*gains, strict=True)]
    return replace(one, base=layer.name, function=ChannelFunction().then(steps).simplest)


def _gains(binding: TensorBinding, channels: int) -> list[Fraction]:
    steps = binding.function.affine()
    assert steps is not None
    return [steps[c if len(steps) > 1 else 0].gain for c in range(channels)]
