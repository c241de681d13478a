"""What tool made a unit, and the counters, handshakes and stream registers that it gives every unit.

Vivado HLS of 2016 to 2019 builds one core: 32-bit counters, loop bounds times the number of frames, and
beside every process a stream that carries this number. Vitis HLS (FINN since 2020) builds each unit by
itself: counters as wide as they must be, and registers for two words on every AXI stream. RTL units
have their own counters and no registers but those of their function.
"""

from __future__ import annotations

from typing import Literal

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.fifos import loop_count_stream
from bnnsim.cost.blocks.logic import control, counter, loop_bound, state_machine
from bnnsim.cost.blocks.technology import Technology
from bnnsim.spec.streaming.hardware import HlsTool

Tool = HlsTool | Literal["rtl"]
SLICE_LUTS_PER_BIT = 0.5
"""Two words to select from a bit; two selects share a LUT (UG474)."""


def sequencing(
    tech: Technology, tool: Tool, counters: float, steps: int, bounds: tuple[int, ...] = ()
) -> Estimate:
    """Counters and handshake of a unit that does ``steps`` steps a frame.

    ``bounds`` are loop bounds that Vivado HLS multiplies with the number of frames.
    """
    if tool == "vivado_hls":
        sized = counter(tech, int(tech["hls_counter_bits"])) * counters + state_machine(tech, 1)
        for trips in bounds:
            sized = sized + loop_bound(tech, trips)
        return sized + loop_count_stream(tech)
    bits = max(1, (steps - 1).bit_length())
    needed = counter(tech, bits) * counters + state_machine(tech, 1)
    if tool == "vitis_hls":
        return needed + Amounts(lut_logic=tech["vitis_control_luts"], ff=tech["vitis_control_ffs"])
    return needed


def stream_registers(tech: Technology, tool: Tool, *widths_bits: int) -> Estimate:
    """Registers for two words on each AXI stream of a Vitis HLS unit; the others have none.

    Bits that fill a word up to bytes are constant or not read, and synthesis removes them.
    """
    if tool != "vitis_hls":
        return Amounts()
    bits = sum(widths_bits)
    return control(tech, SLICE_LUTS_PER_BIT * bits, 2 * bits)
