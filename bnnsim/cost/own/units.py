"""The parts of any own unit or stream, chosen by what it is."""

from __future__ import annotations

from typing import assert_never

from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.own.computing import mvau_parts, scale_parts, threshold_parts
from bnnsim.cost.own.gates import label_select_parts, lookup_parts, multiply_parts, repeat_parts
from bnnsim.cost.own.moving import (
    add_structure,
    concat_structure,
    converter_structure,
    padding_structure,
    source_structure,
    split_structure,
    weight_buffer_parts,
    window_parts,
)
from bnnsim.cost.own.pool import pool_parts
from bnnsim.cost.own.residual import residual_parts
from bnnsim.cost.own.structure import UNKNOWN, Contents, Structure, ram
from bnnsim.cost.streaming.frame_ends import memory_port
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


def own_parts(
    tech: Technology,
    parameters: UnitParameters,
    freezes: bool,
    element_bits: int,
    width_bits: int,
) -> tuple[Part, ...]:
    """The parts of an own unit; arguments as of :func:`bnnsim.cost.streaming.units.unit_parts`.

    The ends' memory port is what moves frames to and from memory; it is none of the modules.
    """
    module = module_parts(tech, parameters, freezes, element_bits, width_bits)
    if isinstance(parameters, Source | Sink):
        return (memory_port(tech, parameters, width_bits), *module)
    return module


def module_parts(
    tech: Technology,
    parameters: UnitParameters,
    freezes: bool,
    element_bits: int,
    width_bits: int,
    contents: Contents = UNKNOWN,
) -> tuple[Part, ...]:
    """The parts of the module that the unit is; with known ``contents`` of its read-only memories."""
    match parameters:
        case Source():
            return (_part(tech, source_structure(parameters, width_bits)),)
        case Sink():
            return ()
        case Converter():
            return _converter(tech, parameters, element_bits, freezes)
        case Padding():
            out_bits = 2 if parameters.widens_bits else element_bits
            return (_part(tech, padding_structure(parameters, element_bits, out_bits)),)
        case Window():
            return window_parts(tech, parameters, element_bits, freezes)
        case Mvau() if parameters.is_residual:
            return residual_parts(tech, parameters, element_bits, freezes, contents)
        case Mvau():
            return mvau_parts(tech, parameters, element_bits, freezes, contents)
        case Pool():
            return pool_parts(tech, parameters, element_bits, freezes)
        case Threshold():
            return threshold_parts(tech, parameters, contents)
        case Scale():
            return scale_parts(tech, parameters, contents)
        case Split():
            return (_part(tech, split_structure(parameters, width_bits, freezes)),)
        case Add():
            return (_part(tech, add_structure(parameters, freezes)),)
        case Concat():
            return (_part(tech, concat_structure(parameters, freezes)),)
        case Lookup():
            return lookup_parts(tech, parameters, contents)
        case Multiply():
            return multiply_parts(tech, parameters, freezes)
        case Repeat():
            return repeat_parts(tech, parameters, element_bits, freezes)
        case LabelSelect():
            return label_select_parts(tech, parameters, freezes)
        case WeightBuffer():
            return weight_buffer_parts(tech, parameters, element_bits)
        case _:
            assert_never(parameters)


def _part(tech: Technology, structure: Structure) -> Part:
    return Part("module", structure.amounts(tech))


def _converter(tech: Technology, unit: Converter, bits: int, freezes: bool) -> tuple[Part, ...]:
    module = _part(tech, converter_structure(unit, bits, freezes, 1))
    if unit.levels == 1 or unit.ratio == 1:
        return (module,)
    rest = (max(unit.in_lanes, unit.out_lanes) - min(unit.in_lanes, unit.out_lanes)) * bits
    return module, Part("rest of each level", ram(tech, rest, unit.levels, "single"))
