"""Streaming architectures (``style: streaming``)."""

from __future__ import annotations

from typing import Literal

from bnnsim.spec.accelerator import ArchitectureBase
from bnnsim.spec.model import Depth
from bnnsim.spec.streaming.hardware import (
    FrameSink,
    FrameSource,
    HlsTool,
    LayerHardware,
    UnitDefaults,
)
from bnnsim.spec.streaming.platform import Platform, PlatformName


class StreamingArchitecture(ArchitectureBase):
    """One unit a layer, all at work at once, FIFOs between."""

    style: Literal["streaming"]
    """This kind of architecture."""
    defaults: UnitDefaults = UnitDefaults()
    """Said once for all layers."""
    frame_source: FrameSource = FrameSource()
    """The unit that brings frames in."""
    frame_sink: FrameSink = FrameSink()
    """What takes the results, and how often it is ready."""
    layers: dict[str, LayerHardware]
    """Hardware by layer name; every conv, linear and threshold layer needs an entry."""
    platform: PlatformName | Platform = "auto"
    """What connects the pipeline with processor and memory: a known one or one of your own."""
    fifo_words: dict[str, Depth] = {}
    """Depths of single streams by name (``writer->reader``); the others have their layer's or the
    default depth."""

    @property
    def hls_tool(self) -> HlsTool:
        """What makes HLS units, as said or by the default pipeline."""
        by_pipeline: HlsTool = "vivado_hls" if self.defaults.pipeline == "freezing" else "vitis_hls"
        return self.defaults.hls_tool or by_pipeline

    @property
    def has_dmas(self) -> bool:
        """Whether DMAs bring frames in and take results."""
        return self.platform != "out-of-context"

    @property
    def is_one_core(self) -> bool:
        """Whether Vivado HLS (2016 to 2019) makes one core of all units."""
        return self.defaults.units == "hls" and self.hls_tool == "vivado_hls"
