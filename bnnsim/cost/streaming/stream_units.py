"""What the units between the MVAUs take: windows, converters, pools, thresholds, joins, splits."""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import (
    adder_tree_luts,
    control,
    datapath,
    fixed_point_multiplier,
    multiplexer_luts,
)
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.storage import line_buffer, memory
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.streaming.control import Tool, sequencing, stream_registers
from bnnsim.cost.streaming.threshold_search import search_comparators, search_memories
from bnnsim.design.streaming.units import (
    Add,
    Concat,
    Converter,
    Padding,
    Scale,
    Split,
    Threshold,
    WeightBuffer,
    Window,
)
from bnnsim.spec.streaming.hardware import UnitLibrary


def window_parts(tech: Technology, unit: Window, tool: Tool, bits: int) -> tuple[Part, ...]:
    """Sliding window over elements of ``bits`` bits; the buffer follows the unit's style."""
    width = unit.lanes * bits
    if unit.writes_whole_windows:
        buffer = _parallel_window(tech, unit, width)
    elif unit.style == "row_buffer":
        # K + 1 rows (K / stride + 1 blocks of stride rows): one is filled while K are read.
        blocks = unit.kernel[0] // unit.stride[0] + 1
        words = unit.stride[0] * unit.width * unit.channel_fold
        buffer = line_buffer(tech, width, words, blocks, "auto", "hls")
    elif unit.style == "rtl":
        buffer = memory(tech, width, unit.buffer_words, unit.memory, "simple_dual", "rtl", "buffer")
    else:
        buffer = memory(tech, width, unit.words_in, "auto", "simple_dual", "hls", "buffer")
    return (
        Part("buffer", buffer),
        Part("streams", stream_registers(tech, tool, width, width)),
        Part("control", _window_control(tech, unit, tool, width)),
    )


def _window_control(tech: Technology, unit: Window, tool: Tool, width: int) -> Estimate:
    """Counters of the loops; in FINN's RTL generator they and its addresses are as wide as the buffer."""
    if tool != "rtl":
        steps = unit.words_in + unit.words_out
        written_row = unit.out_width * unit.window_pixels * unit.channel_fold
        read_row = unit.stride[0] * unit.width * unit.channel_fold
        prologue = unit.kernel[0] * unit.width * unit.channel_fold
        bound = prologue + unit.out_height * max(written_row, read_row)
        return sequencing(tech, tool, tech["hls_window_counters"], steps, (bound,))
    address_bits = max(1, (unit.buffer_words - 1).bit_length())
    return Amounts(
        lut_logic=tech.family_factor * tech["rtl_window_luts_per_address_bit"] * address_bits,
        ff=tech["rtl_window_ffs"] + tech["rtl_window_ffs_per_address_bit"] * address_bits + width,
    )


def _parallel_window(tech: Technology, unit: Window, width: int) -> Estimate:
    """A window in registers, the rest of the rows in delay lines between its rows."""
    rows, columns = unit.kernel
    pixels = unit.channel_fold
    registers = control(tech, 0, rows * columns * width * pixels)
    delay = max(0, (unit.dilation[0] * unit.width - columns) * pixels)
    line = memory(tech, width, delay, "auto", "simple_dual", "rtl")
    return registers + line * (rows - 1)


def converter_parts(
    tech: Technology, unit: Converter, tool: Tool, bits: int
) -> tuple[Part, ...]:
    """Width converter: a shift register as wide as the wider word, one a level.

    An HLS one holds the word that comes in and the one that goes out. FINN's RTL one holds the wide
    word, and of the narrow side a word.
    """
    wide = max(unit.in_lanes, unit.out_lanes) * bits * unit.levels
    narrow = min(unit.in_lanes, unit.out_lanes) * bits
    trips = max(unit.words_in, unit.words_out)
    if tool == "rtl":
        if unit.ratio == 1:
            return (Part("shift register", Amounts()),)
        count_bits = max(1, (unit.ratio - 1).bit_length())
        select = tech["rtl_converter_luts_per_bit"] * wide if unit.narrows else 0.0
        count = tech["rtl_converter_luts"] + count_bits
        return (
            Part("shift register", Amounts(lut_logic=select, ff=wide + narrow)),
            Part("control", Amounts(lut_logic=count, ff=count_bits + 2)),
        )
    # Narrowing loads or shifts every bit; widening only shifts, so its registers need no logic.
    shift = control(tech, wide if unit.narrows else 0, 2 * wide)
    return (
        Part("shift register", shift),
        Part("streams", stream_registers(tech, tool, unit.in_lanes * bits, unit.out_lanes * bits)),
        Part("control", sequencing(tech, tool, tech["hls_converter_counters"], trips, (trips,))),
    )


