"""What a matrix-vector-activation unit takes: PEs, thresholds, weights, input buffer, control.

Registers are counted where they are: the buffered input vector, the words of its streams, accumulators,
outputs; those inside the adder trees go with the trees' LUTs.
"""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import (
    SHORT_BITS,
    adder_luts,
    adder_tree_luts,
    comparator_luts,
    control,
    datapath,
    fixed_point_multiplier,
    lut_multiplier_luts,
    popcount_luts,
    ripple_tree_luts,
)
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.storage import memory, register_file
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.streaming.constant_thresholds import constant_comparators, constant_memories
from bnnsim.cost.streaming.control import Tool, sequencing, stream_registers
from bnnsim.cost.streaming.rtl_mvau import replay_memory, rtl_core
from bnnsim.cost.streaming.threshold_search import search_comparators, search_memories
from bnnsim.design.streaming.units import Mvau

LUT_INPUT_WORDS = 64
"""Bits of a table that a LUT of six inputs is."""
SRLS_A_LUT = 2
"""Shift registers of up to 16 words in a LUT (UG474)."""
BANK_DECODER_LUTS = 2
"""Write enable of one of many parameter banks: target layer and target PE, 12 bits in two LUTs."""


def mvau_parts(tech: Technology, unit: Mvau, tool: Tool, level_bits: int = 1) -> tuple[Part, ...]:
    """The parts of an MVAU that ``tool`` made; ``level_bits``: of a level's element, 2 with zeros."""
    if tool == "rtl" and products_in_dsps(unit, tool):
        return (
            Part("processing elements", rtl_core(tech, unit)),
            Part("thresholds", _thresholds(tech, unit, tool)),
            Part("threshold memory", _threshold_memory(tech, unit, tool)),
            *_weights(tech, unit, tool),
            Part("input buffer", replay_memory(tech, unit)),
        )
    return (
        Part("processing elements", _processing_elements(tech, unit, tool, level_bits)),
        Part("accumulators", _accumulators(tech, unit, tool)),
        Part("thresholds", _thresholds(tech, unit, tool)),
        Part("threshold memory", _threshold_memory(tech, unit, tool)),
        *_weights(tech, unit, tool),
        *((Part("codebook", codebook_lookups(tech, unit)),) if unit.codebook else ()),
        Part("input buffer", _input_buffer(tech, unit, tool, level_bits)),
        Part("streams", _streams(tech, unit, tool, level_bits)),
        Part("control", _sequencing(tech, unit, tool)),
    )


def accumulator_bits(tech: Technology, unit: Mvau, tool: Tool) -> int:
    """Width of a PE's accumulator and thresholds: as declared, or what the sum needs of any weights."""
    needed = unit.sum_bits or unit.sum_type.bits
    if tool != "vivado_hls":
        return needed
    fixed = unit.input_type.kind == "fixed"
    return max(needed, int(tech["hls_fixed_threshold_bits" if fixed else "hls_threshold_bits"]))


def products_in_dsps(unit: Mvau, tool: Tool) -> bool:
    """Whether products take DSP slices: as asked for, else as the tool does by itself.

    Vitis HLS gives a slice to each product whose operand has two bits or more, also where the other is
    a sign; Vivado HLS of BNN-PYNQ keeps them in LUTs; FINN's RTL MVAU is made for slices.
    """
    if unit.products != "auto":
        return unit.products == "dsp"
    if tool == "rtl":
        return not unit.is_binary
    counts_levels = unit.is_residual and (unit.levels_in > 1 or not unit.has_integer_means)
    return tool == "vitis_hls" and unit.input_type.bits > 1 and not counts_levels


