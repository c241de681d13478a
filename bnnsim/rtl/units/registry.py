"""Which module of the library each unit of a design is."""

from __future__ import annotations

from typing import assert_never

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
    WeightBuffer,
    Window,
)
from bnnsim.rtl.instance import Instance, NoModuleError, UnitValues
from bnnsim.rtl.units.converter import converter_instance
from bnnsim.rtl.units.frame_ends import sink_instance, source_instance
from bnnsim.rtl.units.gates import label_select_instance, lookup_instance, repeat_instance
from bnnsim.rtl.units.joins import add_instance, concat_instance, multiply_instance, split_instance
from bnnsim.rtl.units.mvau import mvau_instance, weight_buffer_instance
from bnnsim.rtl.units.padding import padding_instance
from bnnsim.rtl.units.pool import pool_instance
from bnnsim.rtl.units.residual import (
    level_converter_instance,
    level_mvau_instance,
    residual_mvau_instance,
)
from bnnsim.rtl.units.scale import scale_instance
from bnnsim.rtl.units.threshold import threshold_instance
from bnnsim.rtl.units.window import window_instance


def unit_instance(values: UnitValues) -> Instance:
    """The instance that ``values.unit`` is.

    Raises :class:`NoModuleError` for a unit that the library has no module for.
    """
    unit = values.unit
    if unit.restart_steps:
        raise NoModuleError(f"{unit.name}: restart_steps {unit.restart_steps} (0: no module starts anew)")
    match unit.parameters:
        case Source() as p:
            return source_instance(values, p)
        case Sink() as p:
            return sink_instance(values, p)
        case Converter() as p if p.levels > 1:
            return level_converter_instance(values, p)
        case Converter() as p:
            return converter_instance(values, p)
        case Window() as p:
            return window_instance(values, p)
        case Mvau() as p if p.has_integer_means:
            return level_mvau_instance(values, p)
        case Mvau() as p if p.is_residual:
            return residual_mvau_instance(values, p)
        case Mvau() as p:
            return mvau_instance(values, p)
        case Pool() as p:
            return pool_instance(values, p)
        case Threshold() as p:
            return threshold_instance(values, p)
        case Scale() as p:
            return scale_instance(values, p)
        case Padding() as p:
            return padding_instance(values, p)
        case Split() as p:
            return split_instance(values, p)
        case Add() as p:
            return add_instance(values, p)
        case Concat() as p:
            return concat_instance(values, p)
        case Multiply() as p:
            return multiply_instance(values, p)
        case Lookup() as p:
            return lookup_instance(values, p)
        case Repeat() as p:
            return repeat_instance(values, p)
        case LabelSelect() as p:
            return label_select_instance(values, p)
        case WeightBuffer() as p:
            return weight_buffer_instance(values, p)
        case _:
            assert_never(unit.parameters)
