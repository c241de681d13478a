"""Own modules that compute: MVAUs, pools, thresholds, scales."""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import fixed_point_multiplier
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.own.structure import (
    Structure,
    address_bits,
    control,
    matches,
    ram,
    rom,
    table,
    tree_bits,
)
from bnnsim.design.streaming.units import Mvau, Scale, Threshold

MVAU_STAGES = 6
RESIDUAL_SUM_BITS = 24
THRESHOLD_TABLE_WORDS = 32
"""Thresholds of so many folds are looked up in logic."""


def mvau_parts(tech: Technology, unit: Mvau, in_bits: int, freezes: bool) -> tuple[Part, ...]:
    """``mvau``: program, operand, weights, lanes and accumulators, thresholds."""
    if unit.is_residual:
        return _residual_parts(tech, unit, in_bits, freezes)
    sf, nf, depth = unit.synapse_fold, unit.neuron_fold, unit.memory_depth_words
    counters = address_bits(sf) + address_bits(nf) + address_bits(depth)
    first_flags = 2 if sf > 1 else 0
    program = control(MVAU_STAGES, freezes, unit.vectors)
    program = program + Structure(counters=counters, registers=2 + first_flags)
    word = unit.in_lanes * in_bits
    keeps = nf > 1 and sf > 1
    operand = Structure(registers=word, selects=word if keeps else 0).amounts(tech)
    if keeps:
        operand = operand + ram(tech, word, sf, "single")
    weights = _weights(tech, unit)
    lanes = _lanes(unit, in_bits)
    return (
        Part("control", program.amounts(tech)),
        Part("input buffer", operand),
        Part("weight memory", weights),
        Part("processing elements", lanes.amounts(tech)),
        Part("thresholds", _activation(tech, unit)),
    )


def sum_bits(unit: Mvau) -> int:
    """Bits of the accumulator: matches where binary, else the sum."""
    if unit.is_binary:
        return unit.matrix_width.bit_length()
    return _number_bits(unit.sum_type.minimum, unit.sum_type.maximum)


def _number_bits(minimum: int, maximum: int) -> int:
    negative = (-minimum - 1).bit_length() if minimum < 0 else 0
    return 1 + max(1, negative, maximum.bit_length() if maximum > 0 else 0)


def _times(structure: Structure, count: int) -> Structure:
    total = Structure()
    for _ in range(count):
        total = total + structure
    return total


def _weights(tech: Technology, unit: Mvau) -> Estimate:
    row = unit.simd * unit.weight_type.bits
    if unit.memory_layout == "per_pe":
        return rom(tech, row, unit.memory_depth_words) * unit.pe
    return rom(tech, unit.pe * row, unit.memory_depth_words)


def _lanes(unit: Mvau, in_bits: int) -> Structure:
    """The lanes of all PEs, their sums' registers, the accumulators."""
    bits = sum_bits(unit)
    accumulator = Structure(adders=bits, registers=bits)
    if unit.is_binary:
        lanes = matches(unit.simd) + accumulator + Structure(registers=unit.simd.bit_length())
        return _times(lanes, unit.pe)
    weight = unit.weight_type
    if weight.is_bipolar or unit.input_type.is_bipolar:
        number = in_bits + (0 if unit.input_type.is_signed else 1) if weight.is_bipolar else weight.bits
        if unit.simd == 1 and weight.is_bipolar:
            # the operand with a sign of each PE's own: its register is one for all
            sign = Structure(registers=1)
            return _times(accumulator + sign, unit.pe) + Structure(registers=in_bits * unit.group_lanes)
        lane_bits = number + address_bits(unit.simd)
        # Signs make each adder one that subtracts as well: twice the LUTs in Yosys.
        tree = Structure(trees=2 * tree_bits(unit.simd, number), registers=lane_bits + 1)
        return _times(tree + accumulator + Structure(adders=bits), unit.pe)
    operand = in_bits + (0 if unit.input_type.is_signed else 1)
    product = weight.bits + operand
    lanes = Structure(
        products=unit.simd * weight.bits * operand,
        trees=tree_bits(unit.simd, product),
        registers=product + address_bits(unit.simd),
    )
    return _times(lanes + accumulator, unit.pe)


