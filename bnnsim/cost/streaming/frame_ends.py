"""What brings frames in and takes results: both ends of a pipeline, at memory."""

from __future__ import annotations

from bnnsim.cost.blocks.logic import loop_bound
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.storage import dma_port
from bnnsim.cost.blocks.technology import Technology
from bnnsim.design.streaming.units import Sink, Source


def source_parts(tech: Technology, unit: Source, width_bits: int) -> tuple[Part, ...]:
    """Frame source: a DMA that reads memory and writes a stream."""
    port = memory_port(tech, width_bits, reads=True)
    if not unit.counts_frames:
        return (port,)
    return port, Part("control", loop_bound(tech, unit.words))


def sink_parts(tech: Technology, unit: Sink, width_bits: int) -> tuple[Part, ...]:
    """Frame sink: a DMA that reads a stream and writes memory."""
    return (memory_port(tech, width_bits, reads=False),)


def memory_port(tech: Technology, width_bits: int, reads: bool) -> Part:
    """One direction of a memory port."""
    return Part("memory port", dma_port(tech, width_bits, reads=reads, writes=not reads))
