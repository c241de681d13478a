"""The hardware of a streaming accelerator as data: units with their parameters, streams between them.

Parameters say what a unit is; what it does in which cycle follows in ``timing``, which bits it makes in
``datapath``, what it costs in ``cost``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bnnsim.design.streaming.computing_units import Add as Add
from bnnsim.design.streaming.computing_units import Mvau as Mvau
from bnnsim.design.streaming.computing_units import Pool as Pool
from bnnsim.design.streaming.computing_units import Scale as Scale
from bnnsim.design.streaming.computing_units import Threshold as Threshold
from bnnsim.design.streaming.moving_units import Concat as Concat
from bnnsim.design.streaming.moving_units import Converter as Converter
from bnnsim.design.streaming.moving_units import Padding as Padding
from bnnsim.design.streaming.moving_units import Sink as Sink
from bnnsim.design.streaming.moving_units import Source as Source
from bnnsim.design.streaming.moving_units import Split as Split
from bnnsim.design.streaming.moving_units import Window as Window
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
    | Split
    | Add
    | Concat
)

KINDS: Mapping[type, str] = {
    Source: "frame_source",
    Sink: "frame_sink",
    Converter: "width_converter",
    Padding: "padding",
    Window: "sliding_window",
    Mvau: "mvau",
    Pool: "pool",
    Threshold: "thresholding",
    Scale: "scale",
    Split: "duplicate",
    Add: "add",
    Concat: "concat",
}


@dataclass(frozen=True)
class Unit:
    """One piece of hardware with a clocked state of its own.

    ``library`` is ``hls`` or ``rtl``; ``freezes`` tells a freezing from a flushing pipeline;
    ``inputs`` and ``outputs`` name its streams in port order.
    """

    name: str
    layer: str
    parameters: UnitParameters
    library: str
    freezes: bool
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def kind(self) -> str:
        return KINDS[type(self.parameters)]


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
    def unit_of_layer(self) -> Mapping[str, Unit]:
        """For each layer the unit whose output stream carries the layer's values."""
        return {
            unit.layer: unit
            for unit in self.units
            if isinstance(unit.parameters, Mvau | Pool | Threshold | Scale | Add | Concat)
        }


def levels_of(value_type: ValueType) -> int:
    """Words an element takes in a stream: one a level of a residual binarization."""
    return value_type.bits if value_type.is_residual else 1
