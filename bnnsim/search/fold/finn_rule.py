"""FINN's own folding rule and LUT estimate: a second opinion that a folding should not be dearer by.

Our model of logic is fitted on few placed designs, and rates that a handful of lanes serve lie outside
them. So of foldings for a rate none is taken that FINN's estimate finds dearer than what FINN's
SetFolding would take itself, as long as that fits and our estimate is not half as much again. FINN's
estimate is that of FINN-R (ACM TRETS 2018); both
as in Xilinx/finn at 39f0c9a: SIMD grows first, up to a weight stream of 36 bits a PE, then PE, until a
layer needs less than the target.
"""

from __future__ import annotations

import math

from bnnsim.design.network.network import Network, Node
from bnnsim.spec.faults import divisors_of
from bnnsim.spec.workload import ConvLayer, WeightedLayer

WIDEST_STREAM_BITS = 36
WINDOW_LUTS, MVAU_LUTS = 300, 300
LUT_FACTOR = 1.1
SRL_WORDS, ROM_WORDS = 38, 64


def finn_luts(node: Node, pe: int, simd: int, lanes: int, weights_in_luts: bool = False) -> int:
    """FINN's estimate of an MVAU and of the RTL window in front of it, its buffer in LUTs.

    ``lanes`` are the window's; 0 for a layer without.
    """
    assert isinstance(node.layer, WeightedLayer)
    window = 0
    if lanes:
        rows = math.ceil(_reach(node, lanes)[1] / SRL_WORDS)
        window = WINDOW_LUTS + lanes * node.input.type.bits * rows
    weight, lane = node.layer.weight.bits, node.input.type.bits
    reach = math.log2(node.matrix_width) + weight + lane - 1 - int(node.input.type.is_signed)
    accumulator = math.ceil(reach + math.log2(1 + 2**-reach) + 1)
    products = simd * (2 * math.ceil((weight + lane) / 6) - 1) * (weight + lane)
    sums = (weight + lane) * (2 * simd - 1) + accumulator
    memories = math.ceil(node.matrix_height // pe / ROM_WORDS)
    thresholds = node.threshold_count * accumulator * (1 + memories)
    words = node.matrix_width * node.matrix_height // (pe * simd)
    store = pe * simd * weight * math.ceil(words / ROM_WORDS) if weights_in_luts else 0
    return window + int(MVAU_LUTS + LUT_FACTOR * pe * (products + sums + thresholds) + store)


def set_folding_luts(network: Network, cycles: int) -> float:
    """What SetFolding takes for at most ``cycles`` a frame, by :func:`finn_luts`.

    Infinite where its rule does not get there, or knows no such layer (grouped convolutions).
    """
    total = 0
    for node in network.nodes.values():
        if not isinstance(node.layer, WeightedLayer):
            continue
        if node.groups > 1:
            return math.inf
        vectors = node.output.pixels
        rows, columns = divisors_of(node.matrix_height), divisors_of(node.matrix_width)
        work = vectors * node.matrix_height * node.matrix_width
        simd = 1
        for wider in columns:
            if work // wider > cycles and wider * node.layer.weight.bits > WIDEST_STREAM_BITS:
                break  # that wide only where it meets the target at once
            simd = wider
            if work // simd <= cycles:
                break
        pe = next((n for n in rows if work // (n * simd) <= cycles), None)
        lanes: int | None = 0
        if slides(node):
            channels = divisors_of(node.input.channels)
            lanes = next((n for n in channels if _reach(node, n)[0] <= cycles), None)
        if pe is None or lanes is None:
            return math.inf
        total += finn_luts(node, pe, simd, lanes)
    return total


def slides(node: Node) -> bool:
    """Whether FINN puts a window in front of a layer."""
    return isinstance(node.layer, ConvLayer) and node.layer.kernel_hw != (1, 1)


def narrowest_window(node: Node, pe: int, simd: int) -> int:
    """The fewest lanes of a window that FINN expects to be no slower than the MVAU behind it."""
    work = node.output.pixels * node.matrix_height * node.matrix_width
    lanes = divisors_of(node.input.channels)
    return next((n for n in lanes if _reach(node, n)[0] <= work // (pe * simd)), lanes[-1])


def _reach(node: Node, lanes: int) -> tuple[int, int]:
    """Cycles a frame that FINN expects of an RTL window, and the words of its buffer."""
    layer = node.layer
    assert isinstance(layer, ConvLayer)
    (height, width), (dilation_y, dilation_x) = layer.kernel_hw, layer.dilation_hw
    row = node.input.shape[2] + layer.pad_tlbr[1] + layer.pad_tlbr[3]
    fold = node.input.channels // lanes
    least = ((height - 1) * dilation_y * row + (width - 1) * dilation_x + 1) * fold
    written, read = node.output.shape[2] * height * width * fold, layer.stride_hw[1] * row * fold
    early = max(0, (layer.stride_hw[0] - 1) * row - height * width) * fold
    return least + node.output.shape[1] * max(written, read), least + early
