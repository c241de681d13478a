"""A circuit found by the kernels, in names."""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.bottleneck import Circuit
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.solver.steady.kernels.records import (
    HOP_CHANNEL,
    HOP_CYCLES,
    HOP_FOR_ROOM,
    HOP_FRAMES,
    HOP_UNIT,
)


def circuit_of_hops(graph: TimingGraph, hops: Int64s) -> Circuit:
    """The circuit of ``hops`` ``(hops, HOP)``, each from an event to the one that it waits for."""
    names = [unit.part_of or unit.name for unit in graph.units]
    writer = {channel: u for u, unit in enumerate(graph.units) for channel in unit.outputs}
    reader = {channel: u for u, unit in enumerate(graph.units) for channel in unit.inputs}
    across = hops[hops[:, HOP_CHANNEL] >= 0][::-1]  # now each lets the next happen
    upstream = [writer[channel] for channel in across[:, HOP_CHANNEL].tolist()]
    for_room = across[:, HOP_FOR_ROOM]
    starts = list(zip(upstream, for_room.tolist(), strict=True))
    first = starts.index(min(starts)) if starts else 0  # upstream of the others, and of what it writes
    turned = np.roll(across[:, [HOP_CHANNEL, HOP_FOR_ROOM]], -first, axis=0)
    units = [names[writer[int(turned[0, 0])]] if upstream else names[int(hops[0, HOP_UNIT])]]
    fifos: list[str] = []
    way, at = units[0], units[0]
    _, firsts = np.unique(turned[:, 0], return_index=True)
    for channel, is_room in turned[np.sort(firsts)].tolist():
        ends = (names[writer[channel]], names[reader[channel]])
        if ends[0] == ends[1]:
            continue  # inside a unit
        source, target = reversed(ends) if is_room else ends
        arrow, fifo = " <- " if is_room else " -> ", graph.channels[channel].name
        way += f"{'' if at == source else f', {source}'}{arrow}{fifo}{arrow}{target}"
        fifos.append(fifo)
        units += [name for name in (source, target) if name not in units]
        at = target
    return Circuit(
        units=tuple(units),
        fifos=tuple(fifos),
        way=way,
        cycles=int(hops[:, HOP_CYCLES].sum()),
        frames=int(hops[:, HOP_FRAMES].sum()),
        waits_for_words=int((for_room == 0).sum()),
        waits_for_room=int(for_room.sum()),
    )
