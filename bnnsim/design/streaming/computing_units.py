"""Parameters of the units that compute: MVAUs, pools, thresholds, scales, adders, label selects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bnnsim.spec.accelerator import WeightMemory
from bnnsim.spec.streaming.hardware import MemoryLayout, PoolStyle, Products
from bnnsim.spec.value_type import ValueType, integer_type
from bnnsim.spec.workload import Accumulator, Compare

PoolFunction = Literal["max", "majority", "sum", "mean", "rounded_mean"]


@dataclass(frozen=True)
class Mvau:
    """Matrix-vector-activation unit: ``pe`` rows by ``simd`` columns a cycle.

    ``matrix_height`` and ``matrix_width`` are those of one group; ``vectors`` input vectors a frame
    (output pixels x groups). PE p computes row ``neuron fold * pe + p``. Columns run kernel row, kernel
    column, channel within blocks of ``channel_block`` channels.

    With ``group_lanes`` above 1 so many groups are at work side by side, each with its own part of the
    PEs and of the input word: ``groups`` counts such sets, ``matrix_height`` a set's rows, all of which
    have a PE. A word in then holds ``simd`` columns of each group: pixel by pixel, group by group.

    With ``weights_stream`` weights come as a second input, a word a step, and the first has a register
    for a word taken ahead where it is not read in every step.
    """

    kind: ClassVar[Literal["mvau"]] = "mvau"
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
    accumulator: Accumulator
    output_type: ValueType
    output_bits: int
    thresholds: int
    compare: Compare | Literal[""]
    weight_memory: WeightMemory
    memory_layout: MemoryLayout
    stages: int = 6
    """Pipeline stages of one that HLS makes."""
    sum_bits: int = 0
    """Width that sums and thresholds are declared with; 0: what sums of any weights need."""
    queue_words: int = 0
    """Words that wait behind the weight memory of the layer."""
    products: Products = "auto"
    """What multiplies: LUTs, DSP slices, or what the tool that makes the unit takes by itself."""
    levels_in: int = 1
    """Words an input element comes in, one a level, level fastest (residual binarization)."""
    levels_out: int = 1
    """Words an output element goes out in, likewise."""
    lowest: int = 0
    """What is put out where no threshold fires; 0, the bit, where bipolar."""
    group_lanes: int = 1
    codebook: int = 0
    """Kernels that are kept once, and a number for each pair of channels in their place; 0: weights."""
    taps: int = 1
    """Of a kernel, where there is a codebook."""
    weights_stream: bool = False

    @property
    def waits_its_turn(self) -> bool:
        """Whether there are steps that read weights alone."""
        return self.weights_stream and self.neuron_fold > 1

    @property
    def number_bits(self) -> int:
        """Of the number of a kernel."""
        return max(1, (self.codebook - 1).bit_length())

    @property
    def in_lanes(self) -> int:
        """Elements of a word in."""
        return self.simd * self.group_lanes

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
        """Words of each PE's weight memory: of weights, or of the numbers of kernels."""
        return self.fold * self.groups // (self.taps if self.codebook else 1)

    @property
    def memory_bits(self) -> int:
        """Of a PE's word."""
        return self.simd * (self.number_bits if self.codebook else self.weight_type.bits)

    @property
    def is_binary(self) -> bool:
        return self.weight_type.is_bipolar and self.input_type.is_bipolar

    @property
    def is_residual(self) -> bool:
        """Whether activations are residual on either side."""
        return self.input_type.is_residual or self.output_type.is_residual

    @property
    def has_integer_means(self) -> bool:
        """Whether it is so in integers, nothing rounded."""
        return self.input_type.has_integer_means or self.output_type.has_integer_means

    @property
    def words_in(self) -> int:
        return self.vectors * self.synapse_fold * self.levels_in

    @property
    def words_out(self) -> int:
        return self.vectors * self.neuron_fold * self.levels_out