def threshold_parts(tech: Technology, unit: Threshold, tool: Tool) -> tuple[Part, ...]:
    """Thresholding by binary search, a stage for each bit of the result."""
    fold = unit.channels // unit.pe
    sizes = unit.pe, unit.input_bits, unit.output_type.bits, fold
    return (
        Part("comparators", search_comparators(tech, *sizes, unit.deep_pipeline)),
        Part("threshold memory", search_memories(tech, *sizes)),
        Part("control", sequencing(tech, tool, 1.0, fold)),
    )


def scale_parts(tech: Technology, unit: Scale, tool: Tool) -> tuple[Part, ...]:
    """A multiplier a lane in DSP slices, what follows it in LUTs, and the channels' numbers.

    With one format the bias is added in the DSP slices; rounding and saturation take two LUTs a bit of
    the output. With a shift the slices add the rounding's half, and the bias's adder takes its place.
    """
    numbers = unit.multiplier_type.bits + (unit.bias_type.bits if unit.bias_type else 0)
    fold = unit.channels // unit.pe
    round_off = datapath(tech, unit.pe * unit.output_type.bits * 2, unit.pe * unit.output_type.bits)
    product = fixed_point_multiplier(tech, unit.input_bits, unit.multiplier_type.bits) * unit.pe
    store = memory(tech, numbers, fold, "auto", "single", "rtl") * unit.pe
    return (
        Part("multipliers", product),
        Part("rounding", round_off),
        Part("parameter memory", store),
        Part("control", sequencing(tech, tool, 1.0, unit.words)),
    )


def padding_parts(tech: Technology, unit: Padding, tool: Tool, bits: int) -> tuple[Part, ...]:
    """A multiplexer between the stream and the border's value, the words on both sides, counters."""
    width = unit.lanes * bits
    return (
        Part("border", control(tech, width / 2, 2 * width)),
        Part("control", sequencing(tech, tool, 3.0, unit.words_out)),
    )


def split_parts(tech: Technology, unit: Split, tool: Tool, width_bits: int) -> tuple[Part, ...]:
    """Registers towards every output."""
    registers = control(tech, 0, width_bits * unit.outputs)
    return (
        Part("registers", registers),
        Part("control", sequencing(tech, tool, tech["hls_stream_counters"], unit.words)),
    )


def add_parts(tech: Technology, unit: Add, tool: Tool) -> tuple[Part, ...]:
    """One adder tree a lane."""
    luts = adder_tree_luts(tech, len(unit.input_bits), max(unit.input_bits))
    return (
        Part("adders", datapath(tech, unit.lanes * luts, unit.lanes * unit.output_bits)),
        Part("control", sequencing(tech, tool, tech["hls_stream_counters"], unit.words)),
    )


def concat_parts(tech: Technology, unit: Concat, tool: Tool) -> tuple[Part, ...]:
    """A register as wide as the joined word; where inputs take turns one each, and their choice."""
    width = unit.lanes * unit.element_bits
    register: Estimate = control(tech, 0, width)
    if unit.takes_turns:
        ahead = sum(unit.lanes * bits for bits in unit.input_bits)
        chooses = multiplexer_luts(tech, len(unit.input_bits), width)
        register = register + control(tech, ahead + chooses, ahead)
    return (
        Part("register", register),
        Part("control", sequencing(tech, tool, tech["hls_stream_counters"], unit.words)),
    )


def weight_buffer_parts(
    tech: Technology, unit: WeightBuffer, tool: Tool, bits: int
) -> tuple[Part, ...]:
    """A memory for each PE or column of a word, a register of the word, places on both sides."""
    width, words = unit.in_lanes * bits, unit.frames * unit.depth_words
    library: UnitLibrary = "rtl" if tool == "rtl" else "hls"
    store = memory(tech, width, words, unit.memory, "simple_dual", library, "buffer") * unit.parts
    return (
        Part("weight memory", store),
        Part("register", control(tech, 0, unit.parts * width)),
        Part("writing", sequencing(tech, tool, 1.0, unit.words_in)),
        Part("reading", sequencing(tech, tool, 1.0, unit.words_out)),
    )
