"""Own MVAUs of residual activations: ReBNet's fixed-point sums, or levels worth integers."""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import fixed_point_multiplier
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.own.computing import (
    DSP_PRODUCT_BITS,
    MVAU_STAGES,
    mvau_weights,
    number_input_bits,
    sum_bits,
)
from bnnsim.cost.own.structure import (
    UNKNOWN,
    Contents,
    Structure,
    address_bits,
    control,
    distinct_columns,
    matches,
    rom,
    signed_sums,
    table,
    times,
    tree_bits,
    unregistered_ram,
)
from bnnsim.design.streaming.units import Mvau

RESIDUAL_SUM_BITS = 24
_ALPHA_DSPS, _PRODUCT_REGISTERS = 3, 8
"""Of a sum times alpha, 32 bits each: Yosys' DSP blocks, and registers of the product outside of them."""


def residual_parts(
    tech: Technology, unit: Mvau, in_bits: int, freezes: bool, contents: Contents = UNKNOWN
) -> tuple[Part, ...]:
    """``residual_mvau``: sums in 24 bits, a product of them with alpha in DSP blocks; or exact sums, and
    thresholds."""
    wide, is_exact = RESIDUAL_SUM_BITS, unit.has_integer_means
    rows = unit.neuron_fold * unit.groups
    activates, is_late = unit.output_type.is_residual, not freezes and unit.levels_out > 1
    latency = MVAU_STAGES if is_late else MVAU_STAGES + 1 - unit.levels_out
    counts = (
        unit.neuron_fold, unit.memory_depth_words, unit.levels_in, unit.levels_in, unit.levels_out,
        unit.steps_a_neuron_fold + 1,
        *((rows, rows) if activates or unit.thresholds else ()),
        *((unit.vectors, unit.levels_out) if is_late else ()),
    )  # fmt: skip
    # Whether each stage before the sum's holds a word, or a fold's first, or last: of rows with numbers.
    has_numbers = rows > 1 and (activates or unit.thresholds > 0)
    flags = (3 if has_numbers else 2) * (2 if latency >= 4 else 1) + (unit.neuron_fold > 1) + is_late
    program = control(MVAU_STAGES, freezes, unit.vectors)
    program = program + Structure(
        counters=sum(address_bits(count) for count in counts), registers=flags
    )
    word = unit.simd * in_bits
    operand = Structure(registers=word, selects=word).amounts(tech)
    if unit.neuron_fold > 1:
        operand = operand + unregistered_ram(tech, word, unit.synapse_fold * unit.levels_in)
    if is_exact:
        return (
            Part("control", program.amounts(tech)),
            Part("input buffer", operand),
            Part("weight memory", mvau_weights(tech, unit, contents)),
            Part("processing elements", _level_lanes(tech, unit, in_bits, latency, contents)),
            Part("thresholds", _level_thresholds(tech, unit, rows, contents)),
        )
    lanes = _residual_lanes(unit, latency, contents)
    scaled: Estimate = Amounts()
    if activates:
        alpha = fixed_point_multiplier(tech, wide, wide) if tech.is_intel else Amounts(dsp=_ALPHA_DSPS)
        scaled = alpha * unit.pe
    if unit.input_type.is_residual and unit.simd > 1:
        scaled = scaled + fixed_point_multiplier(tech, unit.simd.bit_length(), wide) * unit.pe
    numbers: Estimate = Amounts()
    for name in ("alpha", "bias"):
        numbers = numbers + rom(tech, unit.pe * wide, rows, columns=contents.get(name))
    return (
        Part("control", program.amounts(tech)),
        Part("input buffer", operand),
        Part("weight memory", mvau_weights(tech, unit, contents)),
        Part("processing elements", lanes.amounts(tech) + scaled),
        Part("parameter memory", numbers),
    )


