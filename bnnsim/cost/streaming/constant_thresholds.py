"""Thresholds that are constants, compared with all at once: what Vitis HLS makes of an MVAU's.

A six-input LUT drives a carry element by two functions, of which one knows five inputs and the other all
six (UG474). Two bits of the sum leave three for the channel's address, one leaves five; so constants of
up to 32 channels are in the comparators' LUTs. Those of more are tables of the address beside them.
"""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import adder_tree_luts, comparator_luts, control, datapath
from bnnsim.cost.blocks.storage import FEWEST_MEMORY_WORDS, lut_rom, memory
from bnnsim.cost.blocks.technology import Technology

TWO_BIT_CHANNELS = 8
"""Channels whose address, beside two bits of the sum, is five inputs of a LUT."""
ONE_BIT_CHANNELS = 32
"""Channels whose address, beside one bit of the sum, is six inputs of a LUT."""


def constant_comparators(
    tech: Technology, pe: int, thresholds: int, bits: int, channels: int, result_bits: int
) -> Estimate:
    """``thresholds`` comparators a PE, each with the constants of ``channels``, and the count of those
    that fire.

    HLS registers what it reads from a memory; fewer than four words are none.
    """
    is_between = TWO_BIT_CHANNELS < channels <= ONE_BIT_CHANNELS
    is_absorbed_by_bit = is_between and not _in_blocks(_store(tech, bits, channels))
    each = float(bits) if is_absorbed_by_bit else comparator_luts(tech, bits)
    compare = pe * thresholds * each
    count = datapath(tech, pe * adder_tree_luts(tech, thresholds, 1), pe * result_bits)
    if channels < FEWEST_MEMORY_WORDS:
        return control(tech, compare) + count
    return datapath(tech, compare) + count


def constant_memories(
    tech: Technology, pe: int, thresholds: int, bits: int, channels: int
) -> Estimate:
    """What is beside the comparators: blocks from 1,024 bits, or tables of six address bits or more."""
    store = _store(tech, bits, channels)
    if _in_blocks(store):
        return store * (pe * thresholds)
    if channels <= ONE_BIT_CHANNELS:
        return Amounts()
    return lut_rom(tech, bits, channels) * (pe * thresholds)


def _store(tech: Technology, bits: int, channels: int) -> Estimate:
    return memory(tech, bits, channels, "auto", "simple_dual", "hls")


def _in_blocks(store: Estimate) -> bool:
    return store.bram18 > 0 or store.m20k > 0
