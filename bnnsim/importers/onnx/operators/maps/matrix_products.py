"""Products of two matrices of activations: scores of queries and keys, and sums of weighed values.

Tokens lie along the rows of a map and features are its channels; scores of a token are channels too, a
head's as many as there are tokens to score.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from bnnsim.design.network.scaled_rules import MOST_BITS
from bnnsim.importers.exact.channel_function import Affine, ChannelFunction
from bnnsim.importers.onnx.binding import Dimension, TensorBinding, dimension, part_of
from bnnsim.importers.onnx.graph import Array, Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.joins import in_own_word, tabled
from bnnsim.importers.onnx.operators.maps.products import MOST_FACTOR_BITS
from bnnsim.importers.onnx.operators.orders import on_channels
from bnnsim.importers.onnx.operators.quantise import quantised
from bnnsim.spec.value_type import ValueType, integer_type


def matrix_product(state: Lowering, operator: Operator) -> TensorBinding:
    """``[.., tokens, features]`` times ``[.., features, tokens]`` (scores of all pairs), or such scores
    times ``[.., tokens, features]``. What stands in front (heads) is of channels.

    Raises :class:`InputError` where the factors lie otherwise.
    """
    one, other = (quantised(state, operator, state.binding(operator, i)) for i in range(2))
    shapes = f"{[1, *one.shape]} times {[1, *other.shape]}"
    if len(one.shape) != len(other.shape) or len(one.shape) < 2:
        raise operator.fault("matrices of as many dimensions", shapes)
    if one.shape[:-2] != other.shape[:-2] or one.shape[-1] != other.shape[-2]:
        raise operator.fault("matrices that fit each other", shapes)
    heights = [state.draft.shape_of(binding.base)[1:] for binding in (one, other)]
    if all(width == 1 for _, width in heights) and _is_tokens(one, -2):
        if _is_tokens(other, -1):
            return _product(state, operator, one, other, transposed=True)
        if _is_tokens(other, -2):
            return _product(state, operator, one, other, transposed=False)
    raise operator.fault(
        "[tokens, features] times [features, tokens], or their product times [tokens, features], where "
        "tokens are rows and features channels, as a linear layer on each token leaves them",
        shapes,
    )


def _is_tokens(binding: TensorBinding, tokens: int) -> bool:
    """Whether dimension ``tokens`` is all rows of a map, and all others are channels."""
    dimensions = list(binding.dimensions)
    rows = dimensions.pop(tokens)
    are_channels = all(label[0] == "C" for one in dimensions for label, _ in one)
    return rows == dimension("H", binding.extent("H")) and are_channels


def _product(
    state: Lowering, operator: Operator, one: TensorBinding, other: TensorBinding, transposed: bool
) -> TensorBinding:
    """Each token's channels, head by head, times the other's tokens (``transposed``) or channels."""
    first, terms, made = one.shape[-2], one.shape[-1], other.shape[-1]
    heads = int(np.prod(one.shape[:-2], dtype=np.int64))
    vectors = _factor(state, operator, _in_order(state, one, -2), heads, terms)
    matrix = _in_order(state, other, -1 if transposed else -2)
    matrix = _factor(state, operator, matrix, heads if transposed else matrix.channels, terms)
    bounds = [state.draft.bounds_of(binding.base) for binding in (vectors, matrix)]
    products = [terms * a * b for a in bounds[0] for b in bounds[1]]
    shape = (heads * made, first, 1)
    inputs = [vectors.base, matrix.base]
    layer = state.draft.append("matmul", inputs, shape, min(products), max(products))
    layer.options = {"transposed": transposed, "heads": heads}
    gains = [_gains(binding, shape[0]) for binding in (vectors, matrix)]
    function = ChannelFunction().then([Affine(a * b) for a, b in zip(*gains, strict=True)])
    lying = _of_channels(one.shape[:-2], made)
    dimensions = (*lying, dimension("H", first), dimension("C", made))
    return TensorBinding(layer.name, function.simplest, dimensions)


def _of_channels(shape: tuple[int, ...], step: int) -> tuple[Dimension, ...]:
    """Dimensions of channels that lie one behind the other, the last of them ``step`` apart."""
    found: list[Dimension] = []
    for size in reversed(shape):
        found.insert(0, part_of("C", size, step))
        step *= size
    return tuple(found)


def _in_order(state: Lowering, binding: TensorBinding, tokens: int) -> TensorBinding:
    """``binding`` on a layer whose channels come head by head; ``tokens`` is the dimension of rows."""
    order: Array = np.moveaxis(binding.places("C"), tokens, 0)[0].reshape(-1)
    is_so = np.array_equal(order, np.arange(len(order)))
    return binding if is_so else on_channels(state, binding, order)


def _factor(
    state: Lowering, operator: Operator, binding: TensorBinding, parts: int, terms: int
) -> TensorBinding:
    """``binding`` as integers without offsets that have one gain in each of ``parts`` of its channels,
    with room for sums of ``terms`` products; else in a word of its own. A choice of bits is 0 and 1."""
    binding = _numbered(state, tabled(state, operator, binding))
    most = min(MOST_FACTOR_BITS, (MOST_BITS - terms.bit_length()) // 2)
    steps = binding.function.affine()
    value_type = state.draft.type_of(binding.base)
    bits = (value_type or integer_type(*state.draft.type_bounds_of(binding.base))).bits
    if steps is not None and bits <= most and not any(step.offset for step in steps):
        gains = _gains(binding, binding.channels)
        size = binding.channels // parts
        if all(len(set(gains[place : place + size])) == 1 for place in range(0, len(gains), size)):
            return binding
    return in_own_word(state, operator, binding, most)


def _numbered(state: Lowering, binding: TensorBinding) -> TensorBinding:
    """Bits that stand for 0 and a number, as 0 and 1."""
    steps = binding.function.affine()
    value_type = state.draft.type_of(binding.base)
    if value_type is None or not value_type.is_bipolar or steps is None:
        return binding
    if any(step.offset != step.gain for step in steps):
        return binding
    doubled = ChannelFunction().then([Affine(2 * step.gain) for step in steps])
    key = ("numbers", binding.base)
    if key not in state.made:
        state.made[key] = _as_numbers(state, binding.base)
    return replace(binding, base=state.made[key], function=doubled.simplest)


def _as_numbers(state: Lowering, base: str) -> str:
    """The layer whose integers are 1 where the bits of ``base`` are +1, else 0."""
    draft = state.draft
    maker = draft.layers.get(base)
    kind = ValueType("uint", 1)
    if maker is not None and maker.kind == "threshold":  # once more, with other outputs
        layer = draft.append("threshold", maker.inputs, maker.shape, 0, 1)
        layer.thresholds = maker.thresholds
    else:
        shape = draft.shape_of(base)
        layer = draft.append("conv", [base], shape, 0, 1)
        layer.weights = np.ones((shape[0], 1, 1, 1), np.int64)
        layer.options = {"kernel": (1, 1), "groups": shape[0]}
        layer.thresholds = np.ones((shape[0], 1), np.int64)
    layer.activation = kind
    return layer.name


def _gains(binding: TensorBinding, channels: int) -> list[Fraction]:
    """The gain of each of so many channels; where ``binding`` has fewer or more, a head's are all one."""
    steps = binding.function.affine()
    assert steps is not None
    own = [steps[c if len(steps) > 1 else 0].gain for c in range(binding.channels)]
    return [own[c * len(own) // channels] for c in range(channels)]
