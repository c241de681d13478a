"""The parts of any unit or stream, chosen by what it is."""

from __future__ import annotations

from typing import assert_never

from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.storage import fifo
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.own.structure import own_fifo
from bnnsim.cost.own.units import own_parts
from bnnsim.cost.streaming.frame_ends import sink_parts, source_parts
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
    window_parts,
)
from bnnsim.design.streaming.units import (
    Add,
    Concat,
    Converter,
    Mvau,
    Padding,
    Pool,
    Scale,
    Sink,
    Source,
    Split,
    Threshold,
    UnitParameters,
    Window,
)
from bnnsim.spec.streaming.hardware import UnitLibrary


def unit_parts(
    tech: Technology,
    parameters: UnitParameters,
    library: UnitLibrary,
    element_bits: int,
    width_bits: int,
    has_own_port: bool = False,
    freezes: bool = False,
) -> tuple[Part, ...]:
    """The parts of one unit.

    ``freezes`` matters to own units: one that does counts frames.
    ``element_bits`` and ``width_bits`` are those of its first input stream, or of its output for a frame
    source; ``has_own_port`` is of a sink that does not share the source's.
    """
    if library == "own":
        return own_parts(tech, parameters, freezes, element_bits, width_bits, has_own_port)
    match parameters:
        case Mvau():
            return mvau_parts(tech, parameters, library)
        case Window():
            return window_parts(tech, parameters, library, element_bits)
        case Converter():
            return converter_parts(tech, parameters, library, element_bits)
        case Pool():
            return pool_parts(tech, parameters, library)
        case Threshold():
            return threshold_parts(tech, parameters, library)
        case Scale():
            return scale_parts(tech, parameters, library)
        case Padding():
            return padding_parts(tech, parameters, library, element_bits)
        case Split():
            return split_parts(tech, parameters, library, width_bits)
        case Add():
            return add_parts(tech, parameters, library)
        case Concat():
            return concat_parts(tech, parameters, library)
        case Source():
            return source_parts(tech, parameters, library, width_bits)
        case Sink():
            return sink_parts(tech, parameters, width_bits, has_own_port)
        case _:
            assert_never(parameters)


def stream_parts(
    tech: Technology, width_bits: int, depth_words: int, library: UnitLibrary
) -> tuple[Part, ...]:
    """The FIFO of one stream; ``library`` is that of its writer."""
    if library == "own":
        return (Part("fifo", own_fifo(tech, width_bits, depth_words)),)
    return (Part("fifo", fifo(tech, width_bits, depth_words, library)),)
