"""The parts of any unit or stream, chosen by what it is."""

from __future__ import annotations

from typing import assert_never

from bnnsim.cost.blocks.fifos import fifo
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.own.structure import own_fifo
from bnnsim.cost.own.units import own_parts
from bnnsim.cost.streaming.control import Tool
from bnnsim.cost.streaming.frame_ends import sink_parts, source_parts
from bnnsim.cost.streaming.gates import label_select_parts, lookup_parts, multiply_parts, repeat_parts
from bnnsim.cost.streaming.mvau import mvau_parts
from bnnsim.cost.streaming.pool import pool_parts
from bnnsim.cost.streaming.stream_units import (
    add_parts,
    concat_parts,
    converter_parts,
    padding_parts,
    scale_parts,
    split_parts,
    threshold_parts,
    weight_buffer_parts,
    window_parts,
)
from bnnsim.design.streaming.units import (
    Add,
    Concat,
    Converter,
    LabelSelect,
    Lookup,
    Multiply,
    Mvau,
    Padding,
    Pool,
    Repeat,
    Scale,
    Sink,
    Source,
    Split,
    Threshold,
    UnitParameters,
    WeightBuffer,
    Window,
)
from bnnsim.spec.streaming.hardware import HlsTool, UnitLibrary


def unit_parts(
    tech: Technology,
    parameters: UnitParameters,
    library: UnitLibrary,
    element_bits: int,
    width_bits: int,
    freezes: bool = False,
    hls_tool: HlsTool = "vitis_hls",
) -> tuple[Part, ...]:
    """The parts of one unit.

    ``freezes`` matters to own units, of which one that does counts frames; ``hls_tool`` to those of HLS.
    ``element_bits`` and ``width_bits`` are those of its first input stream, or of its output for a frame
    source.
    """
    if library == "own":
        return own_parts(tech, parameters, freezes, element_bits, width_bits)
    tool: Tool = hls_tool if library == "hls" else "rtl"
    match parameters:
        case Mvau():
            return mvau_parts(tech, parameters, tool, element_bits)
        case Window():
            return window_parts(tech, parameters, tool, element_bits)
        case Converter():
            return converter_parts(tech, parameters, tool, element_bits)
        case Pool():
            return pool_parts(tech, parameters, tool)
        case Threshold():
            return threshold_parts(tech, parameters, tool)
        case Scale():
            return scale_parts(tech, parameters, tool)
        case Padding():
            return padding_parts(tech, parameters, tool, element_bits)
        case Split():
            return split_parts(tech, parameters, tool, width_bits)
        case Add():
            return add_parts(tech, parameters, tool)
        case Lookup():
            return lookup_parts(tech, parameters, tool)
        case Multiply():
            return multiply_parts(tech, parameters, tool)
        case Concat():
            return concat_parts(tech, parameters, tool)
        case Repeat():
            return repeat_parts(tech, parameters, tool, element_bits)
        case LabelSelect():
            return label_select_parts(tech, parameters, tool)
        case WeightBuffer():
            return weight_buffer_parts(tech, parameters, tool, element_bits)
        case Source():
            return source_parts(tech, parameters, width_bits, hls_tool)
        case Sink():
            return sink_parts(tech, parameters, width_bits, hls_tool)
        case _:
            assert_never(parameters)


def stream_parts(
    tech: Technology, width_bits: int, depth_words: int, library: UnitLibrary, srl_words: int
) -> tuple[Part, ...]:
    """The FIFO of one stream, of the stream's library."""
    if library == "own":
        return (Part("fifo", own_fifo(tech, width_bits, depth_words)),)
    return (Part("fifo", fifo(tech, width_bits, depth_words, library, srl_words)),)
