"""A timing graph laid out in tables for its periodic schedule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bnnsim.arrays import Bools, Int64s
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic
from bnnsim.timing.streaming.solver.kernels.records import Table, has_both_ends, packed, tabled
from bnnsim.timing.streaming.solver.mould import Key
from bnnsim.timing.streaming.solver.steady.kernels import records as k
from bnnsim.timing.streaming.solver.wiring import join_ends, wiring


def lay_out(graph: TimingGraph) -> k.State | None:
    """The tables of ``graph``; None where frames cannot follow each other in a fixed pattern.

    That is where a channel's ends do not agree on its words a frame, where one has no other end and
    is no test bench's, where one that is open only now and then gives the pace, or where not all
    units hang together.
    """
    wires = wiring(graph)
    if any(channel.ready_every > 1 for channel in graph.channels) or not wires.hangs_together:
        return None
    programs = [unit.program for unit in graph.units]
    moulds = [_mould(Key(program)) for program in programs]
    unit = tabled([mould.unit for mould in moulds], k.UNIT)
    channel = tabled([_CHANNEL] * len(graph.channels), k.CHANNEL)
    join_ends(wires, unit, channel, k.HEAD)
    unit["is_first"] = wires.is_first
    if not _have_words(graph, unit, channel):
        return None
    is_asked = _lay_out_channels(graph, unit, channel, moulds)
    unit["tells_ready"][channel["reader"][is_asked]] = 1
    places: dict[int, int] = {}
    words, end = [], k.HEAD + len(wires.ports)
    for program, mould in zip(programs, moulds, strict=True):
        if id(program) not in places:  # equal units share their words
            places[id(program)] = end
            words.append(mould.words)
            end += len(mould.words)
    start = np.array([places[id(program)] for program in programs])
    for name in ("lap", "lap_end", "dependence", "release"):
        unit[name] += start
    most = int(max(unit["words_in"].max(), unit["words_out"].max()))
    size = int((channel["words"] * (2 + is_asked)).sum())
    head = np.array([size + number * most for number in range(k.HEAD)], np.int64)
    cycles = np.empty(size + k.HEAD * most, np.int64)
    return k.State(unit, channel, cycles, np.concatenate([head, wires.ports, *words]))


@dataclass(frozen=True, eq=False)
class _Mould:
    """A program's record, with places in its words counted from their beginning, and these words.

    ``reads_from`` and ``writes_from``: the words that a turn of it begins with.
    """

    unit: bytes
    words: Int64s
    reads_from: int = 0
    writes_from: int = 0


_CHANNEL = packed(k.ChannelRecord())


@lru_cache(maxsize=4096)
def _mould(key: Key) -> _Mould:
    program = key.program
    row = k.UnitRecord(words_in=program.words_in, words_out=program.words_out)
    if isinstance(program, Elastic):
        row.kind, row.latency, row.wraps_reading = k.ELASTIC, program.latency, 1
        row.release = program.order.dependence_runs.size
        return _Mould(packed(row), program.table)
    turn = program.turn
    if not program.freezes and program.pipeline_depth:
        row.kind, row.stages = k.FLUSHING, program.pipeline_depth
    row.lap_end = turn.laps_end
    row.pause, row.wraps_reading = turn.pause, int(turn.ends_reading)
    row.behind, row.apart = turn.behind, turn.apart
    return _Mould(packed(row), turn.words, turn.reads_from, turn.writes_from)


def _have_words(graph: TimingGraph, unit: Table, channel: Table) -> bool:
    """Say how many words a frame channels have; whether their ends agree on it, and are those of units or
    of test benches."""
    reader, writer = channel["reader"], channel["writer"]
    wires = graph.channels
    if (writer < 0).any() and not all(wires[c].supplies for c in np.flatnonzero(writer < 0)):
        return False
    if (reader < 0).any() and not all(wires[c].ready_every for c in np.flatnonzero(reader < 0)):
        return False
    taken, given = unit["words_in"][reader], unit["words_out"][writer]
    words = np.where(reader >= 0, taken, np.where(writer >= 0, given, 0))
    channel["words"] = words
    return bool((words > 0).all() and (taken == given)[has_both_ends(channel)].all())


def _lay_out_channels(graph: TimingGraph, unit: Table, channel: Table, moulds: list[_Mould]) -> Bools:
    """Where the cycles of each channel's words stand; for which it is asked since when readers were
    ready, as bounds stand for their writers."""
    reader, writer, words = channel["reader"], channel["writer"], channel["words"]
    has_both = has_both_ends(channel)
    channel["depth"] = [one.depth_words for one in graph.channels]
    channel["lag"] = [not one.falls_through for one in graph.channels]
    first = np.array([(mould.reads_from, mould.writes_from) for mould in moulds]).T
    channel["shift"] = (first[0][reader] - first[1][writer]) * has_both
    is_bound = (unit["kind"] == k.FLUSHING) & (unit["stages"] > 1)
    is_asked: Bools = has_both & is_bound[writer] & (channel["depth"] > channel["lag"])
    sizes = words * (2 + is_asked)
    channel["writes_at"] = np.cumsum(sizes) - sizes
    channel["reads_at"] = channel["writes_at"] + words
    channel["ready_at"] = channel["reads_at"] + words * is_asked
    return is_asked
