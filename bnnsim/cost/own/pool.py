"""The own pool: counters of the window and its row, a memory of what the windows have come to."""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import fixed_point_multiplier
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.storage import lut_memory
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.own.computing import DSP_PRODUCT_BITS
from bnnsim.cost.own.structure import Structure, address_bits, control, unregistered_ram
from bnnsim.design.streaming.units import Pool

_IDLE_BITS = 2
_STAGES = 2
_DIVISION_STAGES = 4
"""More of a mean whose taps are no power of two."""
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
    later = _DIVISION_STAGES if _multiplies(unit) else 0
    made = _mean_bits(unit) if unit.is_mean else unit.output_type.bits if unit.adds else in_bits
    program = control(_STAGES + later, freezes, rows)
    program = program + Structure(
        counters=counters, registers=flags + (1 + later) * unit.lanes * made
    )
    # The place goes on, or back to a pixel's first word; which part of the program it is.
    place = address_bits(entries)
    program = program + Structure(adders=2 * place, selects=2 * place + _PARTS_SELECTS)
    if unit.style == "streaming":
        # Yosys keeps a copy of the place at the memory.
        kept = unit.lanes * _mean_sign(unit) if _multiplies(unit) else state  # a DSP block's operand
        program = program + Structure(registers=kept + address_bits(entries))
    else:
        idle = Structure(counters=_IDLE_BITS, registers=3 + address_bits(entries))
        program = program + idle + Structure(selects=address_bits(entries))
    if entries == 1:
        buffer = Structure(registers=state).amounts(tech)
    elif unit.style == "streaming":  # in LUTs however deep: it is read in the same cycle
        buffer = lut_memory(tech, state, entries, "simple_dual")
    else:
        buffer = unregistered_ram(tech, state, entries)
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


def _multiplies(unit: Pool) -> bool:
    """Whether a mean's division is a product, not a shift."""
    return unit.is_mean and unit.taps.bit_count() > 1


def _finer(unit: Pool) -> int:
    """Bits behind the point that a mean has more than what comes in."""
    return max(0, unit.output_type.fraction_bits - unit.type.fraction_bits)


def _dropped(unit: Pool) -> int:
    """Bits behind the point that a mean has fewer than what comes in."""
    return max(0, unit.type.fraction_bits - unit.output_type.fraction_bits)


def _mean_sign(unit: Pool) -> int:
    """Whether ones are added below zero, where the fraction is cut off."""
    return int(unit.type.minimum < 0 and unit.function == "mean")


def _quotient_bits(unit: Pool) -> int:
    """Bits of a mean before any are dropped, with its sign where it has one."""
    signed = unit.type.minimum < 0
    largest = unit.state_bits + _finer(unit) - (1 if signed else 0)
    rounds = unit.function == "rounded_mean"
    return max(1, largest - (unit.taps - 1).bit_length() + 1 + (1 if signed else 0) + rounds)


def _mean_bits(unit: Pool) -> int:
    """Bits of a mean that differ from each other: those above are its sign or zeros."""
    dropped = _dropped(unit)
    found = _quotient_bits(unit) + (1 if dropped else 0) - dropped
    return min(unit.output_type.bits, max(1, found))


def _division(tech: Technology, unit: Pool) -> Part:
    """A product with the taps' reciprocal, or a shift; rounding and saturation."""
    quotient, out = _quotient_bits(unit), _mean_bits(unit)
    found = quotient + (1 if _dropped(unit) else 0) - _dropped(unit)
    saturates = out if found > out else 0
    adders = quotient * (_mean_sign(unit) + (_dropped(unit) > 0))
    product: Estimate = Amounts()
    if _multiplies(unit):
        rounds = unit.function == "rounded_mean"
        operand = unit.state_bits + (1 if unit.type.minimum >= 0 else 0)
        factor = unit.state_bits + _finer(unit) + 1 + (1 if unit.type.minimum >= 0 else 0) + 2 * rounds
        if operand + factor < DSP_PRODUCT_BITS:
            product = Structure(products=unit.lanes * operand * factor).amounts(tech)
        else:
            product = fixed_point_multiplier(tech, operand, factor) * unit.lanes
    elif unit.taps > 1:
        adders += unit.state_bits
    rest = Structure(adders=unit.lanes * adders, selects=unit.lanes * saturates)
    return Part("division", product + rest.amounts(tech))
