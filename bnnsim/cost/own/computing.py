"""Own modules that compute: MVAUs, pools, thresholds, scales."""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import fixed_point_multiplier
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.own.structure import (
    LUT_WORDS,
    UNKNOWN,
    Contents,
    Structure,
    address_bits,
    control,
    distinct_columns,
    fixed_sums,
    matches,
    ram,
    rom,
    signed_sums,
    table,
    times,
    tree_bits,
)
from bnnsim.design.streaming.units import Mvau, Scale, Threshold

MVAU_STAGES = 6
DSP_PRODUCT_BITS = 9
"""Yosys multiplies in DSP blocks from products of so many bits on."""
_DSP_SUM_LANES = 3
"""Sums of so few products end in a DSP block's own adder, with its register."""
THRESHOLD_TABLE_WORDS = 32
"""Thresholds of so many folds are looked up in logic."""


def mvau_parts(
    tech: Technology, unit: Mvau, in_bits: int, freezes: bool, contents: Contents = UNKNOWN
) -> tuple[Part, ...]:
    """``mvau``: program, operand, weights, lanes and accumulators, thresholds."""
    sf, nf, depth = unit.synapse_fold, unit.neuron_fold, unit.memory_depth_words
    counters = address_bits(sf) + address_bits(nf)
    counters += 0 if unit.weights_stream else address_bits(depth)
    first_flags = 2 if sf > 1 else 0
    program = control(MVAU_STAGES, freezes, unit.vectors)
    # Where every step writes, what says so of a stage also says that it holds a step.
    step_flags = 2 if sf > 1 else 0
    program = program + Structure(counters=counters, registers=step_flags + first_flags)
    word = unit.in_lanes * in_bits
    keeps = nf > 1 and sf > 1
    # A block memory's own register is the operand's; beside streamed weights the DSP blocks'.
    taken = sf > LUT_WORDS if keeps else unit.weights_stream and _in_dsps(unit, in_bits)
    held = 0 if taken else word
    operand = Structure(registers=held, selects=word if keeps else 0).amounts(tech)
    if keeps:
        operand = operand + ram(tech, word, sf, "single")
    if unit.weights_stream:
        weights = _streamed_word(tech, unit, in_bits)
    else:
        weights = mvau_weights(tech, unit, contents)
    lanes: Estimate = _lanes(unit, in_bits, contents).amounts(tech)
    if _in_dsps(unit, in_bits):
        product = fixed_point_multiplier(tech, in_bits, unit.weight_type.bits)
        lanes = lanes + product * (unit.pe * unit.simd)
    return (
        Part("control", program.amounts(tech)),
        Part("input buffer", operand),
        *((Part("word ahead", _ahead(unit, word).amounts(tech)),) if unit.waits_its_turn else ()),
        Part("weight memory", weights),
        *((Part("codebook", _kernel_taps(unit).amounts(tech)),) if unit.codebook else ()),
        Part("processing elements", lanes),
        Part("thresholds", _activation(tech, unit, contents)),
    )


def sum_bits(unit: Mvau) -> int:
    """Bits of the accumulator: matches where binary, else the sum."""
    if unit.is_binary and not unit.is_residual:
        return unit.matrix_width.bit_length()
    return _number_bits(unit.sum_type.minimum, unit.sum_type.maximum)


def _sum_output_bits(unit: Mvau) -> int:
    """Bits of a sum as it goes out: matches, or a number with its sign."""
    if unit.is_binary and unit.accumulator != "popcount":
        return _number_bits(-unit.matrix_width, unit.matrix_width)
    return sum_bits(unit)


def _number_bits(minimum: int, maximum: int) -> int:
    negative = (-minimum - 1).bit_length() if minimum < 0 else 0
    return 1 + max(1, negative, maximum.bit_length() if maximum > 0 else 0)


def _ahead(unit: Mvau, word_bits: int) -> Structure:
    """``queue``: a word that is taken while weights alone are read, or passed by; whose turn it is."""
    turns = address_bits(unit.synapse_fold) + address_bits(unit.neuron_fold)
    return Structure(units=1, counters=turns, selects=word_bits + 2, registers=word_bits + 2)


def _streamed_word(tech: Technology, unit: Mvau, in_bits: int) -> Estimate:
    """The register of a word of weights that come as a stream, or the DSP blocks' own."""
    held = 0 if _in_dsps(unit, in_bits) else unit.pe * unit.memory_bits
    return Structure(registers=held).amounts(tech)


def mvau_weights(tech: Technology, unit: Mvau, contents: Contents) -> Estimate:
    row, columns = unit.memory_bits, contents.get("weights")
    if unit.memory_layout == "per_pe":
        return rom(tech, row, unit.memory_depth_words, unit.pe, columns)
    return rom(tech, unit.pe * row, unit.memory_depth_words, columns=columns)


