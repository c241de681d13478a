"""Streaming architectures (``style: streaming``)."""

from __future__ import annotations

from typing import Literal

from bnnsim.spec.accelerator import ArchitectureBase
from bnnsim.spec.model import Depth
from bnnsim.spec.streaming.hardware import FrameSink, FrameSource, LayerHardware, UnitDefaults


class StreamingArchitecture(ArchitectureBase):
    """One unit a layer, all at work at once, FIFOs between."""

    style: Literal["streaming"]
    """This kind of architecture."""
    defaults: UnitDefaults = UnitDefaults()
    """Said once for all layers."""
    frame_source: FrameSource = FrameSource()
    """The unit that brings frames in."""
    frame_sink: FrameSink = FrameSink()
    """The unit that takes the results."""
    layers: dict[str, LayerHardware]
    """Hardware by layer name; every conv, linear and threshold layer needs an entry."""
    fifo_words: dict[str, Depth] = {}
    """Depths of single streams by name (``writer->reader``); the others have their layer's or the
    default depth."""
