"""How often the bits of a pipeline change."""

from __future__ import annotations

from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.switching import Activity, frame_bits, product_toggles, work_shares
from bnnsim.cost.usage import PLATFORM
from bnnsim.datapath.streaming.toggles import ToggleCount
from bnnsim.design.design import Design
from bnnsim.design.streaming.units import Mvau, Unit

RANDOM_WEIGHTS = 0.5
"""Toggles a step of weights that change with every step: those of a trained network look random."""


def measured_activity(design: Design, toggles: ToggleCount, interval: float) -> Activity:
    """Toggles per bit and cycle, frames following each other every ``interval`` cycles.

    What an MVAU works on are its operands' products with weights. Where they fold, another weight meets
    the operand in every step, so a product changes even where its operand does not.
    """
    cycles = toggles.frames * interval
    streams = {
        s.name: toggles.streams[s.name] / (s.width_bits * cycles) for s in design.graph.streams
    }
    work = work_shares(design, interval)
    units, memories = {}, {}
    for unit in design.graph.units:
        if unit.name in toggles.operands:
            bits = design.graph.stream_by_name[unit.inputs[0]].width_bits
            steps = work[unit.name] * interval
            weights = RANDOM_WEIGHTS if _is_folded(unit) else 0.0
            operand = toggles.operands[unit.name] / (bits * toggles.frames * steps)
            units[unit.name] = product_toggles(operand, weights) * work[unit.name]
            memories[unit.name] = toggles.accesses[unit.name] / cycles
            continue
        touched = [design.graph.stream_by_name[name] for name in (*unit.inputs, *unit.outputs)]
        bits = sum(s.width_bits for s in touched)
        units[unit.name] = sum(toggles.streams[s.name] for s in touched) / (bits * cycles)
        memories[unit.name] = min(1.0, max(s.words for s in touched) / interval)
    units[PLATFORM] = default_coefficients()["reference_toggles"] * work[PLATFORM]
    return Activity(
        units, streams, memories, "measured", work, external_bits=frame_bits(design) / interval
    )


def _is_folded(unit: Unit) -> bool:
    return isinstance(unit.parameters, Mvau) and unit.parameters.fold > 1
