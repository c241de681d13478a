"""Behind FINN's RTL MVAU thresholds are searched, a comparator a bit; an HLS one compares with all.

FINN gives an MVAU whose thresholds are its own to HLS; its RTL one has a thresholding node behind it
(samufrank/finn-vs-vitisai, resource_summary.csv: MVAU_hls_0 with thresholds, MVAU_rtl_0 without).
"""

from __future__ import annotations

import pytest

from bnnsim.cost.streaming.mvau import mvau_parts
from bnnsim.cost.streaming.threshold_search import search_comparators, search_memories
from bnnsim.design.streaming.units import Mvau
from bnnsim.spec.value_type import integer_type, parse_value_type


def _mvau(bits: int) -> Mvau:
    number, result = parse_value_type(f"int{bits}"), parse_value_type(f"uint{bits}")
    reach = 2 ** (2 * bits + 5)
    sums = integer_type(-reach, reach - 1)
    thresholds = 2**bits - 1
    return Mvau(
        *(1, 1, 64, 64, 1, 1, 64), number, number, sums, "dot", result, bits, thresholds, ">=",
        "auto", "per_layer",
    )  # fmt: skip


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_an_rtl_mvau_has_a_comparator_a_bit_of_its_result(plain, bits):
    """Bits compared two a LUT, ``bits`` times; registers for the value and the result so far."""
    wide = 2 * bits + 6
    parts = {part.name: part.amounts for part in mvau_parts(plain, _mvau(bits), "rtl")}
    assert parts["thresholds"].lut_logic == bits * wide / 2
    assert parts["thresholds"].ff >= bits * (wide + bits)
    found = {part.name: part.amounts for part in mvau_parts(plain, _mvau(bits), "vitis_hls")}
    assert found["thresholds"].lut_logic >= (2**bits - 1) * wide / 2


def test_a_search_keeps_every_threshold_once(plain):
    """64 channels of 255 thresholds x 22 bits: stages of 64, 128 ... 8,192 words."""
    store = search_memories(plain, 1, 22, 8, 64)
    # 64 to 512 words x 22 bits: a block each; 1,024: 18 + 4 bits; 2,048: 9 + 9 + 4; 4,096: 9 + 9 in two
    # blocks each, 4; 8,192: five times 4 in two, 2.
    assert store.bram18 == 4 * 1 + 2 + 3 + (2 + 2 + 1) + (5 * 2 + 1)
    compare = search_comparators(plain, 2, 22, 8, 64)
    assert compare.lut_logic == 2 * 8 * 11
    # 15 registered stages of the value, its channel (6 bits) and a mark; what is known of 8 bits so far.
    assert compare.ff == 2 * (15 * 22 + 2 * (1 + 2 + 3 + 4 + 5 + 6 + 7) + 8) + 15 * 7
