"""Building blocks in LUTs, flip-flops and DSPs: adders, comparators, popcounts, multipliers, control.

Each function counts the LUTs that its equation needs, as data path (arithmetic on operands, with
registers between its levels) or as control (counters, multiplexers, decoders, shift registers), and
multiplies them with the one fitted ratio of placed to counted LUTs and the family's. Flip-flops are
counted. ``*_luts`` functions give the plain count.
"""

from __future__ import annotations

import math

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.technology import Technology
from bnnsim.spec.engine.circuits import PopcountForm

SLICE_MUX_INPUTS = 16
"""Data inputs that the multiplexers of a slice join without further LUTs (UG474)."""
SWAR_SUMS = 3
"""Word-wide sums of a shift-and-mask popcount before its bytes are added."""
SHORT_BITS = 2
"""Operands up to this width are added without carry chains in what HLS makes."""
STATE_LUTS = 4
"""Next state, ready, valid and enable of a state: one LUT each."""


def datapath(tech: Technology, counted_luts: float, ff: float = 0.0) -> Estimate:
    """``counted_luts`` LUTs of arithmetic and what it keeps in ``ff`` flip-flops.

    The pipeline registers between adder levels come on top, in proportion to the LUTs.
    """
    return Amounts(
        lut_logic=tech.family_factor * tech["logic_factor"] * counted_luts,
        ff=ff + tech["pipeline_ff_per_lut"] * counted_luts,
    )


def control(tech: Technology, counted_luts: float, ff: float = 0.0) -> Estimate:
    """``counted_luts`` LUTs of control and ``ff`` flip-flops."""
    return Amounts(lut_logic=tech.family_factor * tech["logic_factor"] * counted_luts, ff=ff)


def adder_luts(tech: Technology, bits: float) -> float:
    """Add, subtract or add-or-subtract two ``bits``-wide numbers: a LUT and a carry element a bit."""
    return tech["adder_luts_per_bit"] * bits


def adder(tech: Technology, bits: int) -> Estimate:
    """As :func:`adder_luts`, its result registered."""
    return datapath(tech, adder_luts(tech, bits), bits)


def comparator_luts(tech: Technology, bits: float) -> float:
    """Compare two ``bits``-wide variables by magnitude."""
    return tech["comparator_luts_per_bit"] * bits


def comparator(tech: Technology, bits: int) -> Estimate:
    """As :func:`comparator_luts`, its result registered."""
    return datapath(tech, comparator_luts(tech, bits), 1)


def counter(tech: Technology, bits: int) -> Estimate:
    """Count up and compare with a bound."""
    return control(tech, adder_luts(tech, bits) + comparator_luts(tech, bits), bits)


def multiplexer_luts(tech: Technology, inputs: int, bits: int = 1) -> float:
    """``bits`` multiplexers of ``inputs`` data inputs: 4:1 in a LUT, 8:1 in two, 16:1 in four.

    More than a slice's 16 are selected from once more.
    """
    if inputs <= 1:
        return 0.0
    slices = math.ceil(inputs / SLICE_MUX_INPUTS)
    return bits * inputs / tech["mux_inputs_per_lut"] + multiplexer_luts(tech, slices, bits)


def multiplexer(tech: Technology, inputs: int, bits: int = 1) -> Estimate:
    """Select one of ``inputs`` words of ``bits`` bits."""
    return control(tech, multiplexer_luts(tech, inputs, bits))


def adder_tree_luts(tech: Technology, operands: int, bits: int) -> float:
    """A balanced tree that sums ``operands`` numbers of ``bits`` bits; each level is one bit wider."""
    luts, width = 0.0, bits
    while operands > 1:
        pairs, left = divmod(operands, 2)
        luts += pairs * adder_luts(tech, width)
        operands, width = pairs + left, width + 1
    return luts


