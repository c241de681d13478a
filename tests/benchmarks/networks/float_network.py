"""A bipolar network as floats: im2col, float32 BLAS, comparison with thresholds, maximum.

What somebody gets from numpy for the same layers; only what CNV needs (no padding, stride 1).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bnnsim.design.network.network import Network
from bnnsim.functional.parameters.parameters import Parameters
from bnnsim.spec.workload import ConvLayer, MaxPoolLayer, WeightedLayer

Floats = npt.NDArray[np.float32]


class FloatNetwork:
    """Weights as -1.0 and +1.0, maps as float32 ``(n, height, width, channels)``."""

    def __init__(self, network: Network, parameters: Parameters) -> None:
        self.network = network
        self.matrices: dict[str, Floats] = {}
        self.thresholds: dict[str, Floats] = {}
        for name, node in network.nodes.items():
            if not isinstance(node.layer, WeightedLayer):
                continue
            weights = parameters.weights[name].astype(np.float32) * 2 - 1
            if isinstance(node.layer, ConvLayer):
                weights = weights.transpose(0, 2, 3, 1)
            self.matrices[name] = np.ascontiguousarray(weights.reshape(len(weights), -1).T)
            if name in parameters.thresholds:
                bound = parameters.thresholds[name][:, 0].astype(np.float32)
                is_popcount = node.layer.accumulator == "popcount"
                self.thresholds[name] = 2 * bound - node.matrix_width if is_popcount else bound

    def run(self, frames: Floats) -> Floats:
        """Scores ``(n, classes)`` of frames ``(n, height, width, channels)``."""
        x = frames
        for name, node in self.network.nodes.items():
            if isinstance(node.layer, MaxPoolLayer):
                x = _max_pool(x, node.layer.kernel)
                continue
            rows = _windows(x, node.layer.kernel_hw) if isinstance(node.layer, ConvLayer) else x
            sums = rows.reshape(-1, len(self.matrices[name])) @ self.matrices[name]
            if name in self.thresholds:
                sums = np.where(sums > self.thresholds[name], np.float32(1), np.float32(-1))
            channels, height, width = node.output.shape
            x = sums.reshape(len(frames), height, width, channels)
        scores = x.reshape(len(frames), -1)
        last = self.network.nodes[self.network.output]
        return (scores + np.float32(last.matrix_width)) / np.float32(2)


def products(network: Network, frames: int, rng: np.random.Generator) -> list[tuple[Floats, Floats]]:
    """Matrices of the size that each layer multiplies, for the product's time alone."""
    pairs = []
    for node in network.nodes.values():
        if isinstance(node.layer, WeightedLayer):
            rows = frames * node.output.pixels
            a = rng.choice(np.array([-1, 1], np.float32), (rows, node.matrix_width))
            b = rng.choice(np.array([-1, 1], np.float32), (node.matrix_width, node.layer.out))
            pairs.append((a, b))
    return pairs


def _windows(x: Floats, kernel: tuple[int, int]) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))
    return np.ascontiguousarray(windows.transpose(0, 1, 2, 4, 5, 3))


def _max_pool(x: Floats, kernel: int) -> Floats:
    n, height, width, channels = x.shape
    rows, columns = height // kernel, width // kernel
    kept = x[:, : rows * kernel, : columns * kernel]
    blocks = kept.reshape(n, rows, kernel, columns, kernel, channels)
    largest: Floats = blocks.max(axis=(2, 4))
    return largest
