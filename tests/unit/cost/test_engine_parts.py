"""Parts of engines: banks, ROMs that move to LUTs, and sums."""

import pytest

from bnnsim.cost.engine.parts import (
    Bank,
    bank_part,
    data_movers,
    move_constants,
    popcount_array,
    scaling_unit,
    tap_sums,
)
from bnnsim.cost.resources import estimate_resources
from bnnsim.validation.systems import simulated_systems

ROM = Bank("weights", 64, 45, 144, ports="single", is_rom=True)
RAM = Bank("maps", 16, 1089, 64)


def test_a_bank_is_its_memories_and_their_multiplexers(plain):
    alone = bank_part(plain, RAM).amounts
    assert alone.bram18 == 128
    assert alone.lut_logic == 0
    shared = bank_part(plain, Bank("maps", 16, 1089, 64, writers=4, readers=4)).amounts
    # 16 data and 11 address bits from four writers, 11 address bits from four readers.
    assert shared.lut_logic == 64 * (27 + 11)


def test_roms_of_two_blocks_move_to_luts_whole_until_enough_are_free(plain):
    moved = move_constants(plain, [RAM, ROM], 115)
    assert (moved.bram18, moved.lut_logic) == (-116, 58 * 64)


def test_rams_never_move_and_no_more_roms_than_there_are(plain):
    assert move_constants(plain, [RAM], 100).bram18 == 0
    assert move_constants(plain, [RAM, ROM], 10_000).bram18 == -288
    assert move_constants(plain, [RAM, ROM], 0).bram18 == 0


def test_arrays_grow_with_their_words(plain):
    one = popcount_array(plain, "a", 1, 64).amounts.lut_logic
    assert popcount_array(plain, "a", 144, 64).amounts.lut_logic == 144 * one


def test_tap_sums_count_offsets_tree_and_accumulator(plain):
    # Nine terms of 9 bits: four adders of 9, two of 10, one of 11 and of 12 bits; nine offsets of
    # 9 bits, a 16-bit accumulator, half a LUT a gated bit.
    luts = 4 * 9 + 2 * 10 + 11 + 12 + 9 * 9 + 16 + 9 * 9 / 2
    assert tap_sums(plain, "sums", 1, 9, 9, 16).amounts.lut_logic == luts


def test_a_scaling_unit_has_its_products_in_dsps(plain):
    assert scaling_unit(plain, "norm", 16, 5, 6, 16, 12).amounts.dsp == 80


def test_a_data_mover_is_a_coefficient(z7020):
    assert data_movers(z7020, "movers", 3).amounts.lut_logic == 3 * z7020["data_mover_luts"]


def _total(system):
    return estimate_resources(simulated_systems()[system].design).total


def test_more_convolvers_take_more_luts():
    luts = [_total(name).lut for name in ("acce-bnn-1", "acce-bnn-2", "acce-bnn")]
    assert luts == sorted(luts)
    assert luts[0] < luts[2]


def test_roms_that_do_not_fit_are_wanted_on_every_part():
    """Its synthesis log asks for 524 blocks, whatever the part has."""
    assert [_total(name).bram18 for name in ("fracbnn-zu5eg", "fracbnn")] == [526, 526]


def test_an_intel_engine_holds_its_weights_in_m20k():
    used = _total("fp-bnn")
    assert used.bram18 == 0
    assert used.m20k * 20480 > 14_022_016
    assert used.m20k == pytest.approx(1000, rel=0.2)
