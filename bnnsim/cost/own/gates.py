"""Own modules for products of two streams, repeated maps and label selects."""

from __future__ import annotations

import math

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import fixed_point_multiplier
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.own.computing import DSP_PRODUCT_BITS
from bnnsim.cost.own.structure import (
    UNKNOWN,
    Contents,
    Structure,
    address_bits,
    control,
    distinct_columns,
    rom,
    times,
    unregistered_ram,
)
from bnnsim.design.streaming.units import LabelSelect, Lookup, Multiply, Repeat

_LABEL_PAUSE = 3
"""Steps of a label select between pixels."""


def multiply_parts(tech: Technology, unit: Multiply, freezes: bool) -> tuple[Part, ...]:
    """``multiply``: a product a lane, in DSP blocks with all its registers or in logic; of signs a
    negation."""
    if not unit.is_of_numbers:
        program = control(1, freezes, unit.words)
        bits = unit.lanes * unit.output_bits
        negation = Structure(adders=bits, selects=bits, registers=bits)
        if all(kind.is_bipolar for kind in unit.input_types):
            negation = Structure(registers=unit.lanes)  # a sign
        product: Estimate = negation.amounts(tech)
    else:
        program = control(3, freezes, unit.words)
        kinds = zip(unit.input_bits, unit.input_types, strict=True)
        a, b = (bits + (0 if kind.is_signed else 1) for bits, kind in kinds)
        made = min(a + b, unit.output_bits)
        product = fixed_point_multiplier(tech, a, b) * unit.lanes
        if made < DSP_PRODUCT_BITS:
            registers = sum(unit.input_bits) + 2 * made
            product = Structure(
                products=unit.lanes * math.prod(unit.input_bits), registers=unit.lanes * registers
            ).amounts(tech)
    return Part("control", program.amounts(tech)), Part("multipliers", product)


def lookup_parts(tech: Technology, unit: Lookup, contents: Contents = UNKNOWN) -> tuple[Part, ...]:
    """``lookup``: limits, a table a lane, a product in DSP blocks or logic, the sum."""
    bits, shift = unit.output_type.bits, unit.shift_bits
    place = address_bits(unit.segments) + shift
    risen = bits + shift  # of a product what is used; the bits that are cut off have no register
    in_dsps = shift > 0 and risen >= DSP_PRODUCT_BITS
    columns = contents.get("begun")
    begun = columns[0] if columns else distinct_columns(bits, unit.segments)
    # The table's values go straight to the exit where nothing is added to them.
    sums = Structure(registers=2 * begun) if shift == 0 else Structure(adders=bits, registers=2 * bits)
    lane = sums + Structure(
        adders=unit.input_bits if place else 0,
        compares=2 * unit.input_bits if place else 0,
        registers=place + begun,
    )
    if shift and not in_dsps:
        lane = lane + Structure(products=(bits + 1) * shift, registers=shift + bits + 1)
    product: Estimate = Amounts()
    if in_dsps:
        product = fixed_point_multiplier(tech, bits + 1, shift + 1) * unit.pe
    store = rom(tech, 2 * bits + 1 if shift else bits, unit.segments, columns=contents.get("table"))
    return (
        Part("control", control(5, False).amounts(tech)),
        Part("multipliers", product + times(lane, unit.pe).amounts(tech)),
        Part("table", store * unit.pe),
    )


def repeat_parts(tech: Technology, unit: Repeat, bits: int, freezes: bool) -> tuple[Part, ...]:
    """``repeat``: positions, the words that are written again, the exit."""
    width = unit.in_lanes * bits
    rows, columns = unit.row_counts, unit.column_counts
    words = unit.pixel_words_out
    copies = 2 * max(*rows, *columns).bit_length()
    counters = address_bits(words) + address_bits(len(rows)) + address_bits(len(columns)) + copies
    words_in = 1 if unit.times > 1 else words
    keeps = not unit.zeros or unit.times > 1
    kept = 1 if unit.zeros else words_in * (len(columns) if max(rows) > 1 else 1)
    # Where a pixel's words begin goes on by their number, whose lowest bits may be zeros.
    zeros = (words_in & -words_in).bit_length() - 1
    first = max(0, address_bits(kept) - zeros) if max(rows) > 1 else 0
    # Yosys keeps a copy of what the memory's address has of registers as they are.
    copied = 0
    if kept > 1:
        copied = zeros if unit.times == 1 else address_bits(kept) if words == 1 else 0
    # Of an element that is widened one bit is the same in all.
    exit_bits = unit.lanes + unit.zeros if unit.widens_bits else unit.lanes * bits
    exit_bits = width + (unit.widens_bits and unit.zeros) if unit.times > 1 else exit_bits
    lists = Structure(tables=sum(len(set(counts)) > 1 for counts in (rows, columns)) * copies / 2)
    places = lists + Structure(
        counters=counters,
        compares=copies,
        adders=first,
        selects=exit_bits,
        registers=exit_bits + first + copied,
    )
    buffer: Estimate = Amounts()
    if keeps and kept > 1:
        buffer = unregistered_ram(tech, width, kept)
    elif keeps:
        places = places + Structure(registers=width)
    return Part("module", (control(1, freezes) + places).amounts(tech)), Part("buffer", buffer)


def label_select_parts(tech: Technology, unit: LabelSelect, freezes: bool) -> tuple[Part, ...]:
    """``label_select``: a comparison and a choice for each score and place, what is kept, the exit."""
    bits, label_bits = unit.input_bits, unit.output_type.bits
    entry = bits + label_bits
    # Each place keeps what it has, or takes the score or, below the first, what stood above it.
    choices = unit.pe * (2 * unit.top - 1)
    steps = address_bits(unit.fold + unit.top + _LABEL_PAUSE)
    # The position of a word's first score goes on by PE, whose lowest bits may be zeros.
    first = label_bits - ((unit.pe & -unit.pe).bit_length() - 1 if unit.fold > 1 else 0)
    kept = Structure(
        counters=steps,
        adders=first + (unit.pe - 1) * label_bits,
        compares=unit.pe * unit.top * bits,
        selects=choices * entry,
        registers=first + unit.top * entry + 2 * label_bits,
    )
    return (Part("module", (control(2, freezes, unit.pixels) + kept).amounts(tech)),)
