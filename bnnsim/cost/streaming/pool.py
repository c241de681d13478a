"""What a pool takes: accumulators of a row of windows, and what works on them."""

from __future__ import annotations

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import (
    adder_luts,
    comparator_luts,
    control,
    datapath,
    fixed_point_multiplier,
)
from bnnsim.cost.blocks.memories import Ports
from bnnsim.cost.blocks.parts import Part
from bnnsim.cost.blocks.storage import memory
from bnnsim.cost.blocks.technology import Technology
from bnnsim.cost.streaming.control import Tool, sequencing, stream_registers
from bnnsim.design.streaming.units import Pool
from bnnsim.spec.accelerator import WeightMemory


def pool_parts(tech: Technology, unit: Pool, tool: Tool) -> tuple[Part, ...]:
    """A pool: a row of partial results and a maximum, OR, count or sum on each lane."""
    bits = unit.state_bits
    width = unit.lanes * bits
    word_in, word_out = unit.lanes * unit.type.bits, unit.lanes * unit.output_type.bits
    counters = 3.0 if tool == "rtl" else tech["hls_pool_counters"]
    parts = (
        Part("row buffer", _accumulators(tech, unit, tool, width)),
        Part("pooling", datapath(tech, unit.lanes * _work_luts(tech, unit, bits), width)),
        Part("streams", stream_registers(tech, tool, word_in, word_out)),
        Part("control", sequencing(tech, tool, counters, unit.words_in)),
    )
    return (*parts, Part("division", _division(tech, unit, bits))) if unit.is_mean else parts


def _work_luts(tech: Technology, unit: Pool, bits: int) -> float:
    """What a lane does with the word that comes in."""
    if unit.adds:
        return adder_luts(tech, bits)
    if unit.function == "majority":
        return adder_luts(tech, bits) + comparator_luts(tech, bits)
    # The maximum of one-bit elements is an OR, four inputs of which fit one LUT with the select.
    return 1.0 if unit.type.bits == 1 else comparator_luts(tech, unit.type.bits) + unit.type.bits


def _accumulators(tech: Technology, unit: Pool, tool: Tool, width: int) -> Estimate:
    """A word for each window of a row and channel fold; registers where there is one.

    Of windows of a single row HLS keeps one at a time (finn-hlslib's pool in one dimension).
    """
    keeps_one = unit.kernel[0] == 1 and tool != "rtl"
    entries = (1 if keeps_one else unit.columns) * unit.channel_fold
    if entries == 1:
        return control(tech, 0, width)
    # The row is read, changed and written back in a step, so HLS needs both ports for it.
    ports: Ports = "true_dual" if tool != "rtl" and unit.type.is_bipolar else "simple_dual"
    style: WeightMemory = "auto" if ports == "true_dual" or unit.adds else "lutram"
    return memory(tech, width, entries, style, ports, "hls", "buffer")


def _division(tech: Technology, unit: Pool, bits: int) -> Estimate:
    """Rounding and saturation, two LUTs a bit; a window of no power of two is a product with its
    reciprocal, as wide as the sum."""
    out = unit.output_type.bits
    rounds = datapath(tech, unit.lanes * out * 2, unit.lanes * out)
    if unit.taps & (unit.taps - 1) == 0:
        return rounds + Amounts()
    return rounds + fixed_point_multiplier(tech, bits, bits + 1) * unit.lanes
