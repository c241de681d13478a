"""The units of a pipeline: what all say, what a layer's says, and both ends of the pipeline."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bnnsim.spec.accelerator import WeightMemory
from bnnsim.spec.model import Count, Depth, SpecModel

Pipeline = Literal["freezing", "flushing"]
SlidingWindow = Literal[
    "row_buffer", "no_overlap", "full_frame_coupled", "rtl", "parallel", "line_buffer"
]
"""``parallel`` writes whole windows and takes a step between frames (finn-rtllib); ``line_buffer`` is
the same without that step."""
UnitLibrary = Literal["hls", "rtl", "own"]
"""``own``: the Verilog modules of this project, which ``bnnsim rtl`` writes."""
StreamLibrary = Literal["hls", "rtl"]
"""Where width converters or FIFOs come from."""
PoolStyle = Literal["line_buffered", "streaming"]
MemoryLayout = Literal["per_pe", "per_layer"]
Products = Literal["auto", "lut", "dsp"]
HlsTool = Literal["vivado_hls", "vitis_hls"]
Steps = Annotated[int, Field(ge=0, le=1 << 31)]
Stages = Annotated[int, Field(ge=1, le=64)]
MAX_SUM_BITS, MAX_QUEUE_WORDS = 64, 16
SumBits = Annotated[int, Field(ge=1, le=MAX_SUM_BITS)]
Queue = Annotated[int, Field(ge=0, le=MAX_QUEUE_WORDS)]
"""Words of a queue whose bits share a LUT by two."""


class UnitDefaults(SpecModel):
    """Said once for all layers; a layer may say otherwise."""

    units: UnitLibrary = "hls"
    """Which library units come from. ``hls`` (Vivado/Vitis HLS) or ``rtl`` (FINN's): MVAUs and width
    converters; the others come from the library that has them. ``own``: every unit is one of this
    project's Verilog modules (``bnnsim rtl``), and costs what that module costs."""
    pipeline: Pipeline = "flushing"
    """Freezing: Vivado HLS of 2016-2019; flushing: Vitis HLS ``-pipeline_style flp``. RTL units
    flush; own units do either."""
    hls_tool: HlsTool | None = None
    """What makes HLS units, for what they cost: Vivado HLS (2016 to 2019) or Vitis HLS (since 2020);
    default: the one whose ``pipeline`` it is."""
    sliding_window: SlidingWindow = "row_buffer"
    """The unit that makes windows of a convolution's input."""
    fifo_words: Depth = 2
    """Depth of every stream that is not named."""
    weights: WeightMemory = "auto"
    """Where weights sit; ``auto``: LUTRAM for shallow memories, else block RAM."""
    memory: MemoryLayout = "per_layer"
    """One weight memory for each PE (BNN-PYNQ) or one for the layer (FINN today)."""
    sum_bits: SumBits | None = None
    """Width of an HLS MVAU's sums and thresholds, for what they cost; default: what sums of any weights
    need. A FINN build's ``accDataType``: 32 without ``step_minimize_bit_width``, with it what the trained
    weights need."""
    weight_queue_words: Queue = 0
    """Words that wait behind the weight memory of a layer, for what they cost: 8 in FINN's builds since
    October 2025, 0 before. Memories of each PE have none."""
    products: Products = "auto"
    """What multiplies: LUTs, DSP slices, or what the tool takes by itself: DSP slices where Vitis HLS
    (``pipeline: flushing``) sees inputs of two bits or more and in RTL MVAUs, else LUTs."""
    converters: StreamLibrary | None = None
    """Library of width converters where it is not that of ``units``: FINN since 2022 has HLS MVAUs
    between RTL converters."""
    fifos: StreamLibrary | None = None
    """Library of the streams' FIFOs; default: ``hls`` for Vivado HLS (``pipeline: freezing``), FINN's RTL
    for all others. Own units have their own."""
    fifo_srl_words: Count = 256
    """Depth up to which an RTL FIFO is a shift register; deeper ones are block RAM."""
    restart_steps: Steps = 0
    """Steps without words that an HLS unit takes between frames; 7 to 12 where each frame is a call of
    its own (FINN since 2020), 0 where a loop over frames is inside (BNN-PYNQ). A ``top_k`` has its own
    pause, which is known."""
    mvau_stages: Stages = 6
    """Pipeline stages of an HLS MVAU: 6 in BNN-PYNQ (Vivado HLS, 10 ns); 4 gives the latencies that were
    measured of a FINN MLP in two foldings."""
    window_memory: WeightMemory = "lutram"
    """What an ``rtl`` sliding window keeps its rows in; FINN's default is LUTs."""


class LayerHardware(SpecModel):
    """The unit that executes one layer."""

    pe: Count | None = None
    """Processing elements: output channels at once; of a grouped convolution a divisor of a group's rows,
    or all rows of several groups, which then work side by side. Of layers without weights the channels
    a word; a pool or concat without it takes whole pixels."""
    simd: Count | None = None
    """Lanes of a PE: matrix columns at once."""
    units: UnitLibrary | None = None
    """As in ``defaults``, for this layer."""
    pipeline: Pipeline | None = None
    """As in ``defaults``, for this layer."""
    sliding_window: SlidingWindow | None = None
    """As in ``defaults``, for this layer."""
    weights: WeightMemory | None = None
    """As in ``defaults``, for this layer."""
    memory: MemoryLayout | None = None
    """As in ``defaults``, for this layer."""
    sum_bits: SumBits | None = None
    """As in ``defaults``, for this layer."""
    weight_queue_words: Queue | None = None
    """As in ``defaults``, for this layer."""
    products: Products | None = None
    """As in ``defaults``, for this layer."""
    converters: StreamLibrary | None = None
    """As in ``defaults``, for the converters of this layer."""
    fifos: StreamLibrary | None = None
    """As in ``defaults``, for the streams that this layer's units write."""
    fifo_srl_words: Count | None = None
    """As in ``defaults``, for the streams that this layer's units write."""
    restart_steps: Steps | None = None
    """As in ``defaults``, for this layer."""
    mvau_stages: Stages | None = None
    """As in ``defaults``, for this layer."""
    window_memory: WeightMemory | None = None
    """As in ``defaults``, for this layer."""
    simd_window: Count | None = None
    """Channels a word of the sliding window; default: the MVAU's ``simd`` or the next wider word. A width
    converter joins them to the MVAU's words."""
    simd_pad: Count | None = None
    """Channels a word of the unit that adds a border; default: those of the sliding window. A width
    converter joins the two."""
    window_of: str | None = None
    """A convolution in front whose sliding window this one reads too, in the words of that one's MVAU: of
    the same input, kernel, stride, dilation, border and groups (several weight bases of one
    convolution)."""
    weight_frames: Literal[1, 2] | None = None
    """Frames of a ``matmul``'s matrix that are kept: 2 (default), one comes in while the other is used;
    1, the next frame's waits until the last vector of this one has passed."""
    accumulator_bits: Annotated[int, Field(ge=1, le=64)] | None = None
    """Width of one score where no thresholds follow; default: the smallest that holds every sum."""
    out_width_bits: Count | None = None
    """Width of the stream behind the layer; width converters are placed before it as needed."""
    out_fifo_words: Depth | None = None
    """Depth of the stream behind the layer's last unit."""
    pool: PoolStyle | None = None
    """How a pool works: ``line_buffered`` reads the rows of its windows, then writes (HLS); ``streaming``
    takes a word a step without pause. Default: line_buffered, of sums and means streaming. Windows that
    overlap or reach over the edge come from a sliding-window unit, and the pool is streaming."""
    deep_pipeline: bool = True
    """RTL thresholding only: two stages a bit instead of one."""


class FrameSource(SpecModel):
    """The unit that brings frames in from memory."""

    width_bits: Count | None = None
    """Width of its words; default: one pixel."""
    out_width_bits: Count | None = None
    """Width after converters directly behind it."""
    out_fifo_words: Depth | None = None
    """Depth of the last of those streams."""
    inter_frame_gap_steps: Steps = 20
    """Steps without a word between two frames; 20 is an HLS memory reader's loop entry and exit."""
    burst_frames: Count = 1
    """Frames that are read in one burst."""
    burst_start_steps: Steps = 0
    """Steps before the first word of a burst: the memory's latency. The first burst's are taken before
    the first frame; those of later bursts in equal shares by every frame, rounded up to whole steps."""


class FrameSink(SpecModel):
    """The unit that takes the results."""

    steps_a_word: Count = 1
    """Cycles from one word to the next at the earliest; 1: ready in every cycle."""
    inter_frame_gap_steps: Steps = 0
    """Cycles between two frames in which it takes nothing."""
