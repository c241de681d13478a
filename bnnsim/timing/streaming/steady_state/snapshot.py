"""Snapshots: the state in which every unit left the same frame, and a machine that goes on from there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels import columns as k
from bnnsim.timing.streaming.compiled.machine import Machine


@dataclass(frozen=True)
class Snapshot:
    """The state in which every unit left frame number ``frames``: ``words``, one row of the machine's.

    Each unit's and each channel's numbers stand where the tables of the machine say.
    """

    frames: int
    words: Int64s


def restore_snapshot(
    machine: Machine, snapshot: Snapshot, bound_units: Collection[int] = ()
) -> Machine:
    """A machine that goes on from ``snapshot``, which is one of ``machine``'s.

    It counts nothing and logs nothing. ``bound_units`` are flushing units that it replaces by the bound
    of :mod:`bnnsim.timing.streaming.compiled.kernels.bound`; words that may still have been in their
    pipelines leave once more, for the bound's sake.
    """
    put_back = machine.copy()
    put_back.options = replace(machine.options, counts=False, logged=())
    put_back.pool[: int(machine.plan[k.ENDS_AT])] = -1
    put_back.barrier = snapshot.frames
    for row in put_back.unit:
        row[[k.WAIT_IN, k.WAIT_OUT, k.LAST_READ, k.LAST_WRITE]] = -1
        row[[k.HALTED, k.STALLED_IN, k.STALLED_OUT, k.BUSY]] = 0
        row[k.FRAME] = snapshot.frames
        if row[k.KIND] == k.ELASTIC:
            _put_back_elastic(put_back, row, snapshot)
        else:
            _put_back_lockstep(put_back, row, snapshot)
    for number in bound_units:
        row = put_back.unit[number]
        row[k.KIND] = k.LATE
        row[k.GONE] = row[k.WRITES] = row[k.ENTERED] - row[k.SNAP_WORDS]
    for row in put_back.channel:
        _put_back_channel(put_back, row, snapshot)
    if bound_units:
        _watch_readers(put_back, bound_units)
    return put_back


def _watch_readers(machine: Machine, bound_units: Collection[int]) -> None:
    """Note when the readers behind late units were ready; until the cut, when they read."""
    plain = machine.unit[:, k.KIND] == k.PLAIN
    machine.unit[plain, k.KIND] = k.FREEZING  # whose code notes it
    rings = []
    place = int(machine.plan[k.SNAPSHOTS_AT])
    for number in bound_units:
        row = machine.unit[number]
        row[k.LAST_PLACE] = 0
        for port in machine.graph.units[number].outputs:
            channel = machine.channel[port]
            size = int(channel[k.READ_MASK]) + 1
            ring = machine.pool[int(channel[k.READ_RING]) :][:size]
            freed_by = (int(row[k.WRITES]) - 1 - int(channel[k.DEPTH_WORDS])) & (size - 1)
            row[k.LAST_PLACE] = max(row[k.LAST_PLACE], ring[freed_by] + 1)
            if channel[k.DEPTH_WORDS] > channel[k.LAG]:
                channel[k.READY_RING] = place
                rings.append(ring.copy())
                place += size
    machine.insert(rings)


def _put_back_lockstep(machine: Machine, row: Int64s, snapshot: Snapshot) -> None:
    kept = snapshot.words[int(row[k.SNAP]) :]
    row[k.AT], row[k.TICK] = kept[k.SNAP_AT], kept[k.SNAP_TICK]
    cursors = k.W_NEXT + 1 - k.R_BLOCK
    row[k.R_BLOCK : k.W_NEXT + 1] = kept[k.SNAP_CURSORS : k.SNAP_CURSORS + cursors]
    row[k.READS], row[k.WRITES] = kept[k.SNAP_READ], kept[k.SNAP_WRITTEN]
    if row[k.KIND] != k.FLUSHING:
        return
    row[k.ENTERED] = kept[k.SNAP_ENTERED]
    row[k.PASSED] = row[k.GONE] = row[k.WRITES]
    row[k.LOCAL] = row[k.AT]
    row[[k.FROZEN_STEP, k.FROZEN_EXIT]] = 0
    size = int(row[k.PIPE_MASK]) + 1
    words = np.arange(row[k.ENTERED] - row[k.SNAP_WORDS], row[k.ENTERED])
    shape_at = k.SNAP_STEPS + len(words)
    _ring(machine, int(row[k.PIPE]) + 2 * size, size, words, kept[k.SNAP_STEPS : shape_at])
    words = np.arange(row[k.PASSED], row[k.ENTERED])
    ahead = kept[shape_at : shape_at + len(words)]
    _ring(machine, int(row[k.PIPE]), size, words, row[k.LOCAL] + ahead)


def _put_back_elastic(machine: Machine, row: Int64s, snapshot: Snapshot) -> None:
    kept = snapshot.words[int(row[k.SNAP]) :]
    row[k.AT] = kept[k.SNAP_AT]
    row[k.PLACE] = 0
    row[k.IN_FRAME] = row[k.OUT_FRAME] = snapshot.frames
    row[k.READS] = snapshot.frames * row[k.WORDS_IN]
    row[k.WRITES] = snapshot.frames * row[k.WORDS_OUT]
    row[k.NEED] = row[k.NEEDS]
    row[k.NEED_LEFT] = machine.plan[row[k.NEEDS] + 1]
    words = np.arange(row[k.WRITES] - row[k.SNAP_WORDS], row[k.WRITES])
    left = kept[k.SNAP_LEFT : k.SNAP_LEFT + len(words)]
    _ring(machine, int(row[k.LEFT]), int(row[k.LEFT_MASK]) + 1, words, left)
    row[k.LAST_WRITE] = left[-1]


def _put_back_channel(machine: Machine, row: Int64s, snapshot: Snapshot) -> None:
    writer, reader = int(row[k.WRITER]), int(row[k.READER])
    row[[k.BLOCKED_IN, k.STARVED_IN]] = -1
    row[[k.LOG_WRITES_END, k.LOG_READS_END]] = row[[k.LOG_WRITES, k.LOG_READS]]
    row[k.READ] = machine.unit[reader, k.READS] if reader >= 0 else 0
    row[k.WRITTEN] = machine.unit[writer, k.WRITES] if writer >= 0 else 0
    if row[k.IS_OPEN]:
        row[k.READ] = row[k.WRITTEN]
    if row[k.SUPPLIES]:
        row[k.WRITTEN] = row[k.READ] + k.OPEN_END_WORDS
    words = np.arange(row[k.READ] - row[k.SNAP_READS], row[k.READ])
    kept = snapshot.words[int(row[k.CHANNEL_SNAP]) :][: len(words)]
    _ring(machine, int(row[k.READ_RING]), int(row[k.READ_MASK]) + 1, words, kept)


def _ring(machine: Machine, place: int, size: int, words: Int64s, cycles: Int64s) -> None:
    """Put the cycles of some words where a ring has them."""
    machine.pool[place + (words & (size - 1))] = cycles
