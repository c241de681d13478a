"""Snapshots: the state in which every unit left the same frame, and a machine that goes on from there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels import records as k
from bnnsim.timing.streaming.compiled.machine import Machine

_CURSORS = (
    *("read_block", "read_repeat", "read_segment", "read_left", "next_read"),
    *("write_block", "write_repeat", "write_segment", "write_left", "next_write"),
)
"""As a snapshot has them, one behind the other."""


@dataclass(frozen=True)
class Snapshot:
    """The state in which every unit left frame number ``frames``: ``words``, one row of the machine's.

    Each unit's and each channel's numbers stand where the tables of the machine say.
    """

    frames: int
    words: Int64s


def restore_snapshot(machine: Machine, snapshot: Snapshot, bound_units: Collection[int] = ()) -> Machine:
    """A machine that goes on from ``snapshot``, which is one of ``machine``'s.

    It counts nothing and logs nothing. ``bound_units`` are flushing units that it replaces by the bound
    of :mod:`bnnsim.timing.streaming.compiled.kernels.bound`; words that may still have been in their
    pipelines leave once more, for the bound's sake.
    """
    restored = machine.copy()
    restored.options = replace(machine.options, counts=False, logged=())
    restored.event_times[: int(machine.program_words[k.ENDS_AT])] = -1
    restored.frame_limit = snapshot.frames
    unit = restored.unit
    unit["missing_word"] = unit["missing_space"] = -1
    unit["last_read"] = unit["last_write"] = -1
    unit["halted"] = 0
    unit["stalled_on_input"] = unit["stalled_on_output"] = unit["busy"] = 0
    unit["frames_done"] = snapshot.frames
    unit["step_cycle"] = snapshot.words[unit["snapshot_place"] + k.SNAP_CYCLE]
    _restore_lockstep(restored, snapshot)
    _restore_elastic(restored, snapshot)
    for number in bound_units:
        row = unit[number]
        row.kind = k.BOUND
        row.exited = row.writes = row.entered - row.snapshot_words
    _restore_channels(restored, snapshot)
    if bound_units:
        _watch_readers(restored, bound_units)
    return restored


def _watch_readers(machine: Machine, bound_units: Collection[int]) -> None:
    """Note when the readers behind bounds were ready; until the snapshot, when they read."""
    kind = machine.unit["kind"]
    kind[kind == k.PLAIN] = k.FREEZING  # whose code notes it
    rings = []
    place = int(machine.program_words[k.SNAPSHOTS_AT])
    for number in bound_units:
        row = machine.unit[number]
        row.space_cycle = 0
        for port in machine.graph.units[number].outputs:
            channel = machine.channel[port]
            size = channel.read_mask + 1
            ring = machine.event_times[channel.read_ring :][:size]
            freed_by = (row.writes - 1 - channel.depth_words) & channel.read_mask
            row.space_cycle = max(row.space_cycle, ring[freed_by] + 1)
            if channel.depth_words > channel.lag:
                channel.ready_ring = place
                rings.append(ring.copy())
                place += size
    machine.insert(rings)


def _restore_lockstep(machine: Machine, snapshot: Snapshot) -> None:
    unit = machine.unit
    which = np.flatnonzero(unit["kind"] != k.ELASTIC)
    kept = unit["snapshot_place"][which]
    for position, field in enumerate(_CURSORS):
        unit[field][which] = snapshot.words[kept + k.SNAP_CURSORS + position]
    unit["last_step"][which] = snapshot.words[kept + k.SNAP_STEP]
    unit["reads"][which] = snapshot.words[kept + k.SNAP_READS]
    unit["writes"][which] = snapshot.words[kept + k.SNAP_WRITES]
    which = np.flatnonzero(unit["kind"] == k.FLUSHING)
    kept = unit["snapshot_place"][which]
    unit["entered"][which] = snapshot.words[kept + k.SNAP_ENTERED]
    unit["passed"][which] = unit["exited"][which] = unit["writes"][which]
    unit["local_tick"][which] = unit["step_cycle"][which]
    unit["step_frozen"][which] = unit["exit_frozen"][which] = 0
    ring, mask, steps = unit["pipe_ring"][which], unit["pipe_mask"][which], kept + k.SNAP_STEPS
    words, entered = unit["snapshot_words"][which], unit["entered"][which]
    inside = entered - unit["passed"][which]
    _restore_rings(machine, snapshot, ring + 2 * (mask + 1), mask, entered, words, steps)
    ticks = unit["local_tick"][which]
    _restore_rings(machine, snapshot, ring, mask, entered, inside, steps + words, ticks)


def _restore_elastic(machine: Machine, snapshot: Snapshot) -> None:
    unit = machine.unit
    which = np.flatnonzero(unit["kind"] == k.ELASTIC)
    unit["next_word"][which] = 0
    unit["input_frame"][which] = unit["output_frame"][which] = snapshot.frames
    unit["reads"][which] = snapshot.frames * unit["words_in"][which]
    unit["writes"][which] = snapshot.frames * unit["words_out"][which]
    start = unit["dependence_start"][which]
    unit["dependence"][which] = start
    unit["dependence_left"][which] = machine.program_words[start + 1]
    ring, mask, writes = unit["left_ring"][which], unit["left_mask"][which], unit["writes"][which]
    left, words = unit["snapshot_place"][which] + k.SNAP_LEFT, unit["snapshot_words"][which]
    _restore_rings(machine, snapshot, ring, mask, writes, words, left)
    unit["last_write"][which] = snapshot.words[left + words - 1]


def _restore_channels(machine: Machine, snapshot: Snapshot) -> None:
    unit, channel = machine.unit, machine.channel
    channel["writer_stall_frame"] = channel["reader_stall_frame"] = -1
    channel["write_log_end"] = channel["write_log"]
    channel["read_log_end"] = channel["read_log"]
    writer, reader = channel["writer"], channel["reader"]
    channel["read"] = np.where(reader >= 0, unit["reads"][reader], 0)
    channel["written"] = np.where(writer >= 0, unit["writes"][writer], 0)
    is_open, supplies = channel["is_open"] > 0, channel["supplies"] > 0
    channel["read"][is_open] = channel["written"][is_open]
    channel["written"][supplies] = channel["read"][supplies] + k.OPEN_END_WORDS
    ring, mask, read = channel["read_ring"], channel["read_mask"], channel["read"]
    kept = channel["snapshot_place"]
    _restore_rings(machine, snapshot, ring, mask, read, channel["snapshot_reads"], kept)


def _restore_rings(
    machine: Machine,
    snapshot: Snapshot,
    ring: Int64s,
    mask: Int64s,
    end: Int64s,
    words: Int64s,
    kept: Int64s,
    since: Int64s | None = None,
) -> None:
    """Put the cycles of the ``words`` words before word ``end`` where rings have them.

    An entry of each array is one ring: its place and mask in the event times, where in the snapshot
    its cycles stand, and from which on they count (0 unless said).
    """
    owner = np.repeat(np.arange(len(words)), words)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(words) - words, words)
    cycles = snapshot.words[kept[owner] + number]
    if since is not None:
        cycles = cycles + since[owner]
    word = (end - words)[owner] + number
    machine.event_times[ring[owner] + (word & mask[owner])] = cycles
