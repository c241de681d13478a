"""Pools: from a network's node to the kernels' arguments."""

from __future__ import annotations

import numpy as np

from bnnsim.design.network.network import Node
from bnnsim.functional.kernels.maps import majority_pool_words, max_pool_values, max_pool_words
from bnnsim.functional.kernels.slices import run_slices
from bnnsim.functional.tensors.feature_map import FeatureMap, IntegerMap, PackedMap
from bnnsim.spec.workload import AveragePoolLayer, MaxPoolLayer

_SLICE = 200_000
"""Words or values read in about 0.2 ms, just worth another thread's while."""


def pooled(node: Node, x: FeatureMap, threads: int) -> FeatureMap:
    """A pool's output map. On bits a maximum is the OR, an average before a sign the majority."""
    layer = node.layer
    assert isinstance(layer, MaxPoolLayer | AveragePoolLayer)
    _, height, width = node.output.shape
    if layer.kernel == "global":
        kernel, stride = (node.input.shape[1], node.input.shape[2]), 1
    else:
        kernel, stride = (layer.kernel, layer.kernel), layer.stride or layer.kernel
    source = x.words if isinstance(x, PackedMap) else x.values
    out = np.empty((*source.shape[:2], height, width), source.dtype)
    planes = source.shape[0] * source.shape[1]
    taps = kernel[0] * kernel[1]
    if isinstance(layer, AveragePoolLayer):
        # sum = 2 ones - taps: > 0 from the next integer above taps / 2 on, >= 0 from taps / 2 on.
        least = taps // 2 + 1 if layer.compare == ">" else (taps + 1) // 2
        work = out.size * taps * 64 // _SLICE
        run_slices(majority_pool_words, planes, work, threads, source, *kernel, stride, least, out)
    else:
        kernel_function = max_pool_words if isinstance(x, PackedMap) else max_pool_values
        work = out.size * taps // _SLICE
        run_slices(kernel_function, planes, work, threads, source, *kernel, stride, out)
    return PackedMap(out, x.channels) if isinstance(x, PackedMap) else IntegerMap(out)
