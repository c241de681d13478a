"""What a matrix-vector-activation unit takes: PEs, thresholds, weights, input buffer, control."""

from __future__ import annotations

import math

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import (
    adder_luts,
    adder_tree_luts,
    comparator_luts,
    control,
    counter,
    datapath,
    loop_bound,
    lut_multiplier_luts,
    popcount_luts,
    state_machine,
)
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.storage import memory, register_file
from bnnsim.cost.blocks.technology import Technology
from bnnsim.design.streaming.units import Mvau
from bnnsim.spec.streaming.hardware import UnitLibrary

WORD_PADDING_BITS = 8
"""A memory per layer is padded to whole bytes (FINN's memstream)."""
BANK_DECODER_LUTS = 2
"""Write enable of one of many parameter banks: target layer and target PE, 12 bits in two LUTs."""


def mvau_parts(tech: Technology, unit: Mvau, library: UnitLibrary) -> tuple[Part, ...]:
    """The parts of an MVAU of the ``hls`` or ``rtl`` library."""
    return (
        Part("processing elements", _processing_elements(tech, unit, library)),
        Part("accumulators", _accumulators(tech, unit, library)),
        Part("thresholds", _thresholds(tech, unit, library)),
        Part("threshold memory", _threshold_memory(tech, unit, library)),
        Part("weight memory", weight_memory(tech, unit, library)),
        Part("input buffer", _input_buffer(tech, unit, library)),
        Part("control", _sequencing(tech, unit, library)),
    )


def accumulator_bits(tech: Technology, unit: Mvau, library: UnitLibrary) -> int:
    """Width of a PE's accumulator and thresholds: the library's declared type, or what the sum needs."""
    needed = unit.sum_type.bits
    if library != "hls":
        return needed
    fixed = unit.input_type.kind == "fixed"
    return max(needed, int(tech["hls_fixed_threshold_bits" if fixed else "hls_threshold_bits"]))


def _processing_elements(tech: Technology, unit: Mvau, library: UnitLibrary) -> Estimate:
    """Products and adder tree of all PEs."""
    weight, lane = unit.weight_type.bits, unit.input_type.bits
    if unit.is_binary:
        luts = popcount_luts(tech, unit.simd)
    else:
        if library == "rtl":
            # FINN's RTL MVAU packs its products and their sums into DSPs.
            packed = math.ceil(unit.pe / tech["finn_rtl_macs_per_dsp"]) * unit.simd
            return Amounts(dsp=packed) + datapath(tech, unit.pe * unit.sum_type.bits)
        product_bits = weight + lane if weight > 1 else lane + 1
        products = unit.simd * lut_multiplier_luts(tech, weight, lane)
        luts = products + adder_tree_luts(tech, unit.simd, product_bits)
    return datapath(tech, unit.pe * luts)


def _accumulators(tech: Technology, unit: Mvau, library: UnitLibrary) -> Estimate:
    bits = accumulator_bits(tech, unit, library)
    if unit.synapse_fold == 1:
        return datapath(tech, 0, unit.pe * bits)
    return datapath(tech, unit.pe * adder_luts(tech, bits), unit.pe * bits)


def _thresholds(tech: Technology, unit: Mvau, library: UnitLibrary) -> Estimate:
    """A comparator for each threshold, and the count of those that fire."""
    if unit.thresholds == 0:
        return Amounts()
    bits = accumulator_bits(tech, unit, library)
    compare = unit.thresholds * comparator_luts(tech, bits)
    count = adder_tree_luts(tech, unit.thresholds, 1)
    return datapath(tech, unit.pe * (compare + count), unit.pe * unit.output_bits)


def _threshold_memory(tech: Technology, unit: Mvau, library: UnitLibrary) -> Estimate:
    """One memory for each PE and threshold, as deep as the neuron fold."""
    if unit.thresholds == 0:
        return Amounts()
    depth = unit.neuron_fold * unit.groups
    banks = unit.pe * unit.thresholds
    bits = accumulator_bits(tech, unit, library)
    if depth == 1:
        return control(tech, 0, banks * bits)
    one = memory(tech, bits, depth, "auto", "simple_dual", library, "parameters")
    return one * banks + _loading(tech, unit, banks)


def weight_memory(tech: Technology, unit: Mvau, library: UnitLibrary) -> Estimate:
    """One memory for each PE, or one for the layer padded to bytes."""
    word = unit.simd * unit.weight_type.bits
    style = unit.weight_memory
    if unit.memory_layout == "per_pe":
        one = memory(tech, word, unit.memory_depth_words, style, "simple_dual", library, "parameters")
        return one * unit.pe + _loading(tech, unit, unit.pe)
    width = math.ceil(unit.pe * word / WORD_PADDING_BITS) * WORD_PADDING_BITS
    return memory(tech, width, unit.memory_depth_words, style, "single", "rtl", "parameters")


def _loading(tech: Technology, unit: Mvau, banks: int) -> Estimate:
    """Memories of their own for each PE are filled at run time and need a write decoder each."""
    if unit.memory_layout != "per_pe":
        return Amounts()
    return control(tech, BANK_DECODER_LUTS * banks)


def _input_buffer(tech: Technology, unit: Mvau, library: UnitLibrary) -> Estimate:
    """Keeps the input vector for the later neuron folds: registers in HLS, a small memory in RTL."""
    width = unit.in_lanes * unit.input_type.bits
    if unit.neuron_fold == 1:
        return control(tech, 0, width)
    if library == "hls":
        return register_file(tech, width, unit.synapse_fold)
    return memory(tech, width, unit.synapse_fold, "lutram", "simple_dual")


def _sequencing(tech: Technology, unit: Mvau, library: UnitLibrary) -> Estimate:
    if library == "hls":
        bits, count = int(tech["hls_counter_bits"]), tech["hls_mvau_counters"]
        bound = loop_bound(tech, unit.vectors * unit.fold)
    else:
        bits, count = max(1, (unit.fold * unit.vectors - 1).bit_length()), 1.0
        bound = Amounts()
    return counter(tech, bits) * count + bound + state_machine(tech, 1)
