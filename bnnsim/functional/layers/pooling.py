"""Pools: from a network's node to the kernels' arguments, and sums."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.design.network.network import Node
from bnnsim.functional.kernels.maps import majority_pool_words, max_pool_values, max_pool_words
from bnnsim.functional.kernels.slices import run_slices
from bnnsim.functional.tensors.elements import integer_dtype
from bnnsim.functional.tensors.feature_map import FeatureMap, IntegerMap, PackedMap
from bnnsim.spec.layers.base import Sides
from bnnsim.spec.workload import AveragePoolLayer, MaxPoolLayer, SumPoolLayer

AnyNumber = TypeVar("AnyNumber", bound=np.generic)

_SLICE = 200_000
"""Words or values read in about 0.2 ms, just worth another thread's while."""


def pooled(node: Node, x: FeatureMap, threads: int) -> FeatureMap:
    """A pool's output map. On bits a maximum is the OR, an average before a sign the majority."""
    layer = node.layer
    assert isinstance(layer, MaxPoolLayer | AveragePoolLayer | SumPoolLayer)
    if isinstance(layer, SumPoolLayer):
        return IntegerMap(_sums(node, layer, x))
    _, height, width = node.output.shape
    kernel, stride = layer.kernel_on(*node.input.shape[1:]), layer.stride_on(*node.input.shape[1:])
    source = x.words if isinstance(x, PackedMap) else x.values
    if any(layer.pad_tlbr):
        least = 0 if isinstance(x, PackedMap) else node.input.type.minimum
        source = bordered(source, layer.pad_tlbr, least)
    out = np.empty((*source.shape[:2], height, width), source.dtype)
    planes = source.shape[0] * source.shape[1]
    taps = kernel[0] * kernel[1]
    if isinstance(layer, AveragePoolLayer):
        # sum = 2 ones - taps: > 0 from the next integer above taps / 2 on, >= 0 from taps / 2 on.
        least = taps // 2 + 1 if layer.compare == ">" else (taps + 1) // 2
        work = out.size * taps * 64 // _SLICE
        run_slices(majority_pool_words, planes, work, threads, source, *kernel, *stride, least, out)
    else:
        kernel_function = max_pool_words if isinstance(x, PackedMap) else max_pool_values
        work = out.size * taps // _SLICE
        run_slices(kernel_function, planes, work, threads, source, *kernel, *stride, out)
    return PackedMap(out, x.channels) if isinstance(x, PackedMap) else IntegerMap(out)


def bordered(source: NDArray[AnyNumber], sides: Sides, value: int) -> NDArray[AnyNumber]:
    """A map ``(..., height, width)`` with so many pixels of ``value`` on its four sides."""
    top, left, bottom, right = sides
    wide = [(0, 0)] * (source.ndim - 2) + [(top, bottom), (left, right)]
    return np.pad(source, wide, constant_values=value)


def _sums(node: Node, layer: SumPoolLayer, x: FeatureMap) -> Integers:
    """The sum of each window, ``(channels, frames, height, width)``: tap by tap, whole maps at once."""
    _, height, width = node.output.shape
    rows, columns = layer.kernel_on(*node.input.shape[1:])
    row_stride, column_stride = layer.stride_on(*node.input.shape[1:])
    dtype = integer_dtype(node.output.type)
    given = x.integers()
    if layer.kernel == "global" and not any(layer.pad_tlbr):
        whole: Integers = given.sum(axis=(2, 3), keepdims=True, dtype=dtype)
        return whole
    source = bordered(given, layer.pad_tlbr, 0)
    total = np.zeros((*source.shape[:2], height, width), dtype)
    for y in range(rows):
        for z in range(columns):
            down = slice(y, y + (height - 1) * row_stride + 1, row_stride)
            along = slice(z, z + (width - 1) * column_stride + 1, column_stride)
            total += source[:, :, down, along]
    return total
