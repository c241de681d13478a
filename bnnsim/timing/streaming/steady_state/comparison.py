"""Comparison of two snapshots: which units have repeated what they did a period before.

Conditions 1 to 4 of the proof in docs/steady-state.md, of which the names here are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bnnsim.arrays import Bools, Int64s
from bnnsim.timing.streaming.compiled.kernels import records as k
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.steady_state.proof import Repetition
from bnnsim.timing.streaming.steady_state.snapshot import Snapshot


@dataclass(frozen=True)
class _Numbers:
    """Numbers of a snapshot, and to which of ``owners`` (units, or channels) each belongs.

    ``places``, ``floors`` and ``owner`` ``(numbers,)``. A cycle at ``places`` has no effect where it is
    earlier than the one at ``floors``: the later of the two counts.
    """

    places: Int64s
    floors: Int64s
    owner: Int64s
    owners: int

    @staticmethod
    def of(places: list[Int64s], floors: list[int | None]) -> _Numbers:
        """From each owner's places, and one floor for all of them or None where each cycle counts."""
        sizes = [len(own) for own in places]
        bounds = [
            own if floor is None else np.full(len(own), floor)
            for own, floor in zip(places, floors, strict=True)
        ]
        owner = np.repeat(np.arange(len(sizes)), sizes)
        return _Numbers(np.concatenate(places), np.concatenate(bounds), owner, len(sizes))

    def delays(self, before: Snapshot, now: Snapshot) -> Int64s:
        """By how many cycles each number is later in ``now`` than in ``before``, ``(numbers,)``."""
        early = np.maximum(before.words[self.places], before.words[self.floors])
        late = np.maximum(now.words[self.places], now.words[self.floors])
        return late - early

    def all_of(self, holds: Bools) -> Bools:
        """Per owner whether ``holds`` ``(numbers,)`` is true of all of its numbers, ``(owners,)``."""
        broken = np.bincount(self.owner[~holds], minlength=self.owners)
        return np.asarray(broken == 0)


class _Kept(NamedTuple):
    """Of a unit's record what says where its numbers are in a snapshot, and which."""

    kind: int
    stages: int
    steps: int
    snapshot_place: int
    snapshot_words: int


def _kept(machine: Machine) -> list[_Kept]:
    columns = (machine.unit[name].tolist() for name in _Kept._fields)
    return [_Kept(*values) for values in zip(*columns, strict=True)]


