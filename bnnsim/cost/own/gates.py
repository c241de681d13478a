"""Own modules for products of two streams, repeated maps and label selects."""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import fixed_point_multiplier
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.own.structure import Structure, address_bits, control, rom, unregistered_ram
from bnnsim.design.streaming.units import LabelSelect, Lookup, Multiply, Repeat

_LABEL_PAUSE = 3
"""Steps of a label select between pixels."""


def multiply_parts(tech: Technology, unit: Multiply, freezes: bool) -> tuple[Part, ...]:
    """``multiply``: a product a lane in DSP blocks, whose registers are theirs; of signs in logic."""
    if unit.is_of_numbers:
        program = control(3, freezes, unit.words)
        product: Estimate = fixed_point_multiplier(tech, *unit.input_bits) * unit.lanes
    else:
        program = control(1, freezes, unit.words)
        bits = unit.lanes * unit.output_bits
        product = Structure(adders=bits, registers=bits).amounts(tech)
    return Part("control", program.amounts(tech)), Part("multipliers", product)


def lookup_parts(tech: Technology, unit: Lookup) -> tuple[Part, ...]:
    """``lookup``: limits, a table a lane, a product in DSP blocks, the sum."""
    bits = unit.output_type.bits
    lane = Structure(
        adders=unit.input_bits + bits,
        compares=2 * unit.input_bits,
        registers=2 * (address_bits(unit.segments) + unit.shift_bits) + bits,
    )
    lanes = lane
    for _ in range(unit.pe - 1):
        lanes = lanes + lane
    product: Estimate = Amounts()
    if unit.shift_bits:
        product = fixed_point_multiplier(tech, bits + 1, unit.shift_bits + 1) * unit.pe
    store = rom(tech, 2 * bits + 1, unit.segments, unit.pe)
    return (
        Part("control", control(5, False).amounts(tech)),
        Part("multipliers", product + lanes.amounts(tech)),
        Part("table", store),
    )


def repeat_parts(tech: Technology, unit: Repeat, bits: int, freezes: bool) -> tuple[Part, ...]:
    """``repeat``: positions, the words that are written again, the exit."""
    width = unit.in_lanes * bits
    out_bits = unit.lanes * (2 if unit.widens_bits else bits)
    counters = address_bits(sum(unit.row_counts)) + address_bits(sum(unit.column_counts))
    counters += address_bits(unit.pixel_words_out)
    places = Structure(counters=counters, compares=counters, selects=out_bits, registers=out_bits)
    buffer: Estimate = Amounts()
    if unit.kept_words > 1:
        buffer = unregistered_ram(tech, width, unit.kept_words)
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