def popcount_luts(tech: Technology, bits: int, form: PopcountForm = "tree") -> float:
    """XNOR of two ``bits``-wide words and the number of ones in it.

    ``tree``: half adders on pairs (the XNORs sit in the same LUTs), then a tree of ever wider adders,
    about 2 LUTs a bit. ``swar``: the shift-and-mask form of C code, in which three adders run over the
    whole word before its bytes are summed, about 2.75 LUTs a bit.
    """
    if bits <= 1:
        return float(bits)
    if form == "swar":
        return tech["swar_luts_per_bit"] * bits + adder_tree_luts(tech, math.ceil(bits / 8), 4)
    pairs, left = divmod(bits, 2)
    return pairs * tech["xnor_pair_luts"] + adder_tree_luts(tech, pairs + left, 2)


def ripple_tree_luts(operands: int, bits: int) -> float:
    """As :func:`adder_tree_luts`, every sum a bit wider than its operands and that bit a LUT of its own.

    So Vivado HLS (2016 to 2019) hands an unrolled sum to synthesis, and adders of few bits get no carry
    chains (LFC W1A1 places 465 CARRY8 for 144 sums of 32 or 64 products). XNORs share the LUTs of the
    first sums: about 2.8 LUTs for each binary product.
    """
    luts, width = 0.0, bits
    while operands > 1:
        pairs, left = divmod(operands, 2)
        luts += pairs * (width + 1)
        operands, width = pairs + left, width + 1
    return max(luts, 1.0)


def hls_tree_luts(tech: Technology, operands: int, bits: int) -> float:
    """A tree of sums as HLS writes it: short operands without carry chains, longer ones with."""
    if bits <= SHORT_BITS:
        return ripple_tree_luts(operands, bits)
    return adder_tree_luts(tech, operands, bits)


def xnor_popcount(
    tech: Technology, bits: int, pipelined: bool = True, form: PopcountForm = "tree"
) -> Estimate:
    """XNOR and popcount of ``bits`` pairs, registered between levels if ``pipelined``.

    The shift-and-mask form has a register as wide as the word behind each of its three sums.
    """
    if form == "swar" and bits > 1:
        tail = datapath(tech, adder_tree_luts(tech, math.ceil(bits / 8), 4))
        cost = control(tech, tech["swar_luts_per_bit"] * bits, SWAR_SUMS * bits) + tail
    else:
        cost = datapath(tech, popcount_luts(tech, bits, form))
    return cost if pipelined else Amounts(lut_logic=cost.lut_logic)


def lut_multiplier_luts(tech: Technology, a_bits: int, b_bits: int) -> float:
    """A product in LUTs; a one-bit operand is a sign (conditional negation).

    Up to five input bits are a table with two outputs a LUT; above, FINN-R's formula.
    """
    if min(a_bits, b_bits) == 1:
        return max(a_bits, b_bits) / 2 + 0.5
    if a_bits + b_bits <= 5:
        return (a_bits + b_bits) / 2
    rows = 2 * math.ceil((a_bits + b_bits) / tech["finn_multiplier_inputs"]) - 1
    return float(rows * (a_bits + b_bits))


def lut_multiplier(tech: Technology, a_bits: int, b_bits: int) -> Estimate:
    """A product of ``a_bits`` x ``b_bits`` in LUTs."""
    return datapath(tech, lut_multiplier_luts(tech, a_bits, b_bits))


def fixed_point_multiplier(tech: Technology, a_bits: int, b_bits: int) -> Estimate:
    """A product in DSP blocks: as many as tile the two operands."""
    wide, narrow = max(a_bits, b_bits), min(a_bits, b_bits)
    columns = math.ceil(wide / tech.dsp_width_bits)
    return Amounts(dsp=columns * math.ceil(narrow / tech["dsp_narrow_width_bits"]))


def loop_bound(tech: Technology, trips: int) -> Estimate:
    """A loop bound of run-time repetitions x ``trips``: shifts and one adder, or a product in DSPs.

    Vivado HLS makes a DSP product of a constant with three or more set bits.
    """
    bits = int(tech["hls_repetition_bits"])
    if trips.bit_count() <= 1:
        return Amounts()
    if trips.bit_count() == 2:
        return control(tech, adder_luts(tech, bits), bits)
    return fixed_point_multiplier(tech, bits, min(trips.bit_length(), 18))


def state_machine(tech: Technology, states: int) -> Estimate:
    """One-hot control with ``states`` states: next-state logic and handshake of each."""
    return control(tech, STATE_LUTS * states, states)
