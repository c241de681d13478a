"""Building blocks against counts done by hand, with all fitted factors at one."""

import pytest

from bnnsim.cost.blocks.logic import (
    adder,
    adder_tree_luts,
    comparator,
    fixed_point_multiplier,
    loop_bound,
    lut_multiplier,
    multiplexer,
    popcount_luts,
    state_machine,
    xnor_popcount,
)
from bnnsim.cost.blocks.storage import (
    dma_port,
    fifo,
    line_buffer,
    lut_memory,
    lut_rom,
    memory,
    register_file,
    shift_register,
)


def test_an_adder_takes_a_lut_a_bit_and_a_comparator_half(plain):
    assert adder(plain, 12).lut_logic == 12
    assert comparator(plain, 12).lut_logic == 6


def test_a_tree_sums_its_levels(plain):
    # Eight 1-bit numbers: 4 adders of 1 bit, 2 of 2 bits, 1 of 3 bits.
    assert adder_tree_luts(plain, 8, 1) == 4 * 1 + 2 * 2 + 3
    # Nine: the odd one joins the last level, which is 4 bits wide.
    assert adder_tree_luts(plain, 9, 1) == 4 * 1 + 2 * 2 + 3 + 4
    assert adder_tree_luts(plain, 1, 7) == 0


@pytest.mark.parametrize(("bits", "luts"), [(1, 1), (2, 1), (4, 2 + 2), (8, 4 + 4 + 3)])
def test_popcount_of_few_bits(plain, bits, luts):
    assert popcount_luts(plain, bits) == luts


def test_popcount_tends_to_two_luts_a_bit_and_the_masked_form_to_two_and_three_quarters(plain):
    assert popcount_luts(plain, 1024) / 1024 == pytest.approx(2, abs=0.02)
    assert popcount_luts(plain, 64, "swar") == 2.25 * 64 + 4 * 4 + 2 * 5 + 6
    assert popcount_luts(plain, 64) < popcount_luts(plain, 64, "swar")


def test_more_bits_never_cost_less(z7020):
    counts = [xnor_popcount(z7020, bits).lut_logic for bits in range(1, 200)]
    assert counts == sorted(counts)


def test_an_unpipelined_popcount_has_no_registers(z7020):
    assert xnor_popcount(z7020, 64, pipelined=False).ff == 0
    assert xnor_popcount(z7020, 64).ff > 0


def test_multiplexers_take_four_inputs_a_lut(plain):
    assert multiplexer(plain, 4, 8).lut_logic == 8
    assert multiplexer(plain, 16, 1).lut_logic == 4
    assert multiplexer(plain, 1, 64).lut_logic == 0


def test_multipliers_in_luts_follow_the_table_then_finns_formula(plain):
    assert lut_multiplier(plain, 1, 8).lut_logic == 4.5
    assert lut_multiplier(plain, 2, 2).lut_logic == 2
    assert lut_multiplier(plain, 4, 4).lut_logic == (2 * 2 - 1) * 8


def test_multipliers_in_dsps_tile_the_operands(z7020, stratix):
    assert fixed_point_multiplier(z7020, 16, 12).dsp == 1
    assert fixed_point_multiplier(z7020, 32, 16).dsp == 2
    assert fixed_point_multiplier(z7020, 32, 20).dsp == 4
    assert fixed_point_multiplier(stratix, 18, 18).dsp == 1


@pytest.mark.parametrize(("trips", "dsp"), [(512, 0), (576, 0), (416, 2), (900, 2)])
def test_a_loop_bound_with_three_set_bits_is_a_dsp_product(z7020, trips, dsp):
    assert loop_bound(z7020, trips).dsp == dsp


def test_states_cost_luts(plain):
    assert state_machine(plain, 10).lut_logic == 40


def test_two_port_memories_in_luts_come_in_groups_of_four(plain):
    assert lut_memory(plain, 6, 32).lutram == 4
    assert lut_memory(plain, 7, 32).lutram == 8
    assert lut_memory(plain, 3, 64).lutram == 4
    assert lut_memory(plain, 16, 32).lutram == 12
    assert lut_memory(plain, 8, 64, "single").lutram == 8
    assert lut_memory(plain, 8, 65, "single").lutram == 16


def test_hls_parameters_go_to_luts_below_1024_bits_and_buffers_never(plain):
    assert memory(plain, 16, 63, library="hls").bram18 == 0
    assert memory(plain, 16, 64, library="hls").bram18 == 1
    assert memory(plain, 16, 8, library="hls", use="buffer").bram18 == 1


def test_rtl_memories_go_to_luts_up_to_64_words(plain):
    assert memory(plain, 512, 64).bram18 == 0
    assert memory(plain, 512, 65).bram18 > 0


def test_a_style_overrules_the_automatic_choice(plain):
    assert memory(plain, 8, 16, "bram").bram18 == 1
    assert memory(plain, 8, 4096, "lutram").bram18 == 0
    assert memory(plain, 72, 4096, "uram").uram == 1


def test_intel_memories_are_m20k_and_mlabs(stratix):
    assert memory(stratix, 40, 512, "bram").m20k == 1
    assert memory(stratix, 40, 512, "uram").m20k == 1
    assert memory(stratix, 20, 32, "lutram").lutram == 10


def test_constants_in_luts_hold_64_words_each(plain):
    assert lut_rom(plain, 64, 45).lut_logic == 64
    assert lut_rom(plain, 64, 65).lut_logic > 128


def test_fifos_are_registers_then_shift_registers_then_block_memory(plain):
    assert fifo(plain, 64, 2).ff >= 128
    assert fifo(plain, 64, 2).lutram == 0
    assert fifo(plain, 32, 16).lutram == 16
    assert fifo(plain, 24, 128).bram18 == 1
    assert fifo(plain, 64, 128).bram18 == 2
    assert fifo(plain, 64, 128, "rtl").bram18 == 0


def test_a_line_buffer_has_a_memory_a_row(plain):
    assert line_buffer(plain, 32, 60, 4).bram18 == 4


def test_registers_and_shift_registers(plain):
    assert register_file(plain, 32, 18).ff == 32 * 18
    assert shift_register(plain, 10, 33).lutram == 2 * 5


def test_a_memory_port_has_a_burst_buffer_for_each_direction(plain):
    assert dma_port(plain, 64).bram18 == 4
    assert dma_port(plain, 512, writes=False).bram18 == 15
