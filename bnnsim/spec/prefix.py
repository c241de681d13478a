"""The streaming prefix of an engine: where the two kinds of architecture meet."""

from __future__ import annotations

from bnnsim.spec.model import Depth, Name, SpecModel
from bnnsim.spec.streaming.hardware import FrameSource, LayerHardware, UnitDefaults


class StreamingPrefix(SpecModel):
    """The network's first layers as a streaming pipeline in front of an engine.

    The engine's controller starts it for each frame and goes on when its last word is there; frames do
    not overlap in it.
    """

    until: Name
    """Its last layer; this one and all it depends on stream, and only this one feeds the engine."""
    defaults: UnitDefaults = UnitDefaults()
    """Said once for all of its layers."""
    frame_source: FrameSource = FrameSource()
    """The unit that brings frames in."""
    layers: dict[str, LayerHardware]
    """Hardware by layer name."""
    fifo_words: dict[str, Depth] = {}
    """Depths of single streams by name (``writer->reader``)."""
