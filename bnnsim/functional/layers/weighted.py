"""Convolutions and linear layers: from a network's node to the kernels' arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.design.network.network import Node
from bnnsim.functional.kernels.slices import run_slices
from bnnsim.functional.kernels.weighted import (
    COLUMNS,
    LANES,
    TILE,
    Epilogue,
    Window,
    integer_layer,
    packed_layer,
)
from bnnsim.functional.tensors.elements import integer_dtype
from bnnsim.functional.tensors.feature_map import FeatureMap, IntegerMap, PackedMap
from bnnsim.functional.tensors.packing import pack_bits, words_for
from bnnsim.functional.tensors.tiled_weights import column_matrix, integer_thresholds, tiled_weights
from bnnsim.spec.value_type import ValueType
from bnnsim.spec.workload import ConvLayer, LinearLayer, WeightedLayer

_PACKED_SLICE = 200_000_000
_INTEGER_SLICE = 10_000_000
"""Multiply-accumulates of about 0.2 ms, just worth another thread's while."""


class WeightedStep:
    """One convolution or linear layer, weights and thresholds laid out for the kernels.

    Bipolar weights on bipolar inputs run packed; everything else as integers.
    """

    def __init__(self, node: Node, weights: Integers, thresholds: NDArray[np.int64] | None) -> None:
        """``weights`` as :class:`~bnnsim.functional.parameters.parameters.Parameters` holds them;
        ``thresholds`` int64 ``(out, thresholds)``."""
        assert isinstance(node.layer, WeightedLayer)
        self.node = node
        self.window = window_of(node)
        self.is_packed = node.layer.weight.is_bipolar and node.input.type.is_bipolar
        self.sum_dtype = np.dtype(np.int64) if self.is_packed else _accumulator(node.sum_type)
        matrix = column_matrix(weights, node.groups)
        if self.is_packed:
            self.weights = tiled_weights(pack_bits(matrix))
        else:
            values = matrix.astype(self.sum_dtype)
            if node.layer.weight.is_bipolar:
                values *= 2
                values -= 1
            self.weights = tiled_weights(values, COLUMNS)
        self.border = self._border(matrix)
        self.thresholds = self._thresholds(thresholds)

    def _border(self, matrix: Integers) -> Integers:
        """Each tap's sum of weights where the border is a true zero among bits, else empty."""
        window = self.window
        if not (self.is_packed and window.pad_value == 0):
            return np.zeros((0, self.weights.shape[0], LANES), np.int64)
        taps = window.kernel_height * window.kernel_width
        values = matrix.astype(np.int64) * 2 - 1
        sums = values.reshape(*matrix.shape[:2], taps, -1).sum(axis=3)
        return np.ascontiguousarray(tiled_weights(sums).transpose(1, 0, 2))

    def _thresholds(self, thresholds: NDArray[np.int64] | None) -> Integers:
        layer, sums = self.node.layer, self.node.sum_type
        assert isinstance(layer, WeightedLayer)
        if thresholds is None or layer.activation is None:
            return np.zeros((self.weights.shape[0], 0, LANES), self.sum_dtype)
        compare = layer.activation.compare
        integers = integer_thresholds(thresholds, compare, sums.minimum, sums.maximum)
        return tiled_weights(column_matrix(integers, self.node.groups).astype(self.sum_dtype))

    def run(
        self, x: FeatureMap, threads: int = 1, keep_sums: bool = False
    ) -> tuple[FeatureMap, Integers | None]:
        """The layer's output and, when asked for, its sums ``(out, frames, height, width)``."""
        node = self.node
        source = x.words if isinstance(x, PackedMap) and self.is_packed else x.integers()
        frames, window = source.shape[1], self.window
        if isinstance(node.layer, LinearLayer):
            # The frames' maps end to end are one long row, each map a window of its own.
            source = source.reshape(source.shape[0], 1, 1, -1)
            window = window._replace(out_width=frames)
        channels, height, width = node.output.shape
        pixels = frames * height * width
        epilogue = self._epilogue(keep_sums)
        sums = np.empty((channels, pixels * epilogue.keep_sums), integer_dtype(node.sum_type))
        bits = np.zeros((words_for(channels), pixels * epilogue.make_bits), np.uint64)
        levels = np.empty((channels, pixels * epilogue.make_levels), np.int32)
        tail = (self.thresholds, window, epilogue, sums, bits, levels)
        tiles = -(-pixels // TILE)
        macs = node.macs * frames
        if self.is_packed:
            work = macs // _PACKED_SLICE
            run_slices(packed_layer, tiles, work, threads, source, self.weights, self.border, *tail)
        else:
            work = macs // _INTEGER_SLICE
            run_slices(integer_layer, tiles, work, threads, source, self.weights, *tail)
        shape = (-1, frames, height, width)
        shaped_sums = sums.reshape(shape) if epilogue.keep_sums else None
        if epilogue.make_bits:
            return PackedMap(bits.reshape(shape), channels), shaped_sums
        if epilogue.make_levels:
            return IntegerMap(levels.reshape(shape)), shaped_sums
        assert shaped_sums is not None
        return IntegerMap(shaped_sums), shaped_sums

    def _epilogue(self, keep_sums: bool) -> Epilogue:
        layer = self.node.layer
        assert isinstance(layer, WeightedLayer)
        activation = layer.activation
        return Epilogue(
            base=self.node.matrix_width,
            step=1 if layer.accumulator == "popcount" else 2,
            lowest=0 if activation is None else activation.least,
            keep_sums=keep_sums or activation is None,
            make_bits=activation is not None and activation.type.is_bipolar,
            make_levels=activation is not None and not activation.type.is_bipolar,
        )


def window_of(node: Node) -> Window:
    """Where a node's windows lie; a linear layer's is the whole map, pixel by pixel."""
    layer = node.layer
    channels, height, width = node.input.shape
    if not isinstance(layer, ConvLayer):
        pixels = height * width
        return Window(1, pixels, 1, pixels, 1, 1, 0, 0, -1, 1, 1, 1, channels, node.matrix_height)
    top, left, _, _ = layer.pad_tlbr
    return Window(
        *layer.kernel_hw,
        *layer.stride_hw,
        *layer.dilation_hw,
        pad_top=top,
        pad_left=left,
        pad_value=node.pad_value,
        out_height=node.output.shape[1],
        out_width=node.output.shape[2],
        groups=layer.groups,
        group_channels=channels // layer.groups,
        group_outputs=node.matrix_height,
    )


def _accumulator(sum_type: ValueType) -> np.dtype[Any]:
    """The smallest integer that holds every sum, and one more for a threshold never reached."""
    for candidate in (np.int16, np.int32):
        limits = np.iinfo(candidate)
        if limits.min <= sum_type.minimum and sum_type.maximum < limits.max:
            return np.dtype(candidate)
    return np.dtype(np.int64)
