"""Products of two matrices of activations: scores of queries and keys, and sums of weighed values.

Tokens lie along the rows of a map and features are its channels. A product runs over every pair of
tokens, one below the other: the rows of one factor again and again, those of the other in copies.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bnnsim.importers.exact.channel_function import Affine, ChannelFunction
from bnnsim.importers.onnx.binding import (
    Dimension,
    TensorBinding,
    dimension,
    map_dimensions,
    part_of,
)
from bnnsim.importers.onnx.graph import Array, Operator
from bnnsim.importers.onnx.lowering import Handler, Lowering
from bnnsim.importers.onnx.operators.maps.products import product_of
from bnnsim.importers.onnx.operators.maps.repeats import append_repeat
from bnnsim.importers.onnx.operators.orders import on_channels, picked
from bnnsim.importers.onnx.operators.quantise import quantised


def matrix_product(state: Lowering, operator: Operator, conv: Handler) -> TensorBinding:
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
    if all(width == 1 for _, width in heights) and _are_channels(one.dimensions[:-2]):
        if _is_tokens(one, -2) and _is_tokens(other, -1):
            return _scores(state, operator, one, other, conv)
        if _is_pairs(one) and _is_tokens(other, -2):
            return _weighed(state, operator, one, other)
    raise operator.fault(
        "[tokens, features] times [features, tokens], or their product times [tokens, features], where "
        "tokens are rows and features channels, as a linear layer on each token leaves them",
        shapes,
    )


def _are_channels(dimensions: tuple[Dimension, ...]) -> bool:
    return all(label[0] == "C" for one in dimensions for label, _ in one)


def _is_tokens(binding: TensorBinding, tokens: int) -> bool:
    """Whether dimension ``tokens`` is all rows of a map, and all others are channels."""
    dimensions = list(binding.dimensions)
    return dimensions.pop(tokens) == dimension("H", binding.extent("H")) and _are_channels((*dimensions,))


def _is_pairs(binding: TensorBinding) -> bool:
    """Whether the last two dimensions are parts of a map's rows: pairs of tokens."""
    *_, first, second = binding.shape
    return binding.dimensions[-2:] == (part_of("H", first, second), dimension("H", second))


def _scores(
    state: Lowering, operator: Operator, one: TensorBinding, other: TensorBinding, conv: Handler
) -> TensorBinding:
    """A row for each pair of tokens; features are multiplied and summed, head by head."""
    first, second, features = one.shape[-2], other.shape[-1], one.shape[-1]
    ready = []
    for binding, tokens in ((one, -2), (other, -1)):
        lying = np.moveaxis(binding.places("C"), tokens, 0)[0]
        ready.append(_in_order(state, binding, lying.reshape(-1)))
    pairs = first * second
    factors = [
        append_repeat(state, ready[0].base, (second, 1)),
        append_repeat(state, ready[1].base, copies=first),
    ]
    both = [
        replace(binding, base=base, dimensions=map_dimensions(binding.channels, pairs, 1))
        for binding, base in zip(ready, factors, strict=True)
    ]
    multiplied = product_of(state, operator, *both)
    heads = multiplied.channels // features
    names = (f"{operator.output} products", f"{operator.output} ones")
    state.bindings[names[0]] = multiplied
    state.graph.constants[names[1]] = np.ones((heads, features, 1, 1), np.float32)
    step = replace(operator, kind="Conv", inputs=names, attributes={"group": heads})
    summed = conv(state, step)
    assert isinstance(summed, TensorBinding)
    lying = _of_channels(one.shape[:-2], 1)
    return replace(summed, dimensions=(*lying, part_of("H", first, second), dimension("H", second)))


def _of_channels(shape: tuple[int, ...], step: int) -> tuple[Dimension, ...]:
    """Dimensions of channels that lie one behind the other, the last of them ``step`` apart."""
    found: list[Dimension] = []
    for size in reversed(shape):
        found.insert(0, part_of("C", size, step))
        step *= size
    return tuple(found)


def _weighed(
    state: Lowering, operator: Operator, one: TensorBinding, other: TensorBinding
) -> TensorBinding:
    """Each pair's weight times the second token's features, and the sum over second tokens."""
    first, second = one.shape[-2:]
    features = other.shape[-1]
    lying = np.moveaxis(other.places("C"), -2, 0)[0]
    values = _in_order(state, other, lying.reshape(-1))
    count = values.channels
    heads = np.repeat(one.places("C")[..., 0, 0].reshape(-1), features)
    if one.channels == 1:
        weights = append_repeat(state, one.base, channels=features)
    else:
        weights = picked(state, one.base, heads)
    chains = tuple(one.function.of(int(head)) for head in heads)
    dimensions = map_dimensions(count, first * second, 1)
    both = [
        replace(one, base=weights, function=ChannelFunction(chains).simplest, dimensions=dimensions),
        replace(values, base=append_repeat(state, values.base, copies=first), dimensions=dimensions),
    ]
    multiplied = product_of(state, operator, *both)
    low, high = (bound * second for bound in state.draft.bounds_of(multiplied.base))
    layer = state.draft.append("sum_pool", [multiplied.base], (count, first, 1), low, high)
    layer.options = {"kernel": (second, 1), "stride": (second, 1)}
    steps = multiplied.function.affine()
    assert steps is not None
    function = ChannelFunction().then([Affine(step.gain, step.offset * second) for step in steps])
    heads_in = _of_channels(one.shape[:-2], features)
    lies = (*heads_in, dimension("H", first), dimension("C", features))
    return TensorBinding(layer.name, function.simplest, lies)


def _in_order(state: Lowering, binding: TensorBinding, order: Array) -> TensorBinding:
    """``binding`` on a layer whose channels come in ``order``."""
    is_so = np.array_equal(order, np.arange(len(order)))
    return binding if is_so else on_channels(state, binding, order)
