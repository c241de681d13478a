"""The hardware of a streaming accelerator as data: units with their parameters, streams between them.

Parameters say what a unit is; what it does in which cycle follows in ``timing``, which bits it makes in
``datapath``, what it costs in ``cost``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bnnsim.spec.value_type import ValueType


def levels_of(value_type: ValueType) -> int:
    """Words an element takes in a stream: one a level of a residual binarization."""
    return value_type.bits if value_type.is_residual else 1


@dataclass(frozen=True)
class Source:
    """Brings frames in from memory: ``words`` a frame, then ``gap_steps`` without any."""

    words: int
    gap_steps: int = 20


@dataclass(frozen=True)
class Sink:
    """Takes ``words`` a frame, always ready."""

    words: int


@dataclass(frozen=True)
class Converter:
    """Width converter between ``in_lanes`` and ``out_lanes`` elements a word; one divides the other.

    Words of ``levels`` levels take turns on both sides, and each level has a register of its own.
    """

    in_lanes: int
    out_lanes: int
    words_in: int
    words_out: int
    levels: int = 1

    @property
    def ratio(self) -> int:
        return max(self.in_lanes, self.out_lanes) // min(self.in_lanes, self.out_lanes)

    @property
    def narrows(self) -> bool:
        return self.in_lanes > self.out_lanes


@dataclass(frozen=True)
class Padding:
    """Adds a border (``top, left, bottom, right`` pixels of ``value``) to each map.

    ``widens_bits``: bits come in and -1, 0, +1 in two bits go out, the border being a true zero.
    """

    channels: int
    height: int
    width: int
    border: tuple[int, int, int, int]
    value: int
    lanes: int
    widens_bits: bool = False

    @property
    def channel_fold(self) -> int:
        return self.channels // self.lanes

    @property
    def out_height(self) -> int:
        return self.height + self.border[0] + self.border[2]

    @property
    def out_width(self) -> int:
        return self.width + self.border[1] + self.border[3]

    @property
    def words_in(self) -> int:
        return self.height * self.width * self.channel_fold

    @property
    def words_out(self) -> int:
        return self.out_height * self.out_width * self.channel_fold


@dataclass(frozen=True)
class Window:
    """Sliding-window unit over a ``channels x height x width`` map, border included.

    ``lanes`` channels a word come in; a word out has as many, or with styles ``parallel`` and
    ``line_buffer`` the whole window of ``lanes`` channels. Order out: output pixel, group, kernel row,
    kernel column, channel fold (whole windows: output pixel, channel fold).
    """

    style: str
    channels: int
    height: int
    width: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    lanes: int

    @property
    def channel_fold(self) -> int:
        return self.channels // self.lanes

    @property
    def writes_whole_windows(self) -> bool:
        return self.style in ("parallel", "line_buffer")

    @property
    def window_pixels(self) -> int:
        return self.kernel[0] * self.kernel[1]

    @property
    def out_height(self) -> int:
        return (self.height - (self.kernel[0] - 1) * self.dilation[0] - 1) // self.stride[0] + 1

    @property
    def out_width(self) -> int:
        return (self.width - (self.kernel[1] - 1) * self.dilation[1] - 1) // self.stride[1] + 1

    @property
    def out_lanes(self) -> int:
        return self.lanes * (self.window_pixels if self.writes_whole_windows else 1)

    @property
    def words_in(self) -> int:
        return self.height * self.width * self.channel_fold

    @property
    def words_out(self) -> int:
        pixels = self.out_height * self.out_width
        return pixels * self.channel_fold * (1 if self.writes_whole_windows else self.window_pixels)

    @property
    def buffer_words(self) -> int:
        """Words that hold one window's reach: the least that a sliding buffer needs."""
        rows = (self.kernel[0] - 1) * self.dilation[0] * self.width
        return (rows + (self.kernel[1] - 1) * self.dilation[1] + 1) * self.channel_fold


