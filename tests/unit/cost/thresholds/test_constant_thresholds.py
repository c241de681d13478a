"""Thresholds that are constants, as Vitis HLS has them: which LUTs hold them, which registers they keep.

A six-input LUT drives a carry element by two functions, of which the one at O5 knows five inputs, the
other may know a sixth (UG474). Both see the bits of the sum that they compare and the channel's address.
"""

from __future__ import annotations

import pytest

from bnnsim.cost.blocks.logic import adder_tree_luts
from bnnsim.cost.streaming.mvau import mvau_parts
from bnnsim.design.streaming.units import Mvau
from bnnsim.spec.value_type import integer_type, parse_value_type

BITS = 16


def _mvau(channels: int, result: str = "uint4", bits: int = BITS) -> Mvau:
    number, answer = parse_value_type("int4"), parse_value_type(result)
    sums = integer_type(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    thresholds = 2**answer.bits - 1
    return Mvau(
        *(1, 1, channels, 64, 1, 1, 64), number, number, sums, "dot", answer, answer.bits, thresholds,
        ">=", "auto", "per_layer",
    )  # fmt: skip


def _parts(tech, unit, tool="vitis_hls"):
    return {part.name: part.amounts for part in mvau_parts(tech, unit, tool)}


@pytest.mark.parametrize(
    ("depth", "luts"),
    [
        (1, 8),  # two bits a LUT
        (2, 8),  # two bits of the sum and one of the address: three inputs
        (8, 8),  # two and three: five inputs, which both functions know
        (9, 16),  # one and four
        (16, 16),
        (32, 16),  # one and five: the six inputs
    ],
)
def test_constants_of_up_to_five_address_bits_are_in_the_comparators(plain, depth, luts):
    parts = _parts(plain, _mvau(depth))
    assert parts["threshold memory"].lut_logic == 0
    assert parts["thresholds"].lut_logic == 15 * luts + adder_tree_luts(plain, 15, 1)


def test_constants_of_more_channels_are_tables_beside_the_comparators(plain):
    """48 channels take six address bits: a LUT a bit, and the comparator's half."""
    parts = _parts(plain, _mvau(48))
    assert parts["threshold memory"].lut_logic == 15 * BITS
    assert parts["thresholds"].lut_logic == 15 * BITS / 2 + adder_tree_luts(plain, 15, 1)


def test_constants_in_block_ram_leave_the_comparators_two_bits_a_lut(plain):
    """32 words x 32 bits are 1,024 bits: a block each, whatever the address."""
    parts = _parts(plain, _mvau(32, bits=32))
    assert parts["threshold memory"].bram18 == 15
    assert parts["thresholds"].lut_logic == 15 * 32 / 2 + adder_tree_luts(plain, 15, 1)


def test_fewer_than_four_constants_are_no_memory_and_have_no_registered_read(z7020):
    """HLS splits arrays of fewer than four elements (UG1399): no stage of words before the sums."""
    count = z7020["pipeline_ff_per_lut"] * adder_tree_luts(z7020, 15, 1)
    assert _parts(z7020, _mvau(3))["thresholds"].ff == pytest.approx(count + 4)
    assert _parts(z7020, _mvau(4))["thresholds"].ff > count + 4


def test_thresholds_that_are_loaded_at_run_time_stay_stores(plain):
    parts = _parts(plain, _mvau(16, bits=24), "vivado_hls")
    assert parts["threshold memory"].lutram == 15 * 24
    assert parts["thresholds"].lut_logic == 15 * 12 + adder_tree_luts(plain, 15, 1)
