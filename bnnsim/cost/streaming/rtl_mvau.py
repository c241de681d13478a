"""What FINN's RTL MVAU takes on DSP48 slices, counted from its Verilog (finn-rtllib/mvu).

Each slice multiplies one input with the weights of several PEs, which lie side by side in its wide
operand: of four PEs where weights and inputs have at most four bits, else of two. A lane's low bits are
summed over all SIMD slices in LUTs; what runs over from one lane into the next is told from two bits of
the product that are computed beside the slice. What comes out waits in a queue of two words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bnnsim.cost.blocks.amounts import Amounts, Estimate
from bnnsim.cost.blocks.logic import adder_luts
from bnnsim.cost.blocks.storage import memory
from bnnsim.cost.blocks.technology import Technology
from bnnsim.design.streaming.units import Mvau

NARROW_BITS = 4
"""Operands up to this width are packed four to a slice, wider ones two."""
NARROW_LANE_BITS = 7
"""A lane's bits where four are packed into a DSP48E1."""
CANARY_LUTS, CANARY_FFS = 5, 6
"""Beside each slice and boundary of lanes: two bits of a product, their sum, and the difference."""
QUEUE_WORDS = 2
STATE_LUTS, STATE_FFS = 20, 33
"""Handshakes, and the marks that go along the five stages."""
REPLAY_COUNTERS = 3
"""Of the buffer that gives a vector again: where it is written, read and let go."""


@dataclass(frozen=True)
class Lane:
    """One PE's place in a slice: the bits below the next lane, and whether there is one above it."""

    bits: int
    runs_over: bool


def _macs_a_slice(tech: Technology, unit: Mvau) -> int:
    """Products that one DSP48 slice holds."""
    is_narrow = max(unit.weight_type.bits, unit.input_type.bits) <= NARROW_BITS
    return int(tech["finn_rtl_macs_per_dsp" if is_narrow else "finn_rtl_wide_macs_per_dsp"])


def rtl_core(tech: Technology, unit: Mvau) -> Estimate:
    """Slices, what adds them up, the queue behind them, and the counters around them."""
    packed = _macs_a_slice(tech, unit)
    full, left = divmod(unit.pe, packed)
    luts = ffs = 0.0
    for count, pes in ((full, packed), (1, left)):
        for lane in _lanes(unit, pes, packed):
            lane_luts, lane_ffs = _lane(tech, unit, lane)
            luts, ffs = luts + count * lane_luts, ffs + count * lane_ffs
    bits = _counter_bits(unit)
    queue = QUEUE_WORDS * unit.pe * unit.sum_type.bits
    held = unit.in_lanes * unit.input_type.bits
    return Amounts(
        lut_logic=luts + adder_luts(tech, bits) + STATE_LUTS,
        ff=ffs + queue + held + bits + STATE_FFS,
        dsp=math.ceil(unit.pe / packed) * unit.simd,
    )


def replay_memory(tech: Technology, unit: Mvau) -> Estimate:
    """Keeps the input vector for the later neuron folds."""
    if unit.neuron_fold == 1:
        return Amounts()
    width = unit.in_lanes * unit.input_type.bits
    return memory(tech, width, unit.synapse_fold, "lutram", "simple_dual")


def _lanes(unit: Mvau, pes: int, packed: int) -> list[Lane]:
    """The lanes of a slice that works for so many PEs; the highest takes the whole sum."""
    if not pes:
        return []
    low = NARROW_LANE_BITS if packed > 2 else unit.weight_type.bits + unit.input_type.bits
    return [*[Lane(low, True)] * (pes - 1), Lane(unit.sum_type.bits, False)]


def _lane(tech: Technology, unit: Mvau, lane: Lane) -> tuple[float, float]:
    """LUTs and flip-flops of one PE: the sum over all slices, what runs over, the result."""
    total, simd = unit.sum_type.bits, unit.simd
    grown = lane.bits + math.ceil(math.log2(simd))
    # Two sums of three numbers in a LUT a bit (UG474: a LUT6 and the carry chain add three).
    adders = math.ceil((simd - 1) / 2)
    luts = adders * adder_luts(tech, (lane.bits + 1 + grown) / 2)
    ffs = float(grown + total)
    if lane.runs_over:
        over = 1 + math.ceil(math.log2(2 ** max(0, total - lane.bits - 1) + simd))
        tree = (simd - 1) * adder_luts(tech, 3)
        # The result of this lane, and of the one above, what ran over taken off.
        luts += simd * CANARY_LUTS + tree + adder_luts(tech, over) + 2 * adder_luts(tech, total)
        ffs += simd * CANARY_FFS + over
    return luts, ffs


def _counter_bits(unit: Mvau) -> int:
    """Bits of the counters: the vector that is given again, neuron folds, addresses of weights."""
    counts = [unit.synapse_fold] * REPLAY_COUNTERS + [unit.neuron_fold, unit.memory_depth_words]
    return sum((count - 1).bit_length() for count in counts)
