"""Which units and channels belong together: the same for all graphs of one structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain

import numpy as np

from bnnsim.arrays import Bools, Int64s
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.solver.kernels.records import Table

Ports = tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
"""The channels that each unit reads and writes."""


@dataclass(frozen=True, eq=False)
class Wiring:
    """Arrays that nobody writes to.

    ``reader`` and ``writer`` ``(channels,)`` are positions of units, -1 where there is none; ``doubled``
    is the first channel with two units at one end, if any. ``ports`` are the channels of all units'
    inputs and outputs, unit by unit; ``ends`` ``(2 * units + 1,)`` is 0, then where the inputs of the
    first unit end in them, then where its outputs do, and so on. ``is_first``: units that read no
    other's channel. ``hangs_together``: whether every unit is a neighbour of a neighbour of every other.
    """

    reader: Int64s
    writer: Int64s
    doubled: int | None
    ports: Int64s
    ends: Int64s
    is_first: Bools
    hangs_together: bool


def wiring(graph: TimingGraph) -> Wiring:
    """The wiring of ``graph``."""
    ports = tuple([(unit.inputs, unit.outputs) for unit in graph.units])
    return _wiring(ports, len(graph.channels))


@lru_cache(maxsize=256)
def _wiring(units: Ports, channels: int) -> Wiring:
    reader, writer = [-1] * channels, [-1] * channels
    doubled = None
    for number, one in enumerate(units):
        for ports, end in zip(one, (reader, writer), strict=True):
            for port in ports:
                if end[port] >= 0 and doubled is None:
                    doubled = port
                end[port] = number
    counts = [len(ports) for one in units for ports in one]
    touched = [(*inputs, *outputs) for inputs, outputs in units]
    return Wiring(
        np.array(reader, np.int64),
        np.array(writer, np.int64),
        doubled,
        np.array(list(chain.from_iterable(touched)), np.int64),
        np.array(list(accumulate(counts, initial=0)), np.int64),
        np.array([all(writer[port] < 0 for port in inputs) for inputs, _ in units], bool),
        _hang_together(touched),
    )


def join_ends(wires: Wiring, unit: Table, channel: Table, head: int) -> None:
    """Say in the tables which units and channels belong together; ports stand behind ``head`` words."""
    channel["reader"], channel["writer"] = wires.reader, wires.writer
    ends = head + wires.ends
    unit["first_input"], unit["end_input"] = ends[:-1:2], ends[1::2]
    unit["first_output"], unit["end_output"] = ends[1::2], ends[2::2]


def _hang_together(touched: Sequence[tuple[int, ...]]) -> bool:
    """Whether all units hang together, by the channels that each is at."""
    reached = set(chain.from_iterable(touched[:1]))
    waiting = touched[1:]
    while waiting:
        apart = []
        for channels in waiting:
            if reached.isdisjoint(channels):
                apart.append(channels)
            else:
                reached.update(channels)
        if len(apart) == len(waiting):
            return False
        waiting = apart
    return True
