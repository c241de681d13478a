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
PoolStyle = Literal["line_buffered", "streaming"]
MemoryLayout = Literal["per_pe", "per_layer"]


class UnitDefaults(SpecModel):
    """Said once for all layers; a layer may say otherwise."""

    units: UnitLibrary = "hls"
    """Which library units come from. ``hls`` (Vivado/Vitis HLS) or ``rtl`` (FINN's): MVAUs and width
    converters; the others come from the library that has them. ``own``: every unit is one of this
    project's Verilog modules (``bnnsim rtl``), and costs what that module costs."""
    pipeline: Pipeline = "flushing"
    """Freezing: Vivado HLS of 2016-2019; flushing: Vitis HLS ``-pipeline_style flp``. RTL units
    flush; own units do either."""
    sliding_window: SlidingWindow = "row_buffer"
    """The unit that makes windows of a convolution's input."""
    fifo_words: Depth = 2
    """Depth of every stream that is not named."""
    weights: WeightMemory = "auto"
    """Where weights sit; ``auto``: LUTRAM for shallow memories, else block RAM."""
    memory: MemoryLayout = "per_layer"
    """One weight memory for each PE (BNN-PYNQ) or one for the layer (FINN today)."""


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
    inter_frame_gap_steps: Annotated[int, Field(ge=0, le=1 << 31)] = 20
    """Steps without a word between two frames; 20 is an HLS memory reader's loop entry and exit."""


class FrameSink(SpecModel):
    """The unit that takes the results; it is always ready."""