@dataclass(frozen=True)
class Pool:
    """Pool over windows: largest, majority, sum or mean.

    ``lanes`` channels a word; windows do not overlap. Each channel of a pooled column has an
    accumulator. Rows and columns that fill no window are read and dropped. A mean's fraction is cut
    off (``mean``) or rounded half up (``rounded_mean``). Windows that overlap are laid out one behind
    the other by a sliding-window unit: a map of one window a row.
    """

    kind: ClassVar[Literal["pool"]] = "pool"
    function: PoolFunction
    channels: int
    height: int
    width: int
    kernel: tuple[int, int]
    type: ValueType
    compare: Compare = ">="
    style: PoolStyle = "line_buffered"
    """``line_buffered`` (HLS) reads the rows of a window, then writes them; ``streaming`` writes a pixel
    as soon as its window is complete."""
    levels: int = 1
    """Words an element comes in (residual binarization: one a level, in turn)."""
    pe: int | None = None
    """Channels at once; None: whole pixels."""
    made_type: ValueType | None = None
    """Of what leaves; None: of what comes in."""

    @property
    def lanes(self) -> int:
        """Channels a word."""
        return self.channels if self.pe is None else self.pe

    @property
    def channel_fold(self) -> int:
        return self.channels // self.lanes

    @property
    def output_type(self) -> ValueType:
        return self.made_type or self.type

    @property
    def is_mean(self) -> bool:
        return self.function in ("mean", "rounded_mean")

    @property
    def adds(self) -> bool:
        """Whether windows are summed up."""
        return self.is_mean or self.function == "sum"

    @property
    def taps(self) -> int:
        """Pixels of a window."""
        return self.kernel[0] * self.kernel[1]

    @property
    def state_bits(self) -> int:
        """Bits of one channel's accumulator: a sum, a count of ones, or the largest so far."""
        if self.function == "majority":
            return self.taps.bit_length()
        if not self.adds:
            return self.type.bits // self.levels
        return integer_type(self.taps * self.type.minimum, self.taps * self.type.maximum).bits

    @property
    def pixel_words(self) -> int:
        """Words a pixel: channel folds, each of so many levels."""
        return self.channel_fold * self.levels

    @property
    def columns(self) -> int:
        """Windows side by side."""
        return self.width // self.kernel[1]

    @property
    def words_in(self) -> int:
        return self.height * self.width * self.pixel_words

    @property
    def words_out(self) -> int:
        return self.height // self.kernel[0] * self.columns * self.pixel_words

    @property
    def words_pooled(self) -> int:
        """Words of the rows that fill windows; those after them are dropped."""
        return (self.height - self.height % self.kernel[0]) * self.width * self.pixel_words


@dataclass(frozen=True)
class Threshold:
    """Thresholding unit: ``pe`` channels a cycle, ``thresholds`` a channel."""

    kind: ClassVar[Literal["thresholding"]] = "thresholding"
    pe: int
    channels: int
    words: int
    input_type: ValueType
    input_bits: int
    output_type: ValueType
    thresholds: int
    compare: Compare
    deep_pipeline: bool
    lowest: int = 0
    """What is put out where no threshold fires; 0, the bit, where bipolar."""


@dataclass(frozen=True)
class Scale:
    """Fixed-point map of each element by its channel's numbers.

    ``pe`` channels a cycle. ``function`` ``affine``: scale x x + bias; ``prelu``: x, or slope x x
    where x is negative. Rounded half up and saturated to ``output_type``. With ``shift_bits`` the
    product is rounded while it is shifted to the output's point, where the bias is added; without,
    the exact sum is rounded once.
    """

    kind: ClassVar[Literal["scale"]] = "scale"
    function: Literal["affine", "prelu"]
    pe: int
    channels: int
    words: int
    input_type: ValueType
    input_bits: int
    output_type: ValueType
    multiplier_type: ValueType
    """Of the scale or slope."""
    bias_type: ValueType | None = None
    shift_bits: int | None = None


@dataclass(frozen=True)
class Add:
    """Adds ``lanes`` elements of every input in a step."""

    kind: ClassVar[Literal["add"]] = "add"
    lanes: int
    words: int
    input_types: tuple[ValueType, ...]
    input_bits: tuple[int, ...]
    output_type: ValueType
    output_bits: int


@dataclass(frozen=True)
class Multiply:
    """Exact products of ``lanes`` elements of two inputs a step."""

    kind: ClassVar[Literal["multiply"]] = "multiply"
    lanes: int
    words: int
    input_types: tuple[ValueType, ValueType]
    input_bits: tuple[int, int]
    output_type: ValueType
    output_bits: int

    @property
    def is_of_numbers(self) -> bool:
        """Whether neither factor is a sign, which only chooses between a number and its negative."""
        return not any(one.is_bipolar for one in self.input_types)


@dataclass(frozen=True)
class Lookup:
    """A function in a table, ``pe`` elements a cycle, a table for each.

    A table holds for each of ``segments`` pieces the value at its beginning and the rise to the next;
    an element's integer, less ``low`` and held within the table, is a piece's number and ``shift_bits``
    bits of the way through it.
    """

    kind: ClassVar[Literal["lookup"]] = "lookup"
    pe: int
    words: int
    input_type: ValueType
    input_bits: int
    output_type: ValueType
    low: int
    shift_bits: int
    segments: int


@dataclass(frozen=True)
class LabelSelect:
    """The positions of the ``top`` largest of ``labels`` scores.

    The largest comes first, of equal scores the one at the lower position. ``pe`` scores a word in, one
    position a word out; of a map a pixel at a time.
    """

    kind: ClassVar[Literal["label_select"]] = "label_select"
    pe: int
    labels: int
    top: int
    pixels: int
    input_type: ValueType
    input_bits: int
    output_type: ValueType

    @property
    def fold(self) -> int:
        """Words in a pixel."""
        return self.labels // self.pe

    @property
    def words_in(self) -> int:
        return self.pixels * self.fold

    @property
    def words_out(self) -> int:
        return self.pixels * self.top
