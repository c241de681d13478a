"""The hardware of a streaming accelerator as data: units with their parameters, streams between them.

Parameters say what a unit is; what it does in which cycle follows in ``timing``, which bits it makes in
``datapath``, what it costs in ``cost``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, assert_never

from bnnsim.design.streaming.computing_units import Add as Add
from bnnsim.design.streaming.computing_units import LabelSelect as LabelSelect
from bnnsim.design.streaming.computing_units import Lookup as Lookup
from bnnsim.design.streaming.computing_units import Multiply as Multiply
from bnnsim.design.streaming.computing_units import Mvau as Mvau
from bnnsim.design.streaming.computing_units import Pool as Pool
from bnnsim.design.streaming.computing_units import PoolFunction as PoolFunction
from bnnsim.design.streaming.computing_units import Scale as Scale
from bnnsim.design.streaming.computing_units import Threshold as Threshold
from bnnsim.design.streaming.moving_units import Concat as Concat
from bnnsim.design.streaming.moving_units import Converter as Converter
from bnnsim.design.streaming.moving_units import Padding as Padding
from bnnsim.design.streaming.moving_units import Repeat as Repeat
from bnnsim.design.streaming.moving_units import Sink as Sink
from bnnsim.design.streaming.moving_units import Source as Source
from bnnsim.design.streaming.moving_units import Split as Split
from bnnsim.design.streaming.moving_units import WeightBuffer as WeightBuffer
from bnnsim.design.streaming.moving_units import Window as Window
from bnnsim.spec.streaming.hardware import HlsTool, UnitLibrary
from bnnsim.spec.value_type import ValueType

UnitParameters = (
    Source
    | Sink
    | Converter
    | Padding
    | Window
    | Mvau
    | Pool
    | Threshold
    | Scale
    | Lookup
    | Split
    | Add
    | Multiply
    | Concat
    | Repeat
    | LabelSelect
    | WeightBuffer
)

UnitKind = Literal[
    "frame_source",
    "frame_sink",
    "width_converter",
    "padding",
    "sliding_window",
    "mvau",
    "pool",
    "thresholding",
    "scale",
    "lookup",
    "duplicate",
    "add",
    "multiply",
    "concat",
    "repeat",
    "label_select",
    "weight_buffer",
]
"""What the parameters' classes say under ``kind``. Where something depends on the kind, a ``match`` over
the parameters names every class and ends in ``assert_never``."""


@dataclass(frozen=True)
class Unit:
    """One piece of hardware with a clocked state of its own.

    ``freezes`` tells a freezing from a flushing pipeline;
    ``inputs`` and ``outputs`` name its streams in port order.
    """

    name: str
    layer: str
    parameters: UnitParameters
    library: UnitLibrary
    freezes: bool
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    restart_steps: int = 0
    """Steps without words after each frame."""
    hls_tool: HlsTool = "vitis_hls"
    """What made it, if it is an HLS unit."""

    @property
    def kind(self) -> UnitKind:
        return self.parameters.kind

    @property
    def computes(self) -> bool:
        """Whether new values come out; the other kinds bring, move or repeat what is there."""
        match self.parameters:
            case Mvau() | Pool() | Threshold() | Scale() | Lookup():
                return True
            case Add() | Multiply() | Concat() | Repeat() | LabelSelect():
                return True
            case Source() | Sink() | Converter() | Padding() | Window() | Split() | WeightBuffer():
                return False
            case _:
                assert_never(self.parameters)


@dataclass(frozen=True)
class Stream:
    """A FIFO of ``depth_words`` between one writer and one reader.

    A word holds ``lanes`` elements of ``element_bits`` each, the first element in the lowest bits;
    ``type`` is the elements' value set; ``words`` pass a frame. Residual activations come as one-bit
    elements, ``lanes`` of the first level, the same ones of the next, and so on.
    """

    name: str
    writer: str
    reader: str
    lanes: int
    element_bits: int
    type: ValueType
    depth_words: int
    words: int
    library: UnitLibrary = "hls"
    """Where its FIFO comes from."""
    srl_words: int = 256
    """Depth up to which a FIFO of the RTL library is a shift register."""

    @property
    def width_bits(self) -> int:
        return self.lanes * self.element_bits


@dataclass(frozen=True)
class StreamingGraph:
    """All units and streams of a design, each in the order of the network."""

    units: tuple[Unit, ...]
    streams: tuple[Stream, ...]

    @cached_property
    def unit_by_name(self) -> Mapping[str, Unit]:
        return {unit.name: unit for unit in self.units}

    @cached_property
    def stream_by_name(self) -> Mapping[str, Stream]:
        return {stream.name: stream for stream in self.streams}

    @cached_property
    def sinks(self) -> tuple[Unit, ...]:
        """One for each output of the network, in their order."""
        return tuple(unit for unit in self.units if isinstance(unit.parameters, Sink))

    @cached_property
    def flushes(self) -> bool:
        """Whether no unit between the source and the sinks freezes: no frame waits for a later one."""
        return not any(unit.freezes and unit.inputs and unit.outputs for unit in self.units)

    @cached_property
    def unit_of_layer(self) -> Mapping[str, Unit]:
        """For each layer the unit whose output stream carries the layer's values."""
        return {unit.layer: unit for unit in self.units if unit.computes}


def levels_of(value_type: ValueType) -> int:
    """Words an element takes in a stream: one a level of a residual binarization."""
    return value_type.bits if value_type.is_residual else 1
