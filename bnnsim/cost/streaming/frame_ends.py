"""What brings frames in and takes results: both ends of a pipeline, at memory.

Vivado HLS's DMAs have a memory port as wide as their stream. FINN's since 2020 have one as wide as the
shell's ports or, where that does not divide a frame, as wide as does; HLS converters lead from there to
the stream, over a word that both widths divide (FINN's ``insert_iodma.py`` and ``iodma_hls.py``).
"""

from __future__ import annotations

from itertools import pairwise
from math import gcd, lcm

from bnnsim.cost.blocks.amounts import Estimate, add_up
from bnnsim.cost.blocks.logic import control, loop_bound
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.storage import dma_port
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.streaming.control import sequencing, stream_registers
from bnnsim.design.streaming.units import Sink, Source
from bnnsim.spec.streaming.hardware import HlsTool

MEMORY_PORT = "memory port"


def source_parts(
    tech: Technology, unit: Source, width_bits: int, hls_tool: HlsTool
) -> tuple[Part, ...]:
    """Frame source: a DMA that reads memory and writes a stream."""
    port = memory_port(tech, unit, width_bits, hls_tool)
    if not unit.counts_frames:
        return (port,)
    return port, Part("control", loop_bound(tech, unit.words))


def sink_parts(tech: Technology, unit: Sink, width_bits: int, hls_tool: HlsTool) -> tuple[Part, ...]:
    """Frame sink: a DMA that reads a stream and writes memory."""
    return (memory_port(tech, unit, width_bits, hls_tool),)


def memory_port(
    tech: Technology, unit: Source | Sink, width_bits: int, hls_tool: HlsTool = "vitis_hls"
) -> Part:
    """One direction of a memory port, and what leads from its words to those of the stream."""
    reads = isinstance(unit, Source)
    if hls_tool == "vivado_hls":
        return Part(MEMORY_PORT, dma_port(tech, width_bits, reads=reads, writes=not reads))
    stream_bits = -(-width_bits // 8) * 8
    widest = int(tech["zynq_port_bits" if tech.is_zynq else "card_port_bits"])
    port_bits = gcd(unit.words * stream_bits, widest)
    port = dma_port(tech, port_bits, reads=reads, writes=not reads)
    # Over a word that both widths divide; at the memory's side of each converter is a stream.
    widths = (port_bits, lcm(port_bits, stream_bits), stream_bits)
    steps = [(near, far) for near, far in pairwise(widths) if near != far]
    streams = stream_registers(tech, hls_tool, width_bits, *(near for near, _ in steps))
    converters = add_up(_converter(tech, near, far, unit.words, reads) for near, far in steps)
    return Part(MEMORY_PORT, port + streams + converters)


def _converter(tech: Technology, near: int, far: int, words: int, reads: bool) -> Estimate:
    """The wide word, shifted in, or loaded and shifted out, and its counters.

    ``near`` are the bits at the memory's side.
    """
    wide = max(near, far)
    narrows = near > far if reads else far > near
    shift = control(tech, wide if narrows else 0, wide)
    return shift + sequencing(tech, "vitis_hls", tech["hls_converter_counters"], words)
