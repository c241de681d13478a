"""Architecture specs: an accelerator's hardware (``arch_specs/*.yaml``)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bnnsim.spec.engine.blocks import (
    Array,
    Buffer,
    Frame,
    Host,
    LayerMapping,
    Port,
    Program,
    StageUnit,
)
from bnnsim.spec.engine.circuits import Control
from bnnsim.spec.model import Count, Depth, Name, SpecModel

Pipeline = Literal["freezing", "flushing"]
SlidingWindow = Literal[
    "row_buffer", "no_overlap", "full_frame_coupled", "rtl", "parallel", "line_buffer"
]
"""``parallel`` writes whole windows and takes a step between frames (finn-rtllib); ``line_buffer`` is
the same without that step."""
UnitLibrary = Literal["hls", "rtl"]
WeightMemory = Literal["auto", "bram", "lutram", "uram"]
MemoryLayout = Literal["per_pe", "per_layer"]
Tiling = Literal["timing", "area"]


class Budget(SpecModel):
    """What the accelerator may use; what is not named is the device's own amount."""

    lut: Count | None = None
    lutram: Count | None = None
    ff: Count | None = None
    bram18: Count | None = None
    uram: Annotated[int, Field(ge=0)] | None = None
    dsp: Annotated[int, Field(ge=0)] | None = None
    alm: Count | None = None
    m20k: Count | None = None
    power_w: Annotated[float, Field(gt=0)] | None = None


class UnitDefaults(SpecModel):
    """Said once for all layers; a layer may say otherwise."""

    units: UnitLibrary = "hls"
    """Which library the MVAUs and width converters come from: Vivado/Vitis HLS or RTL."""
    pipeline: Pipeline = "flushing"
    """Freezing: Vivado HLS of 2016-2019; flushing: Vitis HLS ``-pipeline_style flp``. RTL units flush."""
    sliding_window: SlidingWindow = "row_buffer"
    fifo_words: Depth = 2
    """Depth of every stream that is not named."""
    weights: WeightMemory = "auto"
    """Where weights sit; ``auto``: LUTRAM for shallow memories, else block RAM."""
    memory: MemoryLayout = "per_layer"
    """One weight memory for each PE (BNN-PYNQ) or one for the layer (FINN today)."""


class LayerHardware(SpecModel):
    """The unit that executes one layer."""

    pe: Count | None = None
    """Processing elements: output channels at once (threshold, add: channels at once)."""
    simd: Count | None = None
    """Lanes of a PE: matrix columns at once."""
    units: UnitLibrary | None = None
    pipeline: Pipeline | None = None
    sliding_window: SlidingWindow | None = None
    weights: WeightMemory | None = None
    memory: MemoryLayout | None = None
    accumulator_bits: Annotated[int, Field(ge=1, le=64)] | None = None
    """Width of one score where no thresholds follow; default: the smallest that holds every sum."""
    out_width_bits: Count | None = None
    """Width of the stream behind the layer; width converters are placed before it as needed."""
    out_fifo_words: Depth | None = None
    """Depth of the stream behind the layer's last unit."""
    pool: Literal["row", "flow"] = "row"
    """How a pool works: ``row`` reads the rows of its windows, then writes (HLS); ``flow`` takes a pixel
    a step without pause."""
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
    gap_steps: Annotated[int, Field(ge=0, le=1 << 31)] = 20
    """Steps without a word between two frames; 20 is an HLS memory reader's loop entry and exit."""


class FrameSink(SpecModel):
    """The unit that takes the results; it is always ready."""


class ArchitectureBase(SpecModel):
    """What every architecture says."""

    name: Name
    source: Annotated[str, Field(min_length=1)]
    """Where the structure comes from."""
    structure: Literal["complete", "inferred"] = "complete"
    """``inferred`` where part of the structure is a guess; ``notes`` then says which."""
    notes: str = ""
    device: Name
    clock_mhz: Annotated[float, Field(gt=0, le=2000, allow_inf_nan=False)]
    budget: Budget = Budget()
    tiling: Tiling = "timing"
    """How block memories are cut into blocks: ``timing`` side by side, as Vivado does unless told
    otherwise; ``area`` with the fewest blocks."""

    @model_validator(mode="after")
    def _inferred_is_explained(self) -> Self:
        if self.structure == "inferred" and not self.notes:
            raise ValueError("notes that say which part of an inferred structure is a guess")
        return self


class StreamingArchitecture(ArchitectureBase):
    """One unit a layer, all at work at once, FIFOs between."""

    style: Literal["streaming"]
    defaults: UnitDefaults = UnitDefaults()
    frame_source: FrameSource = FrameSource()
    frame_sink: FrameSink = FrameSink()
    layers: dict[str, LayerHardware]
    """Hardware by layer name; every conv, linear and threshold layer needs an entry."""
    fifo_words: dict[str, Depth] = {}
    """Depths of single streams by name (``writer->reader``); the others have their layer's or the
    default depth."""


class StreamingFront(SpecModel):
    """The network's first layers as a streaming pipeline in front of an engine.

    The engine's controller starts it for each frame and goes on when its last word is there; frames do
    not overlap in it.
    """

    until: Name
    """Its last layer; this one and all it depends on stream, and only this one feeds the engine."""
    defaults: UnitDefaults = UnitDefaults()
    frame_source: FrameSource = FrameSource()
    layers: dict[str, LayerHardware]
    fifo_words: dict[str, Depth] = {}


class EngineArchitecture(ArchitectureBase):
    """Arrays that execute the layers in turn, from on-chip buffers or through memory ports."""

    style: Literal["engine"]
    front: StreamingFront | None = None
    """First layers that stream; without it every layer runs on the engine."""
    arrays: Annotated[dict[str, Array], Field(min_length=1)]
    stages: dict[str, StageUnit] = {}
    buffers: dict[str, Buffer] = {}
    ports: dict[str, Port] = {}
    host: Host | None = None
    programs: Annotated[dict[str, Program], Field(min_length=1)]
    frame: Frame = Frame()
    control: Control | None = None
    """The controller, for its cost; default: a counter a loop and a state a step of the programs."""
    layers: dict[str, LayerMapping]
    """Where each layer of the network runs."""


Architecture = StreamingArchitecture | EngineArchitecture
