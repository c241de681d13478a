"""FINN's folding and its own LUT estimate, as its public sources describe them: a yardstick for ours.

After Xilinx/finn at 39f0c9a: ``SetFolding`` (SIMD up to a weight stream of 36 bits a PE, then PE, until a
layer needs fewer cycles than the target; once more with what was reached), ``lut_estimation`` of its MVAU
(constants of FINN-R, ACM TRETS 2018) and of its RTL window with the buffer in LUTs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bnnsim.design.network.network import Network, Node
from bnnsim.spec.faults import divisors_of
from bnnsim.spec.workload import ConvLayer, WeightedLayer

WIDEST_WEIGHTS_BITS = 36


@dataclass(frozen=True)
class FinnFold:
    """PE and SIMD of an MVAU, and lanes of the window in front of it (0: none)."""

    pe: int
    simd: int
    window_simd: int


def _weighted(network: Network) -> list[Node]:
    return [node for node in network.nodes.values() if isinstance(node.layer, WeightedLayer)]


def _slides(node: Node) -> bool:
    return isinstance(node.layer, ConvLayer) and node.layer.kernel_hw != (1, 1)


def fold_of(node: Node, pe: int, simd: int, simd_window: int | None = None) -> FinnFold:
    """A fold of ours: the window's lanes are the next wider ones that divide the channels, if not its
    own."""
    if simd_window is not None:
        return FinnFold(pe, simd, simd_window)
    channels = divisors_of(node.input.channels)
    wider = [n for n in channels if n >= simd] or channels[-1:]
    return FinnFold(pe, simd, wider[0] if _slides(node) else 0)


def mvau_cycles(node: Node, pe: int, simd: int) -> int:
    vectors = node.output.pixels
    return (node.matrix_height // pe) * (node.matrix_width // simd) * vectors


def _buffer(node: Node, simd: int) -> tuple[int, int]:
    """Words of the window's buffer, and cycles a frame."""
    layer = node.layer
    assert isinstance(layer, ConvLayer)
    kernel_height, kernel_width = layer.kernel_hw
    (stride_height, _), (dilation_height, dilation_width) = layer.stride_hw, layer.dilation_hw
    width = node.input.shape[2] + layer.pad_tlbr[1] + layer.pad_tlbr[3]
    fold = node.input.channels // simd
    taps = kernel_height * kernel_width
    reach = (kernel_height - 1) * dilation_height * width + (kernel_width - 1) * dilation_width
    least = (reach + 1) * fold
    depth = least + max(0, (stride_height - 1) * width - taps) * fold
    written_row = node.output.shape[2] * taps * fold
    read_row = layer.stride_hw[1] * width * fold
    return depth, least + node.output.shape[1] * max(written_row, read_row)


def frame_cycles(network: Network, folds: Mapping[str, FinnFold]) -> int:
    """Cycles that FINN expects of the slowest MVAU or window."""
    return max(_cycles(node, folds[node.name]) for node in _weighted(network))


def finn_folding(network: Network, target_cycles: float) -> dict[str, FinnFold]:
    """The folding for a target, relaxed to the slowest layer where that misses it."""
    folds = _one_pass(network, target_cycles)
    slowest = frame_cycles(network, folds)
    return _one_pass(network, slowest) if slowest > target_cycles else folds


def _cycles(node: Node, fold: FinnFold) -> int:
    window = _buffer(node, fold.window_simd)[1] if fold.window_simd else 0
    return max(mvau_cycles(node, fold.pe, fold.simd), window)


def _one_pass(network: Network, target: float) -> dict[str, FinnFold]:
    found = {}
    for node in _weighted(network):
        simd = 1
        for value in divisors_of(node.matrix_width):
            before, simd = simd, value
            if mvau_cycles(node, 1, simd) < target:
                break
            if node.layer.weight.bits * simd > WIDEST_WEIGHTS_BITS:
                simd = before
                break
        rows = divisors_of(node.matrix_height)
        pe = next((pe for pe in rows if mvau_cycles(node, pe, simd) < target), rows[-1])
        lanes = 0
        if _slides(node):
            channels = divisors_of(node.input.channels)
            fast = (n for n in channels if _buffer(node, n)[1] < target)
            lanes = next(fast, channels[-1])
        found[node.name] = FinnFold(pe, simd, lanes)
    return found


def finn_luts(network: Network, folds: Mapping[str, FinnFold], weights_in_luts: bool = False) -> int:
    """FINN's estimate of all MVAUs and windows."""
    total = 0
    for node in _weighted(network):
        fold = folds[node.name]
        total += _mvau_luts(node, fold.pe, fold.simd, weights_in_luts)
        if fold.window_simd:
            depth, _ = _buffer(node, fold.window_simd)
            total += 300 + fold.window_simd * node.input.type.bits * math.ceil(depth / 38)
    return total


def _mvau_luts(node: Node, pe: int, simd: int, weights_in_luts: bool) -> int:
    both = node.layer.weight.bits + node.input.type.bits
    signed = int(node.input.type.is_signed)
    reach = math.log2(node.matrix_width) + both - 1 - signed
    accumulator = math.ceil(reach + math.log2(1 + 2**-reach) + 1)
    products = simd * (2 * math.ceil(both / 6) - 1) * both
    tree = both * (2 * simd - 1)
    thresholds = 0
    if node.threshold_count:
        deep = math.ceil(node.matrix_height // pe / 64)
        thresholds = node.threshold_count * accumulator * (deep + 1)
    store = pe * simd * math.ceil(node.matrix_width * node.matrix_height // (pe * simd) / 64)
    luts = 300 + 1.1 * pe * (products + tree + accumulator + thresholds)
    return int(luts + (store if weights_in_luts else 0))