def _processing_elements(tech: Technology, unit: Mvau, tool: Tool, level_bits: int) -> Estimate:
    """Products and adder tree of all PEs."""
    weight, lane = unit.weight_type.bits, unit.input_type.bits
    if unit.input_type.has_integer_means:
        return _levels(tech, unit, tool, level_bits)
    if products_in_dsps(unit, tool):
        # A slice a product; the slices of a PE add up in a cascade.
        return Amounts(dsp=unit.pe * unit.simd) + datapath(tech, unit.pe * unit.sum_type.bits)
    if unit.is_binary:
        is_old = tool == "vivado_hls"
        luts = ripple_tree_luts(unit.simd, 1) if is_old else popcount_luts(tech, unit.simd)
    elif weight == 1 and lane > SHORT_BITS:
        # Signs go into the adders, which add or subtract; pairs of signs are compared beside them.
        luts = unit.simd + adder_tree_luts(tech, unit.simd, lane + 1)
    else:
        return _products(tech, unit, tool, lane, weight + lane if weight > 1 else lane + 1)
    return datapath(tech, unit.pe * luts)


def _products(tech: Technology, unit: Mvau, tool: Tool, lane: int, product_bits: int) -> Estimate:
    """Products in LUTs of weights and ``lane`` bits, and their sums."""
    products = unit.simd * lut_multiplier_luts(tech, unit.weight_type.bits, lane)
    if tool == "vivado_hls":
        luts = ripple_tree_luts(unit.simd, product_bits)
    else:
        luts = adder_tree_luts(tech, unit.simd, product_bits)
    return control(tech, unit.pe * products) + datapath(tech, unit.pe * luts)


def _levels(tech: Technology, unit: Mvau, tool: Tool, level_bits: int) -> Estimate:
    """Levels worth integers: each PE's matches, or with a border of zeros its sum of -1, 0 and +1, times
    what the level is worth."""
    if level_bits == 1:
        count_bits = unit.simd.bit_length() + 1
        counts = datapath(tech, unit.pe * popcount_luts(tech, unit.simd))
    else:
        count_bits = level_bits + (unit.simd - 1).bit_length()
        counts = _products(tech, unit, tool, level_bits, level_bits)
    if unit.input_type.mean_bits == 1:  # a one
        return counts
    worth = fixed_point_multiplier(tech, count_bits, unit.input_type.mean_bits + 1)
    return counts + worth * unit.pe


def _accumulators(tech: Technology, unit: Mvau, tool: Tool) -> Estimate:
    bits = accumulator_bits(tech, unit, tool)
    if unit.synapse_fold == 1:
        return datapath(tech, 0, unit.pe * bits)
    return datapath(tech, unit.pe * adder_luts(tech, bits), unit.pe * bits)


def _thresholds(tech: Technology, unit: Mvau, tool: Tool) -> Estimate:
    """A comparator for each threshold, and the count of those that fire; behind an RTL one a search."""
    if unit.thresholds == 0:
        return Amounts()
    bits = accumulator_bits(tech, unit, tool)
    if tool == "rtl":
        fold = unit.neuron_fold * unit.groups
        return search_comparators(tech, unit.pe, bits, unit.output_bits, fold)
    if tool == "vitis_hls":
        channels = unit.neuron_fold * unit.groups
        return constant_comparators(
            tech, unit.pe, unit.thresholds, bits, channels, unit.output_bits
        )
    compare = unit.thresholds * comparator_luts(tech, bits)
    count = adder_tree_luts(tech, unit.thresholds, 1)
    return datapath(tech, unit.pe * (compare + count), unit.pe * unit.output_bits)


def _threshold_memory(tech: Technology, unit: Mvau, tool: Tool) -> Estimate:
    """One memory for each PE and threshold, as deep as the neuron fold; behind an RTL MVAU one a bit.

    Those of Vivado HLS are loaded at run time; later ones are constants.
    """
    if unit.thresholds == 0:
        return Amounts()
    depth = unit.neuron_fold * unit.groups
    bits = accumulator_bits(tech, unit, tool)
    if tool == "rtl":
        return search_memories(tech, unit.pe, bits, unit.output_bits, depth)
    if tool == "vitis_hls":
        return constant_memories(tech, unit.pe, unit.thresholds, bits, depth)
    banks = unit.pe * unit.thresholds
    if depth == 1:
        return control(tech, 0, banks * bits)
    return memory(tech, bits, depth, "auto", "simple_dual", "hls") * banks + _loading(tech, unit, banks)


