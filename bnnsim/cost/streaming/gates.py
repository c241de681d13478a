"""What products of two streams, repeated maps and label selects take."""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import (
    adder_luts,
    comparator_luts,
    control,
    datapath,
    fixed_point_multiplier,
)
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.storage import memory
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.streaming.control import Tool, sequencing, stream_registers
from bnnsim.design.streaming.units import LabelSelect, Lookup, Multiply, Repeat
from bnnsim.spec.streaming.hardware import UnitLibrary

_REPEAT_COUNTERS = 3.0
"""Rows, pixels and their copies, as a border's."""


def multiply_parts(tech: Technology, unit: Multiply, tool: Tool) -> tuple[Part, ...]:
    """A multiplier a lane in DSP slices; a sign only negates, or is an XNOR."""
    product: Estimate
    if unit.is_of_numbers:
        product = fixed_point_multiplier(tech, *unit.input_bits) * unit.lanes
    else:
        luts = adder_luts(tech, max(unit.input_bits))
        product = datapath(tech, unit.lanes * luts, unit.lanes * unit.output_bits)
    return (
        Part("multipliers", product),
        Part("control", sequencing(tech, tool, tech["hls_stream_counters"], unit.words)),
    )


def lookup_parts(tech: Technology, unit: Lookup, tool: Tool) -> tuple[Part, ...]:
    """A table a lane of values and rises, a product in DSP slices; limits in front, a sum behind."""
    bits = unit.output_type.bits
    rise_bits = bits + 1
    store = memory(tech, bits + rise_bits, unit.segments, "auto", "single", "rtl") * unit.pe
    product: Estimate = Amounts()
    if unit.shift_bits:
        product = fixed_point_multiplier(tech, rise_bits, unit.shift_bits + 1) * unit.pe
    held = adder_luts(tech, unit.input_bits) + 2 * comparator_luts(tech, unit.input_bits)
    luts = unit.pe * (held + adder_luts(tech, bits))
    return (
        Part("table", store),
        Part("multipliers", product),
        Part("sums", datapath(tech, luts, unit.pe * (unit.input_bits + bits))),
        Part("control", sequencing(tech, tool, 1.0, unit.words)),
    )


def repeat_parts(tech: Technology, unit: Repeat, tool: Tool, bits: int) -> tuple[Part, ...]:
    """The row or pixel that is written again, a register as wide as a word out, and position counters."""
    width = unit.in_lanes * bits
    library: UnitLibrary = "rtl" if tool == "rtl" else "hls"
    buffer: Estimate = Amounts()
    if unit.kept_words > 1:
        buffer = memory(tech, width, unit.kept_words, "auto", "simple_dual", library, "buffer")
    out_bits = unit.lanes * (2 if unit.widens_bits else bits)
    return (
        Part("buffer", buffer),
        Part("register", control(tech, width / 2, out_bits)),
        Part("control", sequencing(tech, tool, _REPEAT_COUNTERS, unit.words_out)),
    )


def label_select_parts(tech: Technology, unit: LabelSelect, tool: Tool) -> tuple[Part, ...]:
    """For each score of a word and each place a comparison and a choice of score and position.

    The largest scores so far, their positions, and the positions that wait to leave are registers.
    """
    bits, label_bits = unit.input_bits, unit.output_type.bits
    entry = bits + label_bits
    luts = unit.pe * unit.top * (comparator_luts(tech, bits) + adder_luts(tech, entry))
    kept = unit.top * (entry + label_bits)
    return (
        Part("choice", control(tech, luts, kept)),
        Part("streams", stream_registers(tech, tool, unit.pe * bits, label_bits)),
        Part("control", sequencing(tech, tool, 1.0, unit.fold)),
    )