class Comparison:
    """Compares the snapshots of a machine and of its copies."""

    def __init__(self, machine: Machine) -> None:
        self.graph = machine.graph
        self._kept = _kept(machine)
        self._writers = machine.channel["writer"].tolist()
        self._readers = machine.channel["reader"].tolist()
        units = [_unit_places(unit) for unit in self._kept]
        self._own = _Numbers.of([own for own, _ in units], [floor for _, floor in units])
        steps = [_step_places(unit) for unit in self._kept]
        self._steps = _Numbers.of(steps, [None] * len(steps))
        shapes = [_shape_places(unit) for unit in self._kept]
        self._shapes = _Numbers.of(shapes, [None] * len(shapes))
        channels = (machine.channel[name].tolist() for name in ("snapshot_place", "snapshot_reads"))
        reads = [np.arange(place, place + count) for place, count in zip(*channels, strict=True)]
        floors = [_last_write_place(self._kept[writer]) for writer in self._writers]
        self._reads = _Numbers.of(reads, [*floors])

    @cached_property
    def obstacle(self) -> str:
        """Why no repetition of this graph can be proven, or nothing."""
        for number, channel in enumerate(self.graph.channels):
            writer, reader = self._writers[number], self._readers[number]
            if writer >= 0 and reader >= 0:
                made = self.graph.units[writer].program.words_out
                taken = self.graph.units[reader].program.words_in
                if made != taken:
                    return f"{channel.name} is given {made} words a frame and read {taken}"
            elif not channel.supplies and not channel.ready_every:
                return f"{channel.name} has only one end"
        for unit in self.graph.units:
            if isinstance(unit.program, Lockstep) and unit.program.writes_ahead:
                return f"{unit.name} writes before its first frame"
        return ""

    @cached_property
    def first_frame(self) -> int:
        """From which frame on the steps in every pipeline are the same after each frame."""
        return max(1, *(-(-unit.stages // max(1, unit.steps)) for unit in self._kept))

    def repetition(
        self, machine: Machine, before: Snapshot, now: Snapshot, bound_units: Collection[int] = ()
    ) -> Repetition | None:
        """The repetition between two snapshots of ``machine`` if conditions 1 to 3 hold, or None.

        Which unit waited for which channel since ``before`` is read off ``machine`` itself. Its
        ``bound_units`` are bounds that stand for flushing units, and never in the even set.
        """
        sink = self._kept[self.graph.sinks[0]].snapshot_place
        cycles = int(now.words[sink] - before.words[sink])
        if before.frames < self.first_frame or self.obstacle:
            return None
        if any(cycles % channel.ready_every for channel in self.graph.channels if channel.ready_every):
            return None
        own, reads = self._own.delays(before, now), self._reads.delays(before, now)
        own_even, own_early = self._own.all_of(own == cycles), self._own.all_of(own <= cycles)
        reads_even, reads_early = self._reads.all_of(reads == cycles), self._reads.all_of(reads <= cycles)
        shapes = before.words[self._shapes.places] == now.words[self._shapes.places]
        even = own_even & self._shapes.all_of(shapes)
        even[list(bound_units)] = False
        is_complete = bool(even.all() and reads_even.all())
        self._shrink(even, machine, before.frames, reads_even, reads_early)
        if not even[list(self.graph.sinks)].all():
            return None
        steps_early = self._steps.all_of(self._steps.delays(before, now) <= cycles)
        if not (even | (own_early & steps_early)).all():
            return None
        for number, writer in enumerate(self._writers):
            if writer >= 0 and not even[writer] and not reads_early[number]:
                return None
        others = tuple(np.flatnonzero(~even).tolist())
        unproven = tuple(u for u in others if not self._is_monotone(u) and u not in bound_units)
        return Repetition(before.frames, now.frames, cycles, is_complete, others, unproven)

    def _is_monotone(self, unit: int) -> bool:
        """A single flushing stage has nothing behind it that a freeze could hold up."""
        return self._kept[unit].kind != k.FLUSHING or self._kept[unit].stages <= 1

    def _shrink(
        self, even: Bools, machine: Machine, since: int, reads_even: Bools, reads_early: Bools
    ) -> None:
        """Take units out of ``even`` ``(units,)`` until conditions 1 and 2 hold of those that are left.

        ``reads_even`` and ``reads_early`` ``(channels,)``: whether a channel's latest reads are just as
        late as the period says, or no later.
        """
        writer_stalled = machine.channel["writer_stall_frame"] >= since
        reader_stalled = machine.channel["reader_stall_frame"] >= since
        shrinks = True
        while shrinks:
            shrinks = False
            for number, (writer, reader) in enumerate(zip(self._writers, self._readers, strict=True)):
                if writer < 0 or reader < 0:
                    continue
                inside = even[reader] and reads_even[number]
                if even[writer] and not inside and (writer_stalled[number] or not reads_early[number]):
                    even[writer] = False
                    shrinks = True
                if even[reader] and not even[writer] and reader_stalled[number]:
                    even[reader] = False
                    shrinks = True


def _unit_places(unit: _Kept) -> tuple[Int64s, int | None]:
    """Cycles of a unit, and the place of the cycle before which they have no effect."""
    place = unit.snapshot_place
    if unit.kind == k.ELASTIC:
        return np.arange(place, place + k.SNAP_LEFT + unit.snapshot_words), place
    return np.array([place]), None


def _step_places(unit: _Kept) -> Int64s:
    """Cycles of the steps whose words may be in a flushing pipeline."""
    words = unit.snapshot_words if unit.kind == k.FLUSHING else 0
    return np.arange(words) + unit.snapshot_place + k.SNAP_STEPS


def _shape_places(unit: _Kept) -> Int64s:
    """How far ahead the words in a flushing pipeline are."""
    stages = unit.stages if unit.kind == k.FLUSHING else 0
    return np.arange(stages) + unit.snapshot_place + unit.snapshot_words + k.SNAP_STEPS


def _last_write_place(unit: _Kept) -> int:
    """The cycle up to which reads give room that no later word has to wait for.

    Of a flushing unit the first step whose word may be in the pipeline: its bound looks back so far.
    """
    place = unit.snapshot_place
    if unit.kind == k.ELASTIC:
        return place + k.SNAP_LEFT + unit.snapshot_words - 1
    if unit.kind == k.FLUSHING and unit.snapshot_words:
        return place + k.SNAP_STEPS
    return place