def _residual_lanes(unit: Mvau, latency: int, contents: Contents) -> Structure:
    """``residual_pe`` of all PEs: the sum; times alpha, plus bias; what is left after each level."""
    wide = RESIDUAL_SUM_BITS
    lane = matches(unit.simd) + Structure(adders=wide, selects=wide, registers=wide)
    if not unit.input_type.is_residual:  # each number or its negative, with a tree
        plain = unit.input_type
        bits = 2 if plain.is_bipolar else plain.bits + (1 if plain.is_signed else 2)
        held = bits + address_bits(unit.simd) if latency >= 4 else 0
        lane = Structure(
            adders=wide + unit.simd * bits,
            selects=wide,
            trees=tree_bits(unit.simd, bits),
            registers=wide + held,
        )
    if not unit.output_type.is_residual:
        held = wide * ((latency >= 5) + (latency >= 6)) + min(wide, unit.output_bits)
        return times(lane + Structure(registers=held), unit.pe)
    moved = wide if latency >= 6 else 0
    lane = lane + Structure(adders=3 * wide, selects=wide, registers=wide + 1 + moved)
    if latency < 5:
        return times(lane, unit.pe)
    # Behind the product: the bias, and bits of the product that DSP blocks do not hold.
    bias = contents.get("bias")
    held = wide * unit.pe if bias is None else bias[0]
    lane = lane + Structure(registers=_PRODUCT_REGISTERS)
    return times(lane, unit.pe) + Structure(registers=held)


def _level_lanes(
    tech: Technology, unit: Mvau, in_bits: int, latency: int, contents: Contents
) -> Estimate:
    """``level_pe`` of all PEs: counts, what each counts, the sum; registers of what leaves."""
    bits, given, weight = sum_bits(unit), unit.input_type, unit.weight_type
    held = latency >= 4  # the count, with its sign and mean
    sums = Structure(adders=bits, selects=bits, registers=bits)
    product: Estimate = Amounts()
    if weight.is_bipolar and in_bits == 1:
        counted, signs = unit.simd.bit_length() + 1, 0
        # Twice the matches less the lanes: the last bit is always the same; of one lane also the sign.
        registers = counted - 1
        lane = matches(unit.simd) + Structure(adders=counted if unit.simd > 1 else 0)
    elif weight.is_bipolar or given.is_bipolar:
        number = weight if given.is_bipolar else given
        signed = number.is_signed or number.is_residual
        number_bits = weight.bits if given.is_bipolar else in_bits
        counted, signs = number_bits + (0 if signed else 1) + address_bits(unit.simd), 1
        # Of one lane without a sign the last bit is zero.
        registers = counted - (0 if signed or unit.simd > 1 else 1)
        lane = signed_sums(unit.simd, counted - address_bits(unit.simd), 1)
        sums = sums + Structure(adders=bits + counted)
    else:
        operand, factor = number_input_bits(unit, in_bits), weight.bits + (not weight.is_signed)
        counted, signs = operand + factor + address_bits(unit.simd), 0
        registers = counted
        lane, product = _level_products(tech, unit, operand, factor)
    if given.is_residual and given.mean_bits > 1:
        long = min(counted + given.mean_bits + 1, bits)
        means = contents.get("means")
        columns = means[0] if means else distinct_columns(given.mean_bits, unit.levels_in)
        if long >= DSP_PRODUCT_BITS and counted > 1:
            product = fixed_point_multiplier(tech, counted, given.mean_bits + 1) * unit.pe
            registers = 0
            if not signs:  # the sum is the block's, too
                sums = Structure()
        else:
            lane = lane + Structure(products=counted * given.mean_bits)
            product = table(columns, unit.levels_in, columns).amounts(tech)
    made = unit.levels_out if unit.levels_out > 1 else unit.output_bits
    stages = (latency >= 5) + (latency >= 6)
    lane = lane + sums + Structure(
        registers=(registers + signs) * held + made * (1 + stages),
        selects=made if unit.levels_out > 1 else 0,
    )
    return times(lane, unit.pe).amounts(tech) + product


def _level_products(
    tech: Technology, unit: Mvau, operand: int, factor: int
) -> tuple[Structure, Estimate]:
    """Products of numbers of a PE, in logic or in all PEs' DSP blocks, and their sum."""
    term = operand + factor
    trees = Structure(trees=tree_bits(unit.simd, term))
    if term < DSP_PRODUCT_BITS:
        return trees + Structure(products=unit.simd * operand * factor), Amounts()
    return trees, fixed_point_multiplier(tech, operand, factor) * (unit.pe * unit.simd)


def _level_thresholds(tech: Technology, unit: Mvau, rows: int, contents: Contents) -> Estimate:
    """Comparators, the count of those that fire, and the memory of each row's thresholds."""
    if not unit.thresholds:
        return Amounts()
    bits = sum_bits(unit)
    compare = Structure(
        compares=unit.pe * unit.thresholds * bits, trees=unit.pe * tree_bits(unit.thresholds, 1)
    )
    columns = contents.get("thresholds")
    return compare.amounts(tech) + rom(tech, unit.pe * unit.thresholds * bits, rows, columns=columns)