def _activation(tech: Technology, unit: Mvau) -> Estimate:
    """Thresholds, or the sums as they are, and the registers to the exit."""
    out = unit.pe * unit.output_bits
    moves = 2 if unit.synapse_fold >= MVAU_STAGES - 4 else MVAU_STAGES - 3
    exits = Structure(registers=moves * out)
    if not unit.thresholds:
        if unit.is_binary and unit.accumulator != "popcount":
            # Twice the matches less the width: the last bit of every sum is the same.
            exits = exits + Structure(adders=out, registers=-moves * unit.pe)
        return exits.amounts(tech)
    bits = sum_bits(unit)
    return exits.amounts(tech) + _threshold_levels(
        tech, unit.pe, unit.thresholds, bits, unit.neuron_fold * unit.groups
    )


def _threshold_levels(tech: Technology, pe: int, count: int, bits: int, folds: int) -> Estimate:
    """Comparators, the count of those that fire, and the memory of each fold's thresholds."""
    compare = Structure(
        compares=pe * count * bits,
        trees=pe * tree_bits(count, 1),
        counters=address_bits(folds),
    )
    width = pe * count * bits
    if folds > THRESHOLD_TABLE_WORDS:
        return compare.amounts(tech) + rom(tech, width, folds)
    # Yosys registers what is looked up, too.
    return (compare + table(width, folds)).amounts(tech)


def _residual_parts(tech: Technology, unit: Mvau, in_bits: int, freezes: bool) -> tuple[Part, ...]:
    """``residual_mvau``: sums in 24 bits, a product of them with alpha in DSP blocks."""
    wide = RESIDUAL_SUM_BITS
    rows = unit.neuron_fold * unit.groups
    counters = sum(
        address_bits(count)
        for count in (
            unit.neuron_fold, unit.vectors, unit.memory_depth_words, unit.levels_in, unit.levels_out,
            unit.steps_a_neuron_fold + 1, rows,
        )
    )  # fmt: skip
    program = control(MVAU_STAGES, freezes, unit.vectors)
    program = program + Structure(counters=counters, registers=1 + 3 * MVAU_STAGES)
    word = unit.simd * in_bits
    operand = Structure(registers=word, selects=word).amounts(tech)
    if unit.neuron_fold > 1:
        operand = operand + ram(tech, word, unit.synapse_fold * unit.levels_in, "single")
    lanes = matches(unit.simd) + Structure(adders=3 * wide, registers=unit.simd.bit_length() + 5 * wide)
    scaled = fixed_point_multiplier(tech, wide, wide) * unit.pe
    numbers = rom(tech, unit.pe * wide, rows) * 2
    return (
        Part("control", program.amounts(tech)),
        Part("input buffer", operand),
        Part("weight memory", _weights(tech, unit)),
        Part("processing elements", _times(lanes, unit.pe).amounts(tech) + scaled),
        Part("parameter memory", numbers),
    )


def threshold_parts(tech: Technology, unit: Threshold) -> tuple[Part, ...]:
    """``thresholding``: a comparator a threshold; its later stages hold what fired."""
    stages = (2 if unit.deep_pipeline else 1) * unit.output_type.bits + 2
    registers = unit.pe * (unit.input_bits + (stages - 1) * unit.output_type.bits)
    program = control(stages, False) + Structure(registers=registers)
    fired = _threshold_levels(tech, unit.pe, unit.thresholds, unit.input_bits, unit.channels // unit.pe)
    return Part("control", program.amounts(tech)), Part("comparators", fired)


def scale_parts(tech: Technology, unit: Scale) -> tuple[Part, ...]:
    """``scale``: a product a lane in DSP blocks, then sum, rounding and saturation."""
    folds = unit.channels // unit.pe
    multiplier = unit.multiplier_type.bits
    bias = unit.bias_type.bits if unit.bias_type else 0
    program = control(4, False) + Structure(
        counters=address_bits(folds), registers=unit.pe * unit.input_bits
    )
    total = unit.input_bits + multiplier + 3
    lane = Structure(adders=2 * total, selects=unit.output_type.bits)
    lane = lane + Structure(registers=2 * total + (bias or unit.input_bits) + unit.output_type.bits)
    store = rom(tech, unit.pe * multiplier, folds)
    if bias:
        store = store + rom(tech, unit.pe * bias, folds)
    product = fixed_point_multiplier(tech, unit.input_bits, multiplier) * unit.pe
    return (
        Part("control", program.amounts(tech)),
        Part("multipliers", product + _times(lane, unit.pe).amounts(tech)),
        Part("parameter memory", store if folds > 1 else Amounts()),
    )
