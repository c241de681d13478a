"""Weights and thresholds drawn from a seed, for networks without trained ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.design.network.network import INPUT, Network, Node
from bnnsim.functional.layers.scaled_layers import drawn_means, is_scaled
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import (
    Activation,
    AddLayer,
    AveragePoolLayer,
    ConvLayer,
    MatmulLayer,
    MaxPoolLayer,
    MultiplyLayer,
    RepeatLayer,
    SumPoolLayer,
    ThresholdLayer,
    TopKLayer,
    WeightedLayer,
)

_CHUNK_ELEMENTS = 1 << 20


@dataclass(frozen=True)
class _Moments:
    """A guess at how a tensor's elements are spread."""

    mean: float
    variance: float


def drawn_parameters(
    network: Network, seed: int
) -> tuple[dict[str, Integers], dict[str, NDArray[np.int64]]]:
    """Weights uniform over their type, thresholds where about equally many sums lie on either side.

    Both by layer name, as :class:`~bnnsim.functional.parameters.parameters.Parameters` holds them. The
    sums' spread is a first-order guess from the types (elements independent and, behind an activation,
    uniform over its levels), enough for mixed bits.
    """
    rng = np.random.default_rng(seed)
    weights: dict[str, Integers] = {}
    thresholds: dict[str, NDArray[np.int64]] = {}
    moments = {INPUT: _uniform(network.input.type)}
    for name, node in network.nodes.items():
        layer = node.layer
        given = [moments[source] for source in node.inputs]
        activation: Activation | None = None
        if is_scaled(node):
            if node.threshold_count:
                spread = np.full(node.output.channels, _level_spread(node))
                thresholds[name] = _thresholds(rng, 0 * spread, spread, node.threshold_count)
            moments[name] = _uniform(node.output.type)
            continue
        if isinstance(layer, WeightedLayer):
            weights[name] = _weights(rng, layer.weight, node.weight_shape)
            if isinstance(layer, ConvLayer) and layer.codebook is not None:
                kernels = weights[name].reshape(-1, *layer.kernel_hw)
                book = kernels[: layer.codebook]
                weights[name] = book[rng.integers(0, len(book), len(kernels))].reshape(node.weight_shape)
            centre, spread, whole = _sums(node, weights[name], given[0])
            activation = layer.activation
        elif isinstance(layer, ThresholdLayer):
            centre = np.full(node.output.channels, given[0].mean)
            spread = np.full(node.output.channels, given[0].variance ** 0.5)
            whole = given[0]
            activation = layer.activation
        else:
            moments[name] = _joined(node, given)
            continue
        if activation is None:
            moments[name] = whole
        else:
            thresholds[name] = _thresholds(rng, centre, spread, node.threshold_count)
            moments[name] = _uniform(activation.type)
    return weights, thresholds


def _uniform(value_type: ValueType) -> _Moments:
    low, high, levels = value_type.minimum, value_type.maximum, value_type.levels
    step = (high - low) / (levels - 1)
    return _Moments((low + high) / 2, (levels**2 - 1) / 12 * step**2)


def _weights(rng: np.random.Generator, weight: ValueType, shape: tuple[int, ...]) -> Integers:
    if weight.is_bipolar:
        return rng.integers(0, 2, shape, dtype=np.uint8)
    return rng.integers(weight.minimum, weight.maximum, shape, dtype=np.int32, endpoint=True)


def _sums(
    node: Node, weights: Integers, given: _Moments
) -> tuple[NDArray[np.float64], NDArray[np.float64], _Moments]:
    """Centre and spread of each channel's sum, in the accumulator's own form, and of all sums."""
    assert isinstance(node.layer, WeightedLayer)
    rows = weights.reshape(weights.shape[0], -1)
    sums, squares = np.empty(len(rows)), np.empty(len(rows))
    step = max(1, _CHUNK_ELEMENTS // rows.shape[1])
    for start in range(0, len(rows), step):  # never a whole array as floats
        values = rows[start : start + step].astype(np.float64)
        if node.layer.weight.is_bipolar:
            values = 2 * values - 1
        sums[start : start + step] = values.sum(axis=1)
        squares[start : start + step] = (values**2).sum(axis=1)
    centre = sums * given.mean
    spread = np.sqrt(squares * given.variance)
    if node.layer.accumulator == "popcount":
        centre, spread = (centre + node.matrix_width) / 2, spread / 2
    whole = _Moments(float(centre.mean()), float(centre.var() + (spread**2).mean()))
    return centre, spread, whole


def _level_spread(node: Node) -> float:
    """Spread of a sum whose inputs' levels are worth integers: signs are independent."""
    means = drawn_means(node.input.type).astype(np.float64)
    return float(np.sqrt(node.matrix_width * (means**2).sum()))


def _thresholds(
    rng: np.random.Generator,
    centre: NDArray[np.float64],
    spread: NDArray[np.float64],
    count: int,
) -> NDArray[np.int64]:
    """Ascending thresholds that cut a channel's sums into ``count + 1`` parts, a little off."""
    steps = (np.arange(1, count + 1) / (count + 1) - 0.5) * 3.0
    offsets = rng.normal(0.0, 0.25, centre.size)
    places = centre[:, None] + (offsets[:, None] + steps) * spread[:, None]
    return np.rint(places).astype(np.int64)


def _joined(node: Node, given: list[_Moments]) -> _Moments:
    layer = node.layer
    if isinstance(layer, AddLayer):
        return _Moments(sum(m.mean for m in given), sum(m.variance for m in given))
    if isinstance(layer, MultiplyLayer | MatmulLayer):
        squares = [m.variance + m.mean**2 for m in given]
        mean, count = given[0].mean * given[1].mean, node.matrix_width if node.has_matrix else 1
        return _Moments(count * mean, count * (squares[0] * squares[1] - mean**2))
    if isinstance(layer, RepeatLayer):
        return _repeated(layer, given[0])
    if isinstance(layer, TopKLayer):
        return _uniform(node.output.type)
    if isinstance(layer, MaxPoolLayer) and node.output.type.is_bipolar:
        rows, columns = layer.kernel_on(*node.input.shape[1:])
        ones = 1 - ((1 - given[0].mean) / 2) ** (rows * columns)
        return _Moments(2 * ones - 1, 4 * ones * (1 - ones))
    if isinstance(layer, MaxPoolLayer | AveragePoolLayer):
        return given[0]
    if isinstance(layer, SumPoolLayer):
        rows, columns = layer.kernel_on(*node.input.shape[1:])
        return _Moments(rows * columns * given[0].mean, rows * columns * given[0].variance)
    mean = sum(m.mean for m in given) / len(given)
    return _Moments(mean, sum(m.variance for m in given) / len(given))


def _repeated(layer: RepeatLayer, given: _Moments) -> _Moments:
    if layer.fill == "nearest":
        return given
    share = 1 / (layer.factor_hw[0] * layer.factor_hw[1])
    mean = given.mean * share
    return _Moments(mean, (given.variance + given.mean**2) * share - mean**2)
