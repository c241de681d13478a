"""The oracle: a network executed with Python integers, one product at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import floor, trunc
from typing import Any

import numpy as np
import numpy.typing as npt

from bnnsim.design.network.network import INPUT, Network, Node, resolve_network
from bnnsim.functional.parameters.parameters import Parameters
from bnnsim.spec.load import from_spec
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import (
    Activation,
    AddLayer,
    AveragePoolLayer,
    ConcatLayer,
    ConvLayer,
    MaxPoolLayer,
    MeanPoolLayer,
    PoolLayer,
    SumPoolLayer,
    ThresholdLayer,
    WeightedLayer,
    Workload,
)

Ints = npt.NDArray[np.int64]
Position = tuple[int, int, int]


def network_of(layers: list[dict[str, Any]], **given: Any) -> Network:
    """A network from YAML-like data; ``given`` is the input (``shape``, ``type``) and other keys."""
    keys = {key: given.pop(key) for key in ("shape", "type", "pad_to", "pad_value") if key in given}
    data = {"name": "made", "input": keys, "layers": layers, **given}
    return resolve_network(from_spec(Workload.model_validate(data)))


def value_of(element: int, value_type: ValueType) -> int:
    """What an element means: bipolar bits 0 and 1 are -1 and +1."""
    return 2 * int(element) - 1 if value_type.is_bipolar else int(element)


def elements_of(values: Ints, value_type: ValueType) -> Ints:
    return (values + 1) // 2 if value_type.is_bipolar else values


def plain_values(
    network: Network, parameters: Parameters, frame: npt.NDArray[Any]
) -> tuple[dict[str, Ints], dict[str, Ints]]:
    """Each layer's values (not bits) and sums ``(channels, height, width)`` for one frame."""
    frame_values = np.zeros(frame.shape, np.int64)
    for position in positions(frame.shape):
        frame_values[position] = value_of(frame[position], network.input.type)
    values: dict[str, Ints] = {INPUT: frame_values}
    sums: dict[str, Ints] = {}
    for name, node in network.nodes.items():
        given = [values[source] for source in node.inputs]
        values[name] = _layer(node, given, parameters, sums)
    return values, sums


def positions(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    return np.ndindex(*shape)


def _layer(node: Node, given: list[Ints], parameters: Parameters, sums: dict[str, Ints]) -> Ints:
    layer, name = node.layer, node.name
    thresholds = parameters.thresholds.get(name)
    if isinstance(layer, WeightedLayer):
        total = np.zeros(node.output.shape, np.int64)
        for position in positions(node.output.shape):
            products = list(_products(node, given[0], parameters.weights[name], position))
            total[position] = sum(products)
            if layer.accumulator == "popcount":
                total[position] = sum(1 for product in products if product == 1)
        sums[name] = total
        return _fired(total, thresholds, layer.activation)
    if isinstance(layer, ThresholdLayer):
        return _fired(given[0], thresholds, layer.activation)
    if isinstance(layer, AddLayer):
        return np.array(sum(given))
    if isinstance(layer, ConcatLayer):
        return np.concatenate(given)
    assert isinstance(layer, PoolLayer)
    result = np.zeros(node.output.shape, np.int64)
    for position in positions(node.output.shape):
        result[position] = _pooled(layer, node.input.type, given[0], position)  # type: ignore[arg-type]
    return result


def _products(node: Node, x: Ints, weights: npt.NDArray[Any], position: tuple[int, ...]) -> Iterator[int]:
    """Weight times value for every tap of one output; a tap on a border of zeros gives 0."""
    layer = node.layer
    out, out_row, out_column = position
    assert isinstance(layer, WeightedLayer)
    if not isinstance(layer, ConvLayer):
        flat = [x[c, r, k] for r in range(x.shape[1]) for k in range(x.shape[2]) for c in range(len(x))]
        for weight, value in zip(weights[out], flat, strict=True):
            yield value_of(weight, layer.weight) * int(value)
        return
    top, left, _, _ = layer.pad_tlbr
    first = out // (layer.out // layer.groups) * (len(x) // layer.groups)
    for channel, row, column in positions(weights.shape[1:]):
        y = out_row * layer.stride_hw[0] + row * layer.dilation_hw[0] - top
        z = out_column * layer.stride_hw[1] + column * layer.dilation_hw[1] - left
        inside = 0 <= y < x.shape[1] and 0 <= z < x.shape[2]
        value = int(x[first + channel, y, z]) if inside else node.pad_value
        yield value_of(weights[out, channel, row, column], layer.weight) * value


def _fired(sums: Ints, thresholds: npt.NDArray[Any] | None, activation: Activation | None) -> Ints:
    if activation is None:
        return sums
    assert thresholds is not None
    result = np.zeros(sums.shape, np.int64)
    for position in positions(sums.shape):
        total = int(sums[position])
        row = [int(t) for t in thresholds[position[0]]]
        count = sum(total > t if activation.compare == ">" else total >= t for t in row)
        step = 2 if activation.type.is_bipolar else 1
        result[position] = activation.type.minimum + step * count
    return result


def _two(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _pooled(layer: PoolLayer, given: ValueType, x: Ints, position: Position) -> int:
    """Over the pixels of a window that lie on the map."""
    channel, row, column = position
    kernel = x.shape[1:] if layer.kernel == "global" else _two(layer.kernel)
    stride = _two(getattr(layer, "stride", None) or tuple(kernel))
    pad = getattr(layer, "pad", 0)
    top, left = (pad, pad) if isinstance(pad, int) else (pad[0], pad[1])
    rows = range(row * stride[0] - top, row * stride[0] - top + kernel[0])
    columns = range(column * stride[1] - left, column * stride[1] - left + kernel[1])
    on_map = [(y, z) for y in rows for z in columns if 0 <= y < x.shape[1] and 0 <= z < x.shape[2]]
    window = [int(x[channel, y, z]) for y, z in on_map]
    if isinstance(layer, MaxPoolLayer):
        return max(window)
    if isinstance(layer, SumPoolLayer):
        return sum(window)
    if isinstance(layer, AveragePoolLayer):
        return 1 if sum(window) > 0 or (sum(window) == 0 and layer.compare == ">=") else -1
    return _mean(layer, given, window)


def _mean(layer: MeanPoolLayer, given: ValueType, window: list[int]) -> int:
    """The fraction goes at the finer of both points, halves go up at the output's."""
    to = layer.type
    finest = max(given.fraction_bits, to.fraction_bits)
    exact = Fraction(sum(window) << (finest - given.fraction_bits), len(window))
    kept = floor(exact + Fraction(1, 2)) if layer.rounding == "half_up" else trunc(exact)
    found = floor(Fraction(kept, 1 << (finest - to.fraction_bits)) + Fraction(1, 2))
    return min(max(found, to.minimum), to.maximum)


def assert_executed_exactly(
    network: Network, parameters: Parameters, frames: npt.NDArray[Any], activations: Any
) -> None:
    """Hold every layer's outputs and sums against the oracle's."""
    sums: Mapping[str, npt.NDArray[Any]] = activations.sums
    for index, frame in enumerate(frames):
        values, expected_sums = plain_values(network, parameters, frame)
        for name, node in network.nodes.items():
            expected = elements_of(values[name], node.output.type)
            got = activations.outputs[name][index]
            assert np.array_equal(got, expected), f"frame {index}, layer {name}"
        for name, total in expected_sums.items():
            assert np.array_equal(sums[name][index], total), f"frame {index}, sums of {name}"
