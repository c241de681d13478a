"""Sums and products of maps, also as matrices, repeated maps, and positions of the largest."""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.design.network.network import Node
from bnnsim.functional.tensors.elements import integer_dtype
from bnnsim.functional.tensors.feature_map import FeatureMap, IntegerMap, from_bits
from bnnsim.spec.workload import AddLayer, MatmulLayer, MultiplyLayer, RepeatLayer, TopKLayer


def joined(node: Node, given: list[FeatureMap]) -> IntegerMap:
    """The sum or product of maps of equal shape."""
    step = np.add if isinstance(node.layer, AddLayer) else np.multiply
    assert isinstance(node.layer, AddLayer | MultiplyLayer)
    total = given[0].integers().astype(integer_dtype(node.sum_type))
    for other in given[1:]:
        step(total, other.integers(), out=total)
    return IntegerMap(total)


EXACT_DOUBLE_BITS = 53
"""Integers of so many bits are exact in double precision."""


def matrix_product(node: Node, vectors: FeatureMap, matrix: FeatureMap) -> IntegerMap:
    """Each pixel of ``vectors`` times the matrix that ``matrix`` is, of the same frame and head."""
    layer = node.layer
    assert isinstance(layer, MatmulLayer)
    exact = np.float64 if node.sum_type.bits < EXACT_DOUBLE_BITS else np.int64
    parted = []
    for one in (vectors.integers(), matrix.integers()):
        channels, frames = one.shape[:2]
        by_head = one.reshape(layer.heads, channels // layer.heads, frames, -1)
        parted.append(by_head.transpose(2, 0, 3, 1).astype(exact))  # frames, heads, pixels, channels
    rows = parted[1].swapaxes(-1, -2) if layer.transposed else parted[1]
    product = np.matmul(parted[0], rows)
    frames = product.shape[0]
    made = product.transpose(1, 3, 0, 2).reshape(node.output.channels, frames, *node.output.shape[1:])
    return IntegerMap(np.ascontiguousarray(made).astype(integer_dtype(node.output.type)))


def repeated(node: Node, x: FeatureMap) -> FeatureMap:
    """The map with its rows, columns or only channel repeated, or zeros between its pixels."""
    layer = node.layer
    assert isinstance(layer, RepeatLayer)
    if layer.fill == "nearest" and node.output.type.is_bipolar:
        return from_bits(_nearest(node, layer, x.elements().transpose(1, 0, 2, 3)).transpose(1, 0, 2, 3))
    values = x.integers()
    if layer.fill == "nearest":
        return IntegerMap(_nearest(node, layer, values))
    channels, height, width = node.output.shape
    shape = (channels, values.shape[1], height, width)
    made = np.zeros(shape, integer_dtype(node.output.type))
    rows, columns = layer.factor_hw
    made[:, :, ::rows, ::columns] = values
    return IntegerMap(made)


def largest(node: Node, x: FeatureMap) -> IntegerMap:
    """The positions of each pixel's largest channels, the largest first, of equals the lower one."""
    layer = node.layer
    assert isinstance(layer, TopKLayer)
    falling = np.argsort(-x.integers().astype(np.int64), axis=0, kind="stable")
    return IntegerMap(falling[: layer.k].astype(integer_dtype(node.output.type)))


def _nearest(node: Node, layer: RepeatLayer, values: Integers) -> Integers:
    """``values`` ``(channels, frames, height, width)`` repeated along three axes."""
    _, height, width = node.input.shape
    wide = np.repeat(values, layer.channels, axis=0)
    wide = np.repeat(wide, layer.row_counts(height), axis=2)
    return np.repeat(wide, layer.column_counts(width), axis=3)