def _weights(tech: Technology, unit: Mvau, tool: Tool) -> tuple[Part, ...]:
    """The memory of weights and what waits behind it; where they are a stream, a vector's word ahead."""
    if unit.weights_stream:
        ahead = unit.in_lanes * unit.input_type.bits if unit.waits_its_turn else 0
        return (Part("word ahead", control(tech, ahead, ahead)),)
    return Part("weight memory", weight_memory(tech, unit, tool)), *weight_queue(tech, unit, tool)


def weight_memory(tech: Technology, unit: Mvau, tool: Tool) -> Estimate:
    """One memory for each PE, or one for the layer.

    A layer's own is padded to bytes on its stream; bits that nothing reads are not built.
    """
    word = unit.memory_bits
    style = unit.weight_memory
    depth = unit.memory_depth_words
    if unit.memory_layout == "per_pe":
        one = memory(tech, word, depth, style, "simple_dual", "rtl" if tool == "rtl" else "hls")
        return one * unit.pe + _loading(tech, unit, unit.pe)
    if depth == 1:
        return Amounts()
    return memory(tech, unit.pe * word, depth, style, "single", "rtl")


def weight_queue(tech: Technology, unit: Mvau, tool: Tool) -> tuple[Part, ...]:
    """What waits behind a layer's own memory: a shift register, two bits a LUT, and a word behind it.

    Between a block memory and it is a register that blocks were meant to hold and do not (FINN's
    ``memstream.sv`` of October 2025 and later, as placed); credits and the fill level are counted.
    """
    memory_words = unit.memory_depth_words
    if not unit.queue_words or unit.memory_layout == "per_pe" or memory_words == 1:
        return ()
    store, word = weight_memory(tech, unit, tool), unit.pe * unit.memory_bits
    words = 2 if store.bram18 or store.m20k or store.uram else 1
    count_bits = 2 * (unit.queue_words.bit_length() + 1)
    registers = control(tech, 2 * count_bits, words * word + count_bits)
    return (Part("weight queue", registers + Amounts(lutram=word / SRLS_A_LUT)),)


def codebook_lookups(tech: Technology, unit: Mvau) -> Estimate:
    """A table of all kernels' taps for each lane: by the kernel's number and the tap, one bit."""
    inputs = unit.number_bits + (unit.taps - 1).bit_length()
    return datapath(tech, unit.pe * unit.simd * max(1, (1 << inputs) // LUT_INPUT_WORDS))


def _loading(tech: Technology, unit: Mvau, banks: int) -> Estimate:
    """Memories of their own for each PE are filled at run time and need a write decoder each."""
    if unit.memory_layout != "per_pe":
        return Amounts()
    return control(tech, BANK_DECODER_LUTS * banks)


def _operand_bits(unit: Mvau, level_bits: int) -> int:
    """Bits of an input element, all of its levels."""
    return unit.levels_in * level_bits if unit.input_type.is_residual else unit.input_type.bits


def _input_buffer(tech: Technology, unit: Mvau, tool: Tool, level_bits: int) -> Estimate:
    """Keeps the input vector for the later neuron folds: registers in HLS, a small memory in RTL."""
    width = unit.in_lanes * _operand_bits(unit, level_bits)
    if unit.neuron_fold == 1:
        return control(tech, 0, width)
    if tool != "rtl":
        return register_file(tech, width, unit.synapse_fold)
    return memory(tech, width, unit.synapse_fold, "lutram", "simple_dual")


def _streams(tech: Technology, unit: Mvau, tool: Tool, level_bits: int) -> Estimate:
    """Registers of the words that come in, go out, and of a layer's memory bring the weights."""
    word = unit.pe * unit.memory_bits
    widths = [unit.simd * _operand_bits(unit, level_bits), unit.pe * unit.output_bits]
    if unit.memory_layout == "per_layer" or unit.weights_stream:
        widths.append(word)
    return stream_registers(tech, tool, *widths)


def _sequencing(tech: Technology, unit: Mvau, tool: Tool) -> Estimate:
    count = 1.0 if tool == "rtl" else tech["hls_mvau_counters"]
    return sequencing(tech, tool, count, unit.fold * unit.vectors, (unit.vectors, unit.fold))
