"""Building blocks that store: memories, FIFOs, line buffers, memory ports."""

from __future__ import annotations

import math
from typing import Literal

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import control, multiplexer, multiplexer_luts
from bnnsim.cost.blocks.memories import Ports
from bnnsim.cost.blocks.technology import Technology
from bnnsim.spec.accelerator import WeightMemory
from bnnsim.spec.streaming.hardware import UnitLibrary

Style = Literal["auto", "bram", "lutram", "uram"]
Use = Literal["parameters", "buffer"]
"""HLS keeps small parameter arrays in LUTs, buffers that it writes in block RAM."""


def memory(
    tech: Technology,
    width_bits: int,
    depth_words: int,
    style: WeightMemory = "auto",
    ports: Ports = "simple_dual",
    library: UnitLibrary = "rtl",
    use: Use = "parameters",
) -> Estimate:
    """A memory of ``depth_words`` words of ``width_bits`` in block RAM, LUTs or UltraRAM.

    ``auto`` chooses between LUTs and block RAM as the library's tool does: an HLS parameter array by its
    bits, an HLS buffer always block RAM, an RTL memory by its depth. UltraRAM is counted also on parts
    that have none: the budget then says so.
    """
    if width_bits <= 0 or depth_words <= 0:
        return Amounts()
    if style == "auto":
        style = "lutram" if _fits_luts(tech, width_bits, depth_words, library, use) else "bram"
    if style == "lutram":
        return lut_memory(tech, width_bits, depth_words, ports)
    geometry = tech.coefficients
    if tech.is_intel:
        return Amounts(m20k=geometry.m20k.blocks(width_bits, depth_words, ports, tech.layout))
    if style == "uram":
        return Amounts(uram=geometry.uram.blocks(width_bits, depth_words, ports, tech.layout))
    blocks = geometry.bram18.blocks(width_bits, depth_words, ports, tech.layout)
    return Amounts(bram18=blocks) + _row_select(tech, width_bits, depth_words)


def _fits_luts(tech: Technology, width: int, depth: int, library: UnitLibrary, use: Use) -> bool:
    if library == "hls":
        return use == "parameters" and width * depth < tech["hls_lutram_below_bits"]
    return depth <= tech["rtl_lutram_up_to_words"]


def _row_select(tech: Technology, width_bits: int, depth_words: int) -> Estimate:
    """The multiplexer behind a memory that is deeper than one block."""
    deepest = tech.coefficients.bram18.shapes[0][0]
    rows = math.ceil(depth_words / deepest)
    return multiplexer(tech, rows, width_bits)


def lut_memory(
    tech: Technology, width_bits: int, depth_words: int, ports: Ports = "simple_dual"
) -> Estimate:
    """A memory in LUTs: ROM and single port a bit of 64 words a LUT, two ports in groups of four."""
    if tech.is_intel:
        columns = math.ceil(width_bits / tech["mlab_width_bits"])
        return Amounts(lutram=columns * math.ceil(depth_words / 32) * tech["mlab_alms"])
    rows = math.ceil(depth_words / tech["lut_rom_depth_words"])
    select = multiplexer(tech, rows, width_bits)
    if ports == "single":
        return Amounts(lutram=rows * width_bits) + select
    shallow = depth_words <= 32
    bits = tech["lutram_group_bits_depth32" if shallow else "lutram_group_bits_depth64"]
    groups = math.ceil(width_bits / bits) * rows * (2 if ports == "true_dual" else 1)
    return Amounts(lutram=groups * tech["lutram_group_luts"]) + select


def lut_rom(tech: Technology, width_bits: int, depth_words: int) -> Estimate:
    """Constants in LUTs as logic: each output bit a table of the address."""
    rows = math.ceil(depth_words / tech["lut_rom_depth_words"])
    return control(tech, rows * width_bits + multiplexer_luts(tech, rows, width_bits))


def shift_register(tech: Technology, width_bits: int, depth_words: int) -> Estimate:
    """A delay of ``depth_words`` words in LUTs."""
    rows = math.ceil(depth_words / tech["srl_depth_words"])
    return Amounts(lutram=rows * math.ceil(width_bits / tech["srl_bits_per_lut"]))


def register_file(
    tech: Technology, width_bits: int, depth_words: int, reads: int = 1, written: bool = True
) -> Estimate:
    """Words in flip-flops: a write decoder and ``reads`` read multiplexers."""
    decoder = depth_words if written and depth_words > 1 else 0
    select = reads * multiplexer_luts(tech, depth_words, width_bits)
    return control(tech, decoder + select, width_bits * depth_words)


def fifo(tech: Technology, width_bits: int, depth_words: int, library: UnitLibrary = "hls") -> Estimate:
    """A stream's FIFO: two registers, a shift register, or block RAM by its size.

    The handshake is one state; pointers are counted in bits of the depth (FINN's estimate).
    """
    pointer = control(tech, 2 * max(1, math.ceil(math.log2(max(2, depth_words)))), 4)
    if depth_words <= 2:
        # The output multiplexer of two words shares LUTs two bits at a time.
        return pointer + control(tech, width_bits / 2, width_bits * depth_words)
    if library == "hls":
        shallow = width_bits * depth_words <= tech["hls_fifo_lut_up_to_bits"]
    else:
        shallow = depth_words <= tech["rtl_fifo_lut_up_to_words"]
    if shallow:
        return pointer + shift_register(tech, width_bits, depth_words)
    store = memory(tech, width_bits, depth_words, "bram")
    return pointer + store + control(tech, width_bits / 2, width_bits)


def line_buffer(
    tech: Technology,
    width_bits: int,
    row_words: int,
    rows: int,
    style: WeightMemory = "auto",
    library: UnitLibrary = "hls",
) -> Estimate:
    """``rows`` separately addressed rows of ``row_words`` words, one of them selected for reading."""
    row = memory(tech, width_bits, row_words, style, "simple_dual", library, "buffer")
    return row * rows + control(tech, multiplexer_luts(tech, rows, width_bits), width_bits)


def dma_port(tech: Technology, width_bits: int, reads: bool = True, writes: bool = True) -> Estimate:
    """A memory-mapped master port with burst buffers, as Vivado HLS makes it (m_axi).

    Its logic and flip-flops grow with the width over 64 bits; each direction has one buffer.
    """
    scale = max(1.0, width_bits / 64)
    adapter = Amounts(lut_logic=tech["m_axi_luts"] * scale, ff=tech["m_axi_ffs"] * scale)
    buffer = memory(tech, width_bits, int(tech["hls_m_axi_buffer_words"]), "bram")
    return adapter + buffer * (int(reads) + int(writes))