def _kernel_taps(unit: Mvau) -> Structure:
    """``kernel_taps``: for each lane a bit by its kernel's number and the tap; the tap's counters."""
    tap = address_bits(unit.taps)
    tables = max(1.0, (1 << unit.number_bits + tap) / LUT_WORDS)
    counters = tap + address_bits(unit.channel_block // unit.simd)
    return Structure(tables=unit.pe * unit.simd * tables, counters=counters, registers=tap)


def _lanes(unit: Mvau, in_bits: int, contents: Contents) -> Structure:
    """The lanes of all PEs, their sums' registers, the accumulators."""
    bits, depth = sum_bits(unit), _weight_words(unit)
    is_summed = unit.synapse_fold > 1  # else the lanes' sum is all of it
    alike, groups = unit.pe // unit.group_lanes, unit.group_lanes  # PEs that read the same lanes
    accumulator = Structure(adders=bits if is_summed else 0, registers=bits)
    if unit.is_binary:
        lanes = times(matches(unit.simd, alike, depth), groups)
        count = Structure(registers=unit.simd.bit_length())
        return lanes + times(accumulator + count, unit.pe)
    weight = unit.weight_type
    if weight.is_bipolar or unit.input_type.is_bipolar:
        number = number_input_bits(unit, in_bits) if weight.is_bipolar else weight.bits
        lane_bits = number + address_bits(unit.simd)
        signs = Structure(registers=_sign_registers(unit, contents))
        if weight.is_bipolar and depth == 1:  # half of the sums are inverted, for good
            sums = times(fixed_sums(unit.simd, number, alike), groups)
            return sums + times(accumulator + Structure(adders=bits / 2), unit.pe) + signs
        # What masks a sum that begins anew, and what inverts a number that is subtracted, are LUTs of
        # their own in Yosys.
        accumulator = accumulator + Structure(adders=bits + lane_bits)
        if unit.simd == 1 and weight.is_bipolar:
            # the operand with a sign of each PE's own: its register is one for all
            return times(accumulator, unit.pe) + signs + Structure(registers=in_bits * groups)
        # Where no memory says which numbers are subtracted, Yosys inverts them in LUTs of their own.
        found = signed_sums(unit.simd, number, unit.pe * (2 if unit.weights_stream else 1)) + signs
        held = Structure(adders=lane_bits, registers=lane_bits)
        return found + times(held + accumulator, unit.pe)
    operand = number_input_bits(unit, in_bits)
    product, in_dsps = weight.bits + operand, _in_dsps(unit, in_bits)
    kept = 0 if in_dsps and unit.simd <= _DSP_SUM_LANES else product + address_bits(unit.simd)
    if in_dsps and unit.simd == 1:  # the accumulator is the block's, too
        accumulator = accumulator + Structure(adders=-accumulator.adders, registers=-bits)
    lanes = Structure(
        products=0 if in_dsps else unit.simd * weight.bits * operand,
        trees=tree_bits(unit.simd, product),
        registers=kept,
    )
    return times(lanes + accumulator, unit.pe)


def _weight_words(unit: Mvau) -> int:
    """Words of weights by which synthesis could tell PEs alike: of a stream it sees none."""
    return LUT_WORDS + 1 if unit.weights_stream else unit.fold * unit.groups


def number_input_bits(unit: Mvau, in_bits: int) -> int:
    """Bits of an input with its sign."""
    return in_bits + (0 if unit.input_type.is_signed else 1)


def _in_dsps(unit: Mvau, in_bits: int) -> bool:
    """Whether each lane's product, of two numbers, is one of a DSP block's."""
    if unit.weight_type.is_bipolar or unit.input_type.is_bipolar:
        return False
    return unit.weight_type.bits + number_input_bits(unit, in_bits) >= DSP_PRODUCT_BITS


def _sign_registers(unit: Mvau, contents: Contents) -> float:
    """Registers of the signs of the PEs' sums: those of weights are a column of their memory each, of
    which synthesis keeps one of equal ones and none that is constant."""
    depth = _weight_words(unit)
    if not unit.weight_type.is_bipolar or depth > LUT_WORDS:
        return unit.pe
    if "signs" in contents:
        return contents["signs"][0]
    return distinct_columns(unit.pe, depth)


def _activation(tech: Technology, unit: Mvau, contents: Contents) -> Estimate:
    """Thresholds, or the sums as they are, and the registers to the exit."""
    moves = 2 if unit.synapse_fold >= MVAU_STAGES - 4 else MVAU_STAGES - 3
    out = unit.output_bits
    if not unit.thresholds:
        # Bits above the sum's are zeros or its sign: synthesis keeps none of them.
        out = min(out, _sum_output_bits(unit))
        exits = Structure(registers=moves * unit.pe * out)
        if unit.is_binary and unit.accumulator != "popcount":
            # Twice the matches less the width: the last bit of every sum is the same.
            exits = exits + Structure(adders=unit.pe * out, registers=-moves * unit.pe)
        return exits.amounts(tech)
    exits = Structure(registers=moves * unit.pe * out)
    bits = sum_bits(unit)
    return exits.amounts(tech) + _threshold_levels(
        tech, unit.pe, unit.thresholds, bits, unit.neuron_fold * unit.groups, contents
    )


def _threshold_levels(
    tech: Technology, pe: int, count: int, bits: int, folds: int, contents: Contents
) -> Estimate:
    """Comparators, the count of those that fire, and the memory of each fold's thresholds."""
    compare = Structure(
        compares=pe * count * bits,
        trees=pe * tree_bits(count, 1),
        counters=address_bits(folds),
    )
    width, columns = pe * count * bits, contents.get("thresholds")
    if folds > THRESHOLD_TABLE_WORDS:
        return compare.amounts(tech) + rom(tech, width, folds, columns=columns)
    # Yosys registers what is looked up, too.
    return (compare + table(width, folds, None if columns is None else columns[0])).amounts(tech)


def threshold_parts(tech: Technology, unit: Threshold, contents: Contents = UNKNOWN) -> tuple[Part, ...]:
    """``thresholding``: a comparator a threshold; its later stages hold what fired."""
    stages = (2 if unit.deep_pipeline else 1) * unit.output_type.bits + 2
    registers = unit.pe * (unit.input_bits + (stages - 1) * unit.output_type.bits)
    program = control(stages, False) + Structure(registers=registers)
    folds = unit.channels // unit.pe
    fired = _threshold_levels(tech, unit.pe, unit.thresholds, unit.input_bits, folds, contents)
    return Part("control", program.amounts(tech)), Part("comparators", fired)


def scale_parts(tech: Technology, unit: Scale, contents: Contents = UNKNOWN) -> tuple[Part, ...]:
    """``scale``: a product a lane in DSP blocks, then sum, rounding and saturation."""
    folds = unit.channels // unit.pe
    multiplier, signed = unit.multiplier_type.bits, unit.multiplier_type.is_signed
    bias = unit.bias_type.bits if unit.bias_type else 0
    operand = unit.input_bits + (0 if unit.input_type.is_signed else 1)
    product_bits = operand + multiplier + (0 if signed else 1)
    places = unit.input_type.fraction_bits, unit.multiplier_type.fraction_bits
    shifts, right = True, unit.shift_bits
    if right is None:
        shifts, right = False, max(0, sum(places) - unit.output_type.fraction_bits)
    left = 0 if shifts else places[0] if bias else places[1]
    wider = max(product_bits, (bias or operand) + 1 + left, right + 1)
    # What is shifted out behind the sum is not summed; a PReLU that rounds nothing chooses only.
    rounds = bool(bias or right)
    sums = wider + 2 - (0 if shifts else right) if rounds else wider
    out = unit.output_type.bits
    lane = Structure(
        adders=sums if rounds else 0, selects=out + (0 if bias else sums), registers=sums + out
    )
    product = fixed_point_multiplier(tech, unit.input_bits, multiplier) * unit.pe
    # The product's register is the DSP block's; where it is all that reads them, the operand's too, and
    # a sum's that needs no rounding.
    held = 0 if bias else unit.input_bits + operand
    if product_bits < DSP_PRODUCT_BITS:
        product = Structure(products=unit.pe * operand * multiplier).amounts(tech)
        held += product_bits + (unit.input_bits if bias else 0)
    elif bias and not right:
        lane = lane + Structure(adders=-sums, registers=-sums)
    program = control(4, False) + Structure(counters=address_bits(folds), registers=unit.pe * held)
    store: Estimate = Amounts()
    if folds > 1:
        store = rom(tech, unit.pe * multiplier, folds, columns=contents.get("multiplier"))
        if bias:
            columns = contents.get("bias")
            store = store + rom(tech, unit.pe * bias, folds, columns=columns)
            kept = unit.pe * bias if columns is None or folds > LUT_WORDS else columns[0]
            program = program + Structure(registers=kept)
    return (
        Part("control", program.amounts(tech)),
        Part("multipliers", product + times(lane, unit.pe).amounts(tech)),
        Part("parameter memory", store),
    )
