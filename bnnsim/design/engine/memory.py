"""How much of a buffer a layer needs, and what the DRAM behind a port takes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from bnnsim.design.engine.program import DramPace
from bnnsim.design.network.network import Node
from bnnsim.spec.engine.blocks import Array, Buffer, Port
from bnnsim.spec.workload import WeightedLayer

GATED_PARAMETERS = 8
"""Parameters a channel behind a gated convolution, besides its weights."""


def weight_words(buffer: Buffer, node: Node, array: Array | None, out_channels: int) -> int:
    """Words of each bank that the weights of ``out_channels`` output channels take."""
    layer = node.layer
    assert isinstance(layer, WeightedLayer)
    kernel = node.weight_shape[2:] if len(node.weight_shape) == 4 else (1, 1)
    pixels = kernel[0] * kernel[1]
    in_channels = node.matrix_width // pixels
    bits = buffer.element_bits or layer.weight.bits
    if buffer.pack == "whole_kernels":
        kernels_a_word = buffer.width_bits // (pixels * bits)
        if kernels_a_word == 0:
            return out_channels * -(-in_channels // buffer.banks) * -(-pixels * bits // buffer.width_bits)
        return -(-out_channels * -(-in_channels // buffer.banks) // kernels_a_word)
    return -(-out_channels * in_channels * pixels * bits // (buffer.banks * buffer.width_bits))


def threshold_words(buffer: Buffer, out_channels: int) -> int:
    """Words of each bank for one value of ``element_bits`` a channel."""
    bits = buffer.element_bits or 16
    values_a_word = buffer.width_bits // bits
    if values_a_word == 0:
        return -(-out_channels // buffer.banks) * -(-bits // buffer.width_bits)
    return -(-out_channels // (values_a_word * buffer.banks))


def map_bits(
    buffer: Buffer,
    nodes: Mapping[str, Node],
    layers: tuple[str, ...],
    brings_input: bool = False,
    sends_output: bool = False,
) -> int:
    """Bits of the larger of the first layer's input and the last layer's output.

    An input that the layer itself loads (``brings_input``) does not count, nor an output that it stores.
    """
    first, last = nodes[layers[0]], nodes[layers[-1]]
    tensors = [first.input] * (not brings_input) + [last.output] * (not sends_output)
    return max((t.elements * (buffer.element_bits or t.type.bits) for t in tensors), default=0)


def dram_pace(port: Port, clock_mhz: float, is_store: bool) -> DramPace | None:
    """What the DRAM behind a port takes for a transfer; None where the spec says nothing of it."""
    dram = port.dram
    if dram is None:
        return None
    refresh = Fraction(str(dram.refresh_ns)) / Fraction(str(dram.refresh_every_ns))
    cycles_a_ns = Fraction(str(clock_mhz)) / 1000 / (1 - refresh)
    turn = Fraction(str(dram.read_to_write_ns)) + Fraction(str(dram.write_to_read_ns))
    return DramPace(
        word_bits=port.width_bits,
        burst_bits=dram.burst_transfers * dram.data_bits,
        row_bits=dram.row_bits,
        burst_cycles=dram.burst_transfers * 1000 / Fraction(str(dram.rate_mt_s)) * cycles_a_ns,
        row_cycles=(Fraction(str(dram.activate_ns)) + Fraction(str(dram.precharge_ns))) * cycles_a_ns,
        turn_cycles=turn * cycles_a_ns if is_store else Fraction(0),
    )
