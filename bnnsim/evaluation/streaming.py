"""How often the bits of a pipeline change."""

from __future__ import annotations

from bnnsim.cost.power import Activity
from bnnsim.datapath.streaming.toggles import ToggleCount
from bnnsim.design.design import Design


def measured_activity(design: Design, toggles: ToggleCount, interval: int) -> Activity:
    """Toggles per bit and cycle, frames following each other every ``interval`` cycles."""
    cycles = toggles.frames * interval
    streams = {
        s.name: toggles.streams[s.name] / (s.width_bits * cycles) for s in design.graph.streams
    }
    units, memories = {}, {}
    for unit in design.graph.units:
        if unit.name in toggles.operands:
            bits = design.graph.stream_by_name[unit.inputs[0]].width_bits
            units[unit.name] = toggles.operands[unit.name] / (bits * cycles)
            memories[unit.name] = toggles.accesses[unit.name] / cycles
            continue
        touched = [design.graph.stream_by_name[name] for name in (*unit.inputs, *unit.outputs)]
        bits = sum(s.width_bits for s in touched)
        units[unit.name] = sum(toggles.streams[s.name] for s in touched) / (bits * cycles)
        memories[unit.name] = min(1.0, max(s.words for s in touched) / interval)
    return Activity(units=units, streams=streams, memories=memories, source="measured")
