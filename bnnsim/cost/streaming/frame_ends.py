"""What brings frames in and takes results: both ends of a pipeline, at memory."""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts
from bnnsim.cost.blocks.logic import loop_bound
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.storage import dma_port
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.streaming.stream_units import sequencing
from bnnsim.design.streaming.units import Sink, Source
from bnnsim.spec.streaming.hardware import UnitLibrary


def source_parts(
    tech: Technology, unit: Source, library: UnitLibrary, width_bits: int
) -> tuple[Part, ...]:
    """Frame source: address counter, loop bound, and its half of the memory port."""
    return (
        memory_port(tech, width_bits, reads=True, has_logic=True),
        Part("control", sequencing(tech, library, 2.0, unit.words) + loop_bound(tech, unit.words)),
    )


def sink_parts(
    tech: Technology, unit: Sink, width_bits: int, has_own_port: bool = False
) -> tuple[Part, ...]:
    """Frame sink: the write buffer of the memory port, whose logic the source already has.

    A second output of the network has no source to share with: a memory port of its own.
    """
    return (
        memory_port(tech, width_bits, reads=False, has_logic=has_own_port),
        Part("control", sequencing(tech, "hls", 2.0, unit.words) + loop_bound(tech, unit.words)),
    )


def memory_port(tech: Technology, width_bits: int, reads: bool, has_logic: bool) -> Part:
    """One direction of a memory port; only its buffer where the other direction has the logic."""
    port = dma_port(tech, width_bits, reads=reads, writes=not reads)
    if not has_logic:
        port = Amounts(bram18=port.bram18, m20k=port.m20k, lutram=port.lutram)
    return Part("memory port", port)
