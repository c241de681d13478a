"""Building blocks that store: memories, line buffers, memory ports."""

from __future__ import annotations

import math
from typing import Literal

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import control, multiplexer, multiplexer_luts
from bnnsim.cost.blocks.memories import Ports
from bnnsim.cost.blocks.technology import Technology
from bnnsim.spec.accelerator import WeightMemory
from bnnsim.spec.streaming.hardware import UnitLibrary

FEWEST_MEMORY_WORDS = 4
"""Arrays of fewer words are no memories: HLS splits them into registers (UG1399, complete_threshold)."""
Use = Literal["parameters", "buffer"]
"""Arrays that are written once and read through one port, and working buffers with a port for each."""


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

    ``auto`` goes by bits: block RAM from 1,024 on, unless there are fewer than four words. A working
    buffer counts its words as the power of two that its addresses span. HLS decides by the array alone;
    where synthesis infers parameters of RTL for UltraScale+, each block must be filled to a twentieth
    too. UltraRAM is counted also on parts that have none: the budget then says so.
    """
    if width_bits <= 0 or depth_words <= 0:
        return Amounts()
    if style == "auto":
        words = 1 << (depth_words - 1).bit_length() if use == "buffer" else depth_words
        is_small = width_bits * words < tech["block_ram_from_bits"]
        if library == "rtl" and use == "parameters":
            is_small = is_small or _is_too_thin(tech, width_bits, depth_words, ports)
        style = "lutram" if is_small or depth_words < FEWEST_MEMORY_WORDS else "bram"
    if style == "lutram":
        if library == "hls" and use == "parameters":
            return single_port_store(tech, width_bits, depth_words)
        return lut_memory(tech, width_bits, depth_words, ports)
    geometry = tech.coefficients
    if tech.is_intel:
        return Amounts(m20k=geometry.m20k.blocks(width_bits, depth_words, ports, tech.layout))
    if style == "uram":
        return Amounts(uram=geometry.uram.blocks(width_bits, depth_words, ports, tech.layout))
    blocks = geometry.bram18.blocks(width_bits, depth_words, ports, tech.layout)
    return Amounts(bram18=blocks) + _row_select(tech, width_bits, depth_words)


def _is_too_thin(tech: Technology, width_bits: int, depth_words: int, ports: Ports) -> bool:
    """Whether blocks side by side would be next to empty: a wide word and few of them.

    On 7 series such memories were placed in blocks all the same, on UltraScale+ in LUTs.
    """
    if not tech.is_ultrascale_plus:
        return False
    geometry = tech.coefficients.bram18
    blocks = geometry.blocks(width_bits, depth_words, ports, tech.layout)
    held = blocks * geometry.bits_per_block
    return width_bits * depth_words < tech["block_ram_least_fill"] * held


def single_port_store(tech: Technology, width_bits: int, depth_words: int) -> Estimate:
    """An HLS array in LUTs, one port for reads and writes: a LUT a bit for up to 32 words, not packed.

    Its read word is registered.
    """
    if tech.is_intel:
        return lut_memory(tech, width_bits, depth_words) + Amounts(ff=width_bits)
    rows = math.ceil(depth_words / tech["single_port_depth_words"])
    select = multiplexer(tech, math.ceil(rows / 2), width_bits)
    return Amounts(lutram=rows * width_bits, ff=width_bits) + select


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


def register_file(
    tech: Technology, width_bits: int, depth_words: int, reads: int = 1, written: bool = True
) -> Estimate:
    """Words in flip-flops: a write decoder and ``reads`` read multiplexers."""
    decoder = 0.0
    if written and depth_words > 1:
        # Past six address bits a word's enable no longer fits one LUT; part of it is shared.
        is_wide = depth_words > tech["lut_rom_depth_words"]
        decoder = depth_words * (tech["wide_decoder_luts"] if is_wide else 1.0)
    select = reads * multiplexer_luts(tech, depth_words, width_bits)
    return control(tech, decoder + select, width_bits * depth_words)


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


def master_port(tech: Technology, width_bits: int, reads: bool = True, writes: bool = True) -> Estimate:
    """A memory-mapped master with a burst buffer for each direction, as Vivado HLS makes it (m_axi)."""
    adapter = Amounts(
        lut_logic=tech["m_axi_luts"] + tech["m_axi_luts_per_bit"] * width_bits,
        ff=tech["m_axi_ffs"] + tech["m_axi_ffs_per_bit"] * width_bits,
    )
    buffer = memory(tech, width_bits, int(tech["hls_m_axi_buffer_words"]), "bram")
    return (adapter + buffer) * (int(reads) + int(writes))


def dma_port(tech: Technology, width_bits: int, reads: bool = True, writes: bool = True) -> Estimate:
    """A :func:`master_port` with the mover to or from a stream, for each direction."""
    mover = Amounts(lut_logic=tech["stream_mover_luts"], ff=tech["stream_mover_ffs"])
    return master_port(tech, width_bits, reads, writes) + mover * (int(reads) + int(writes))
