"""The own pool: counters of the window and its row, a memory of what the windows have come to."""

from __future__ import annotations

from bnnsim.cost.blocks.logic import fixed_point_multiplier
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.own.structure import Structure, address_bits, control, ram
from bnnsim.design.streaming.units import Pool

_IDLE_BITS = 2
_STAGES = 2
_PARTS_SELECTS = 8
"""Choices between the parts of a row, a window and a frame."""


def pool_parts(tech: Technology, unit: Pool, in_bits: int, freezes: bool) -> tuple[Part, ...]:
    """``pool``: as the module's structure is; a mean's division is one by a constant."""
    entries = unit.columns * unit.pixel_words
    count_bits = in_bits if unit.function == "max" else unit.state_bits
    state = unit.lanes * count_bits
    turns = (unit.pixel_words, unit.kernel[1], unit.columns, unit.kernel[0])
    counters = sum(address_bits(count) for count in turns) + address_bits(entries)
    if unit.channel_fold > 1:
        counters += address_bits(unit.levels)
    flags = sum(count > 1 for count in (*unit.kernel, unit.levels))
    freezes = freezes and unit.style != "streaming"  # what flows on flushes
    rows, dropped = divmod(unit.height, unit.kernel[0])
    rest = unit.width % unit.kernel[1] * unit.pixel_words
    if rest:  # words behind a row's windows
        counters, flags = counters + address_bits(rest), flags + 1
    if dropped:  # rows behind a frame's; then the rows of windows are counted in any case
        counters, flags = counters + address_bits(dropped), flags + 1
        counters += 0 if freezes else address_bits(rows)
    program = control(_STAGES, freezes, rows)
    program = program + Structure(counters=counters, registers=flags + unit.lanes * in_bits)
    # The place goes on, or back to a pixel's first word; which part of the program it is.
    place = address_bits(entries)
    program = program + Structure(adders=2 * place, selects=2 * place + _PARTS_SELECTS)
    if unit.adds:
        # What comes in goes into the sum at once, and leaves as wide.
        program = program + Structure(registers=unit.lanes * (unit.output_type.bits - in_bits))
    if unit.style == "streaming":
        # Yosys keeps a copy of the place at the memory.
        program = program + Structure(registers=state + address_bits(entries))
    else:
        idle = Structure(counters=_IDLE_BITS, registers=3 + address_bits(entries))
        program = program + idle + Structure(selects=address_bits(entries))
    if entries == 1:
        buffer = Structure(registers=state).amounts(tech)
    else:
        buffer = ram(tech, state, entries, "single")
    parts = (
        Part("control", program.amounts(tech)),
        Part("pooling", _work(unit, count_bits).amounts(tech)),
        Part("row buffer", buffer),
    )
    return (*parts, _division(tech, unit)) if unit.is_mean else parts


def _work(unit: Pool, count_bits: int) -> Structure:
    """What a word makes of what its window has come to."""
    state = unit.lanes * count_bits
    if unit.adds:
        return Structure(adders=state, selects=state)
    if unit.function == "majority":
        return Structure(adders=state, compares=state)
    work = Structure(selects=state)
    if count_bits > 1:
        work = Structure(compares=state, selects=state)
    if unit.levels > 1:
        work = work + Structure(selects=2 * unit.lanes, registers=2 * unit.lanes)
    return work


def _division(tech: Technology, unit: Pool) -> Part:
    out = unit.output_type.bits
    rounds = Structure(adders=unit.lanes * unit.state_bits, selects=unit.lanes * out).amounts(tech)
    if unit.taps & (unit.taps - 1) == 0:
        return Part("division", rounds)
    later = Structure(registers=4 * unit.lanes * out).amounts(tech)
    product = fixed_point_multiplier(tech, unit.state_bits, unit.state_bits + 1) * unit.lanes
    return Part("division", product + rounds + later)
