"""Parameters of the units that move words: sources, converters, borders, windows, splits, joins, what
keeps a matrix that comes as a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bnnsim.spec.accelerator import WeightMemory
from bnnsim.spec.streaming.hardware import SlidingWindow


@dataclass(frozen=True)
class Source:
    """Brings frames in from memory, ``words`` a frame, then pauses.

    ``gap_steps`` without words come between two frames. ``start_steps`` without words come once,
    before the first frame.
    """

    kind: ClassVar[Literal["frame_source"]] = "frame_source"
    words: int
    gap_steps: int = 20
    start_steps: int = 0
    counts_frames: bool = False
    """Whether a call takes any number of frames, as Vivado HLS's do; its loop bound is a product then."""


@dataclass(frozen=True)
class Sink:
    """Takes ``words`` a frame, one in ``steps_a_word``, then pauses.

    The pause has ``gap_steps``.
    """

    kind: ClassVar[Literal["frame_sink"]] = "frame_sink"
    words: int
    steps_a_word: int = 1
    gap_steps: int = 0


@dataclass(frozen=True)
class Converter:
    """Width converter between words of ``in_lanes`` and ``out_lanes``.

    Words of ``levels`` levels take turns on both sides, and each level has a register of its own.
    """

    kind: ClassVar[Literal["width_converter"]] = "width_converter"
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
    """Adds a border of ``value``: ``top, left, bottom, right`` pixels.

    ``widens_bits``: bits come in and -1, 0, +1 in two bits go out, the border being a true zero.
    """

    kind: ClassVar[Literal["padding"]] = "padding"
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
    """Sliding-window unit: the windows of a map, one after the other.

    A map of ``channels x height x width``, border included. ``lanes`` channels a word come in; a word
    out has as many, or with styles ``parallel`` and ``line_buffer`` the whole window of ``lanes``
    channels. Order out: output pixel, group, kernel row, kernel column, channel fold (whole windows:
    output pixel, channel fold).
    """

    kind: ClassVar[Literal["sliding_window"]] = "sliding_window"
    style: SlidingWindow
    channels: int
    height: int
    width: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    lanes: int
    memory: WeightMemory = "lutram"
    """What an ``rtl`` window keeps its rows in; FINN's default is LUTs."""

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
    def coupled_prologue_words(self) -> int:
        """Words that a ``full_frame_coupled`` window reads ahead: a row more than its reach."""
        rows = (self.kernel[0] - 1) * self.dilation[0] + 2
        return min(rows, self.height) * self.width * self.channel_fold

    @property
    def buffer_words(self) -> int:
        """Words that hold one window's reach: the least that a sliding buffer needs."""
        rows = (self.kernel[0] - 1) * self.dilation[0] * self.width
        return (rows + (self.kernel[1] - 1) * self.dilation[1] + 1) * self.channel_fold


@dataclass(frozen=True)
class WeightBuffer:
    """Keeps a map as a matrix and gives an MVAU weights of it.

    ``matrix_height`` and ``matrix_width`` are those of one group. Row by row (``by_rows``) a word in
    holds ``simd`` columns of a row, of each group its part of the row; else ``pe`` rows of a column. A
    word out, one a step of the MVAU, holds ``simd`` columns of ``pe`` rows: group, neuron fold, synapse
    fold, as an MVAU's weight memory, all of it again for each of ``pixels`` vectors of every group. The
    first leaves once the whole matrix is there. With two ``frames`` the next frame's matrix comes in
    meanwhile; with one it waits.
    """

    kind: ClassVar[Literal["weight_buffer"]] = "weight_buffer"
    by_rows: bool
    pe: int
    simd: int
    matrix_height: int
    matrix_width: int
    groups: int
    pixels: int
    frames: int
    memory: WeightMemory

    @property
    def in_lanes(self) -> int:
        """Elements of a word in."""
        return self.simd if self.by_rows else self.pe

    @property
    def parts(self) -> int:
        """Memories side by side, each a word in wide: one a PE, or one a column of the word out."""
        return self.pe if self.by_rows else self.simd

    @property
    def synapse_fold(self) -> int:
        return self.matrix_width // self.simd

    @property
    def neuron_fold(self) -> int:
        return self.matrix_height // self.pe

    @property
    def depth_words(self) -> int:
        """Words of a matrix in each part."""
        return self.groups * self.synapse_fold * self.neuron_fold

    @property
    def words_in(self) -> int:
        return self.depth_words * self.parts

    @property
    def words_out(self) -> int:
        return self.pixels * self.depth_words


@dataclass(frozen=True)
class Split:
    """Writes each word to every output."""

    kind: ClassVar[Literal["duplicate"]] = "duplicate"
    words: int
    outputs: int


@dataclass(frozen=True)
class Concat:
    """Joins maps along the channels, first input first.

    Whole pixels side by side, or ``pe`` channels a word, of each pixel the words of one input after
    those of another. Narrower elements are extended to ``element_bits`` (wires alone). ``input_bits``
    and ``is_signed`` are those of each input's elements. Where inputs take turns, each has a register
    for a word taken ahead.
    """

    kind: ClassVar[Literal["concat"]] = "concat"
    words: int
    input_channels: tuple[int, ...]
    input_bits: tuple[int, ...]
    is_signed: tuple[bool, ...]
    element_bits: int
    pe: int | None = None
    """Channels at once; None: whole pixels."""

    @property
    def takes_turns(self) -> bool:
        """Whether a step takes a word of one input, not of all."""
        return self.pe is not None

    @property
    def lanes(self) -> int:
        """Channels of a word out."""
        return sum(self.input_channels) if self.pe is None else self.pe

    @property
    def turns(self) -> tuple[int, ...]:
        """Words of each input a pixel."""
        return tuple(1 if self.pe is None else channels // self.pe for channels in self.input_channels)


@dataclass(frozen=True)
class Repeat:
    """Gives each pixel of a map again and again, or the only channel.

    ``row_counts`` and ``column_counts``: of how many rows (columns) out each of the map's is the source.
    With ``zeros`` it stands once, and zeros stand in its other places. ``widens_bits``: bits come in and
    -1, 0, +1 in two bits go out. A word in holds ``in_lanes`` channels: ``lanes``, as a word out, or the
    only one. A row is kept where it is written again.
    """

    kind: ClassVar[Literal["repeat"]] = "repeat"
    channels: int
    times: int
    row_counts: tuple[int, ...]
    column_counts: tuple[int, ...]
    lanes: int
    zeros: bool = False
    widens_bits: bool = False

    @property
    def in_lanes(self) -> int:
        """Channels of a word in."""
        return 1 if self.times > 1 else self.lanes

    @property
    def pixel_words_in(self) -> int:
        return self.channels // self.in_lanes

    @property
    def pixel_words_out(self) -> int:
        return self.channels * self.times // self.lanes

    @property
    def words_in(self) -> int:
        return len(self.row_counts) * len(self.column_counts) * self.pixel_words_in

    @property
    def words_out(self) -> int:
        return sum(self.row_counts) * sum(self.column_counts) * self.pixel_words_out

    @property
    def kept_words(self) -> int:
        """Words in that are kept: a row where rows come again, else a pixel; none for zeros."""
        if self.zeros or self.words_in == self.words_out:
            return 0
        return self.pixel_words_in * (len(self.column_counts) if max(self.row_counts) > 1 else 1)