@dataclass(frozen=True)
class Mvau:
    """Matrix-vector-activation unit: ``pe`` rows by ``simd`` columns a cycle.

    ``matrix_height`` and ``matrix_width`` are those of one group; ``vectors`` input vectors a frame
    (output pixels x groups). PE p computes row ``neuron fold * pe + p``. Columns run kernel row, kernel
    column, channel within blocks of ``channel_block`` channels.
    """

    pe: int
    simd: int
    matrix_height: int
    matrix_width: int
    vectors: int
    groups: int
    channel_block: int
    weight_type: ValueType
    input_type: ValueType
    sum_type: ValueType
    accumulator: str
    output_type: ValueType
    output_bits: int
    thresholds: int
    compare: str
    weight_memory: str
    memory_layout: str
    levels_in: int = 1
    """Words an input element comes in, one a level, level fastest (residual binarization)."""
    levels_out: int = 1
    """Words an output element goes out in, likewise."""

    @property
    def synapse_fold(self) -> int:
        return self.matrix_width // self.simd

    @property
    def neuron_fold(self) -> int:
        return self.matrix_height // self.pe

    @property
    def fold(self) -> int:
        """Weight words an input vector."""
        return self.synapse_fold * self.neuron_fold

    @property
    def steps_a_neuron_fold(self) -> int:
        """Steps for one row of PEs: every level of every input word, at least one a level put out."""
        return max(self.synapse_fold * self.levels_in, self.levels_out)

    @property
    def memory_depth_words(self) -> int:
        """Words of each PE's weight memory."""
        return self.fold * self.groups

    @property
    def is_binary(self) -> bool:
        return self.weight_type.is_bipolar and self.input_type.is_bipolar

    @property
    def is_residual(self) -> bool:
        """Whether activations are residual on either side."""
        return self.input_type.is_residual or self.output_type.is_residual

    @property
    def words_in(self) -> int:
        return self.vectors * self.synapse_fold * self.levels_in

    @property
    def words_out(self) -> int:
        return self.vectors * self.neuron_fold * self.levels_out


@dataclass(frozen=True)
class Pool:
    """Pool over non-overlapping windows of whole pixels: ``max`` or ``majority``."""

    function: str
    channels: int
    height: int
    width: int
    kernel: tuple[int, int]
    type: ValueType
    compare: str = ">="
    style: str = "row"
    """``row`` (HLS) reads the rows of a window, then writes them; ``flow`` writes a pixel as soon as
    its window is complete."""
    levels: int = 1
    """Words a pixel (residual binarization: one a level, in turn)."""

    @property
    def words_in(self) -> int:
        return self.height * self.width * self.levels

    @property
    def words_out(self) -> int:
        rows, columns = self.height // self.kernel[0], self.width // self.kernel[1]
        return rows * columns * self.levels


@dataclass(frozen=True)
class Threshold:
    """Thresholding unit: ``pe`` channels a cycle, ``thresholds`` a channel."""

    pe: int
    channels: int
    words: int
    input_type: ValueType
    input_bits: int
    output_type: ValueType
    thresholds: int
    compare: str
    deep_pipeline: bool


@dataclass(frozen=True)
class Scale:
    """Fixed-point map of each element by its channel's numbers, ``pe`` channels a cycle.

    ``function`` ``affine``: scale x x + bias; ``prelu``: x, or slope x x where x is negative. Rounded
    half up and saturated to ``output_type``.
    """

    function: str
    pe: int
    channels: int
    words: int
    input_type: ValueType
    input_bits: int
    output_type: ValueType
    parameter_type: ValueType


@dataclass(frozen=True)
class Split:
    """Writes each word to every output."""

    words: int
    outputs: int


@dataclass(frozen=True)
class Add:
    """Adds ``lanes`` elements of every input in a step."""

    lanes: int
    words: int
    input_types: tuple[ValueType, ...]
    input_bits: tuple[int, ...]
    output_type: ValueType
    output_bits: int


@dataclass(frozen=True)
class Concat:
    """Puts whole pixels of every input side by side, first input in the lowest bits."""

    words: int
    input_channels: tuple[int, ...]
    element_bits: int


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
