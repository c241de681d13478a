"""Thresholds on their own, behind a sum that several layers share, or one of levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnnsim.design.network.network import Node
from bnnsim.functional.kernels.maps import threshold_bits, threshold_levels
from bnnsim.functional.kernels.slices import run_slices
from bnnsim.functional.tensors.feature_map import FeatureMap, IntegerMap, PackedMap
from bnnsim.functional.tensors.packing import words_for
from bnnsim.functional.tensors.tiled_weights import integer_thresholds
from bnnsim.spec.workload import ThresholdLayer, WeightedLayer

_SLICE = 200_000
"""Comparisons of about 0.2 ms, just worth another thread's while."""


class ThresholdStep:
    """The thresholds of a layer."""

    def __init__(self, node: Node, thresholds: NDArray[np.int64]) -> None:
        """``thresholds``: int64 ``(channels, thresholds)``."""
        assert isinstance(node.layer, ThresholdLayer | WeightedLayer) and node.layer.activation
        self.lowest = node.layer.activation.least
        self.node = node
        compare, sums = node.layer.activation.compare, node.sum_type
        self.thresholds = integer_thresholds(thresholds, compare, sums.minimum, sums.maximum)

    def run(self, x: FeatureMap, threads: int = 1) -> FeatureMap:
        """The layer's output map."""
        values = x.integers()
        channels, frames, height, width = values.shape
        flat = values.reshape(channels, -1)
        work = flat.size * self.thresholds.shape[1] // _SLICE
        if self.node.output.type.is_bipolar:
            bits = np.empty((words_for(channels), flat.shape[1]), np.uint64)
            thresholds = np.ascontiguousarray(self.thresholds[:, 0])
            run_slices(threshold_bits, len(bits), work, threads, flat, thresholds, bits)
            return PackedMap(bits.reshape(-1, frames, height, width), channels)
        levels = np.empty(flat.shape, np.int32)
        given = (flat, self.thresholds, self.lowest, levels)
        run_slices(threshold_levels, channels, work, threads, *given)
        return IntegerMap(levels.reshape(values.shape))
