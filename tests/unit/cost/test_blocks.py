"""Building blocks against counts done by hand, with all fitted factors at one."""

import pytest

from bnnsim.cost.blocks.amounts import Amounts, add_up
from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.fifos import fifo, loop_count_stream
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
    line_buffer,
    lut_memory,
    lut_rom,
    master_port,
    memory,
    register_file,
    single_port_store,
)
from bnnsim.cost.blocks.technology import technology_of
from bnnsim.spec.load import load_device


def test_amounts_are_added_in_their_order_with_the_rounding_of_each_step():
    """Python's own sum of floats rounds once at the end since 3.12, and in each step before."""
    assert add_up([Amounts(lut_logic=0.1)] * 10).lut_logic == 0.9999999999999999
    assert add_up([]) == Amounts()


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


@pytest.mark.parametrize(
    ("words", "bits", "blocks"),
    [
        (36, 3, 0),
        (16, 24, 0),
        (32, 16, 0),
        (63, 16, 0),
        (64, 16, 1),
        (36, 32, 1),
        (256, 16, 1),
        (512, 16, 1),
    ],
)
def test_parameter_arrays_become_what_vivado_mapped_them_to(plain, words, bits, blocks):
    """The mapping report of BNN-PYNQ's cnvW1A1 and lfcW1A1 (Vivado HLS 2018.2), array by array."""
    assert memory(plain, bits, words, library="hls").bram18 == blocks


@pytest.mark.parametrize(
    ("words", "bits", "blocks"), [(32, 24, 0), (20, 32, 1), (24, 32, 1), (28, 32, 1), (60, 32, 1)]
)
def test_working_buffers_count_the_words_that_their_addresses_span(plain, words, bits, blocks):
    """The same report: 12 window buffers of 32 x 32 for 28, 20 and 24 words; 32 x 24 is in LUTs."""
    assert memory(plain, bits, words, library="hls", use="buffer").bram18 == blocks


@pytest.mark.parametrize(("words", "bits", "blocks"), [(5, 128, 8), (14, 64, 4)])
def test_a_pool_buffer_on_both_ports_is_36_bits_wide_a_block(plain, words, bits, blocks):
    """The same report: 8 x 128 is 4 RAMB36 and 16 x 64 two."""
    assert memory(plain, bits, words, "auto", "true_dual", "hls", "buffer").bram18 == blocks


def test_single_port_stores_take_a_lut_a_bit_for_32_words_and_are_not_packed(plain):
    """The same report: 16 x 16, 32 x 16 and 16 x 24 thresholds, 36 x 3 weights."""
    luts = [single_port_store(plain, b, w).lutram for w, b in ((16, 16), (32, 16), (16, 24), (36, 3))]
    assert luts == [16, 16, 24, 6]


def test_wide_shallow_memories_go_to_blocks(plain):
    """FINN: 64 x 576 bits are 8 RAMB36 (CNV W1A1), 60 x 1,280 bits 18 (a W2A2 MLP)."""
    assert memory(plain, 576, 64, ports="single").bram18 == 16
    assert memory(plain, 1280, 60, ports="single").bram18 == 36


def test_small_rtl_memories_go_to_luts(plain):
    """Vivado's message 8-6904: 2 x 64 and 32 x 16 stay in distributed RAM."""
    assert memory(plain, 64, 2).bram18 == memory(plain, 16, 32).bram18 == 0


@pytest.mark.parametrize(
    ("bits", "words", "blocks"),
    [
        (576, 8, 0),  # 288 bits in each of 16 blocks (samufrank/finn-vs-vitisai, an INT4 CNN)
        (576, 64, 16),
        (36, 26, 0),  # 936 bits: below 1,024
        (36, 29, 1),
        (72, 25, 0),  # 900 bits a block, of which a twentieth is 921.6
        (72, 26, 2),
    ],
)
def test_on_ultrascale_plus_a_wide_word_gets_no_blocks_that_would_be_next_to_empty(bits, words, blocks):
    """Yosys' rules for RAMB18 and RAMB36: a twentieth of each block is used."""
    tech = technology_of(load_device("xczu3eg").spec, default_coefficients())
    assert memory(tech, bits, words, "auto", "single", "rtl").bram18 == blocks


