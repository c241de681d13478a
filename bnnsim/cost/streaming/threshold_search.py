"""Thresholding by binary search, FINN's RTL form: a comparator and a memory for each bit of the result.

Behind an RTL MVAU it is a node of its own in FINN, since that MVAU has no thresholds; HLS compares with
all thresholds at once.
"""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import comparator_luts, datapath
from bnnsim.cost.blocks.storage import memory
from bnnsim.cost.blocks.technology import Technology


def search_comparators(tech: Technology, pe: int, value_bits: int, result_bits: int) -> Estimate:
    """A stage a bit of the result: it compares, and hands on the value and what is known so far."""
    compare = pe * result_bits * comparator_luts(tech, value_bits)
    return datapath(tech, compare, pe * result_bits * (value_bits + result_bits))


def search_memories(
    tech: Technology, pe: int, value_bits: int, result_bits: int, fold: int
) -> Estimate:
    """Thresholds of ``fold`` channels a PE: each stage has twice as many as the one before."""
    store: Estimate = Amounts()
    for level in range(result_bits):
        store = store + memory(tech, value_bits, fold << level, "auto", "single", "rtl") * pe
    return store
