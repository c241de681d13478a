"""What the FIFO of a stream takes, by the library that makes it.

Vivado HLS keeps up to three words in flip-flops behind a multiplexer, more in shift registers, many bits
in block RAM behind an output register and a bypass (instance areas of BNN-PYNQ's synthesis). FINN's RTL
FIFO keeps two words in flip-flops, more in shift registers behind an output register, many words in
block RAM, whose controller does not grow with the width.
"""

from __future__ import annotations

import math

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import multiplexer_luts
from bnnsim.cost.blocks.storage import memory
from bnnsim.cost.blocks.technology import Technology
from bnnsim.spec.streaming.hardware import UnitLibrary

HLS_REGISTER_WORDS = 3
"""Words that an HLS stream keeps in flip-flops: w32_d3 has 143 cells, w32_d5 is a shift register."""
SRLS_A_SLICE = 4
"""Rows of 32 words whose outputs a slice's own multiplexers join (UG474, 128 words)."""

DEEPEST_WORDS = 32_768
"""Of a FIFO in block RAM that Vivado supplies; depths are powers of two, and FINN puts others together of
several (``SplitLargeFIFOs``)."""


def fifo(
    tech: Technology,
    width_bits: int,
    depth_words: int,
    library: UnitLibrary = "hls",
    srl_words: int = 256,
) -> Estimate:
    """A stream's FIFO of ``depth_words`` words of ``width_bits``.

    One of the RTL library is a shift register up to ``srl_words`` words.
    """
    if library == "hls":
        return _hls_fifo(tech, width_bits, depth_words)
    return _rtl_fifo(tech, width_bits, depth_words, srl_words)


def loop_count_stream(tech: Technology) -> Estimate:
    """What a process of an HLS dataflow design has beside its data: its repetitions, and its start."""
    count = _hls_fifo(tech, int(tech["hls_repetition_bits"]), 2)
    share = tech.ultrascale_plus_share
    return count + Amounts(lut_logic=share * tech["hls_start_luts"], ff=tech["hls_start_ffs"])


def _hls_fifo(tech: Technology, width: int, depth: int) -> Estimate:
    # All these areas were counted on UltraScale+.
    share = tech.ultrascale_plus_share
    state = Amounts(lut_logic=share * tech["hls_fifo_luts"], ff=tech["hls_fifo_ffs"])
    if depth <= HLS_REGISTER_WORDS:
        return state + Amounts(lut_logic=share * width, ff=width * depth)
    if width * depth <= tech["hls_fifo_lut_up_to_bits"]:
        rows = math.ceil(depth / tech["srl_depth_words"])
        pointer_bits = (depth - 1).bit_length()
        # Up, down or stay: two LUTs a bit of the pointer (w32_d9 has 53 cells, w64_d8 82).
        pointer = Amounts(lut_logic=2 * share * pointer_bits, ff=pointer_bits)
        return state + pointer + Amounts(lutram=rows * width) + _rows(tech, rows, width)
    store = memory(tech, width, depth, "bram")
    pointers = Amounts(lut_logic=share * tech["hls_bram_fifo_luts"], ff=tech["hls_bram_fifo_ffs"])
    bits = Amounts(
        lut_logic=share * width * tech["hls_bram_fifo_luts_per_bit"],
        ff=width * tech["hls_bram_fifo_ffs_per_bit"],
    )
    return store + pointers + bits


def _rtl_fifo(tech: Technology, width: int, depth: int, srl_words: int) -> Estimate:
    pointer_bits = max(1, (depth - 1).bit_length())
    factor = tech.family_factor
    if depth <= 2:
        luts = factor * (width + tech["rtl_fifo_luts"])
        return Amounts(lut_logic=luts, ff=2 * width + tech["rtl_fifo_ffs"])
    if depth <= srl_words:
        rows = math.ceil(depth / tech["srl_depth_words"])
        luts = width + tech["rtl_fifo_luts_per_pointer_bit"] * pointer_bits
        output = Amounts(lut_logic=factor * luts, ff=width + tech["rtl_fifo_ffs"] + pointer_bits)
        return output + Amounts(lutram=rows * width) + _rows(tech, rows, width)
    whole = min(1 << depth.bit_length() - 1, DEEPEST_WORDS)
    if depth > whole:
        rest = _rtl_fifo(tech, width, depth - whole, srl_words)
        return _rtl_fifo(tech, width, whole, srl_words) + rest
    store = memory(tech, width, depth, "bram")
    ffs = tech["rtl_bram_fifo_ffs"] + tech["rtl_bram_fifo_ffs_per_pointer_bit"] * pointer_bits
    luts = factor * tech["rtl_bram_fifo_luts_per_pointer_bit"] * pointer_bits
    return Amounts(lut_logic=luts, ff=ffs, bram18=store.bram18, m20k=store.m20k)


def _rows(tech: Technology, rows: int, width: int) -> Estimate:
    """Selects between the slices of a deep shift register."""
    slices = math.ceil(rows / SRLS_A_SLICE)
    return Amounts(lut_logic=tech.family_factor * multiplexer_luts(tech, slices, width))
