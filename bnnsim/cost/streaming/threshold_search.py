"""Thresholding by binary search, FINN's RTL form: a comparator and a memory for each bit of the result.

Behind an RTL MVAU it is a node of its own in FINN, since that MVAU has no thresholds; HLS compares with
all thresholds at once.
"""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import comparator_luts, control
from bnnsim.cost.blocks.storage import memory
from bnnsim.cost.blocks.technology import Technology


def search_comparators(
    tech: Technology, pe: int, value_bits: int, result_bits: int, fold: int, is_deep: bool = True
) -> Estimate:
    """A level a bit of the result: it compares, and hands on the value and what is known so far.

    Two stages a level (one where not ``is_deep``), the first of which needs no register in front; with
    each go the number of the channel among ``fold`` and a mark that a word is there.
    """
    compare = pe * result_bits * comparator_luts(tech, value_bits)
    stages = (2 if is_deep else 1) * result_bits - 1
    known = result_bits * (result_bits - 1) // (1 if is_deep else 2)
    beside = stages * ((fold - 1).bit_length() + 1)
    registers = pe * (stages * value_bits + known + result_bits) + beside
    return control(tech, compare, registers)


def search_memories(
    tech: Technology, pe: int, value_bits: int, result_bits: int, fold: int
) -> Estimate:
    """Thresholds of ``fold`` channels a PE: each stage has twice as many as the one before."""
    store: Estimate = Amounts()
    for level in range(result_bits):
        store = store + memory(tech, value_bits, fold << level, "auto", "single", "rtl") * pe
    return store