@pytest.mark.parametrize(
    ("bits", "words", "blocks"),
    [
        *((3584, 14, 100), (1024, 4, 29), (320, 2, 0), (864, 6, 24), (648, 24, 18)),
        *((576, 64, 16), (1280, 60, 36)),
    ],
)
def test_on_7_series_bits_alone_decide_however_empty_the_blocks(plain, bits, words, blocks):
    """Weights of FINN builds on XC7Z020, ram_style auto: alhusseingamal/finn-brevitas-pynq-labs (TFC and
    GTSRB), Finn_Thesis (64 x 576), finn_cybsec (60 x 1,280; 35 RAMB18's width and 20 bits)."""
    assert memory(plain, bits, words, "auto", "single", "rtl").bram18 == blocks


def test_hls_gives_blocks_by_the_bits_of_the_array_alone(plain):
    """8 x 128 bits of BNN-PYNQ's pool became four RAMB36 of two full ports."""
    assert memory(plain, 128, 8, "auto", "true_dual", "hls", "buffer").bram18 == 8
    assert memory(plain, 576, 8, "auto", "simple_dual", "hls").bram18 == 16


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


def cells(cost):
    return cost.lut_logic + cost.lutram + cost.ff


@pytest.mark.parametrize(
    ("bits", "words", "reported"),
    [
        (1, 2, 13),
        (8, 2, 36),
        (32, 2, 105),
        (64, 2, 202),
        (128, 2, 393),
        (256, 2, 776),
        (32, 3, 143),
        (256, 1, 520),
        (32, 9, 53),
        (64, 8, 82),
        (128, 8, 149),
        (24, 128, 128),
        (64, 128, 247),
        (61, 38, 243),
    ],
)
def test_hls_streams_take_the_cells_of_bnn_pynqs_synthesis(zu3eg, bits, words, reported):
    """Instance areas of cnvW1A1 and lfcW1A1 on a ZU3EG (Vivado 2018.2), LUTs and flip-flops together."""
    assert cells(fifo(zu3eg, bits, words)) == pytest.approx(reported, rel=0.08, abs=5)


def test_a_loop_count_stream_is_32_bits_of_two_words_and_a_start(zu3eg):
    """The same areas: 105 cells, and 616 for 32 starts."""
    assert cells(loop_count_stream(zu3eg)) == pytest.approx(105 + 616 / 32, rel=0.02)


@pytest.mark.parametrize(
    ("bits", "words", "luts", "ffs"),
    [
        (1, 2, 4, 6),
        (8, 2, 12, 20),
        (64, 2, 67, 132),
        (128, 2, 132, 261),
        (64, 32, 150, 74),
        (72, 32, 165, 82),
        (128, 32, 284, 139),
        (32, 256, 326, 49),
        (24, 1024, 888, 38),
    ],
)
def test_finns_rtl_fifos_take_what_was_synthesised(plain, bits, words, luts, ffs):
    """post_synth_resources.json of a CNV W1A1 (FINN 0.10, XC7Z020)."""
    found = fifo(plain, bits, words, "rtl", 1024)
    assert found.lut_logic + found.lutram == pytest.approx(luts, rel=0.05, abs=2)
    assert found.ff == pytest.approx(ffs, rel=0.1, abs=10)


def test_deep_fifos_are_in_block_memory(plain):
    assert fifo(plain, 24, 128).bram18 == 1
    assert fifo(plain, 64, 128).bram18 == 2
    assert fifo(plain, 64, 128, "rtl").bram18 == 0
    assert fifo(plain, 72, 1024, "rtl").bram18 == 4


def test_deep_rtl_fifos_are_several_of_powers_of_two(plain):
    """FINN has 32,768 + 8,192 + 4,096 + 2,048 + 128 words x 8 bits for 47,232: 16 + 4 + 2 + 1 blocks and
    32 LUTs of shift registers (UCdasec/RadioFINN, StreamingFIFO_rtl_11 to 15)."""
    found = fifo(plain, 8, 47_232, "rtl")
    assert (found.bram18, found.lutram) == (23, 32)
    parts = [fifo(plain, 8, words, "rtl") for words in (32_768, 8_192, 4_096, 2_048, 128)]
    assert found.ff == sum(part.ff for part in parts)
    assert found.ff == pytest.approx(77 + 69 + 65 + 61 + 20, rel=0.1)


def test_a_line_buffer_has_a_memory_a_row(plain):
    assert line_buffer(plain, 32, 60, 4).bram18 == 4
    assert line_buffer(plain, 24, 32, 4).bram18 == 0


def test_registers(plain):
    assert register_file(plain, 32, 18).ff == 32 * 18


def test_a_memory_port_has_a_burst_buffer_for_each_direction(plain):
    assert master_port(plain, 64).bram18 == 4
    assert master_port(plain, 512, writes=False).bram18 == 15
