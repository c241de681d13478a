"""Proof that a pipeline goes on as it has begun: every later period like the one just simulated.

*State.* When every unit has done n frames, what it does next depends on few numbers, X(n): the cycle of
each unit's last step and what is in its pipeline, and the cycles of each channel's latest reads, which
say when the next words find room. Which step comes next is the same after every frame. These numbers are
cycles; X(n) is compared with X(m), m = n - p frames earlier, shifted by the L cycles that the sink took
for those p frames. (Units are compared at their own ends of frame n, not in one cycle: the cycles of
words are functions of one another, and this cut through them is as good as any.)

*Everything repeats.* If X(n) = X(m) + L, all that follows is the same L cycles later, and so for ever.

*A part repeats, the rest is never late.* FIFOs that fill by a word or two a frame keep the state from
repeating for hundreds of frames, though the sink has long been steady. Let E ("even") be a set of units,
the sink among them, with

1. X(n) = X(m) + L in every number of E's units and of channels inside E,
2. no unit of E having waited, since m, for a word or for room of a unit outside E: it was there in the
   cycle in which the unit had done all else that it had to wait for, or earlier;
3. X(n) <= X(m) + L in every number outside E and of channels across its border,
4. every unit outside E *monotone*: an earlier cycle of one event never makes another event later.

Then every event after frame n happens L cycles after its counterpart p frames earlier in E, and at the
latest L cycles after it elsewhere. By induction over the events in the order in which they depend on
each other: what an event of E waits for inside E is L cycles later (1); what it might wait for from
outside comes no later than that, where last time it was not waited for (2, 3). What an event outside E
waits for comes at the latest L cycles later, so by 4 it does too. The events of one period being so
related to those of the period before, so are those of the next. Hence the sink's cycles are known for
ever. The same induction holds for runs that end: a run of p frames more ends exactly L cycles later, if
(2) held up to the end of the run that was simulated.

*Flushing pipelines outside E.* Freezing pipelines and elastic units are monotone: their cycles are maxima
of others plus constants. A flushing pipeline of two or more stages is not: its bubbles do not close up
while it is frozen, and a word that comes later may let the one behind it leave earlier. But it is never
later than a monotone bound (:mod:`bnnsim.timing.streaming.compiled.kernels.bound`). So where 1 to 3
hold but for such units, another p frames are run from X(n) with the bound in their place, leading to a
state Y. If in these frames E did not wait for anything outside, Y = X(n) + L in E and Y <= X(n) + L
outside, then the induction holds again, from one period to the next: from a state that is X(n) + kL in
E and at most that outside, the real units outside are never later than the bound from X(n), kL cycles
on, so E meets what it met there, and after p frames the state is again of this kind, with k + 1.

Numbers that can have no effect are left out: a read before the writer's last step gives room that is
there whenever the writer gets to it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bnnsim.arrays import Bools, Int64s
from bnnsim.timing.streaming.compiled.kernels import columns as k
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.programs.program import Lockstep


@dataclass(frozen=True)
class Snapshot:
    """X of one frame, as it stands in the pool."""

    frames: int
    words: Int64s


@dataclass(frozen=True)
class Repetition:
    """What frames ``first`` to ``last``, as many as the period, did in ``cycles`` cycles will go on so.

    ``is_complete`` where X repeats as a whole; else ``others`` are the positions of the units outside E,
    and ``unproven`` those of them that are not monotone.
    """

    first: int
    last: int
    cycles: int
    is_complete: bool
    others: tuple[int, ...]
    unproven: tuple[int, ...]

    @property
    def period_frames(self) -> int:
        return self.last - self.first


@dataclass(frozen=True)
class _Numbers:
    """Places in a snapshot, and to which of ``owners`` each belongs.

    Cycles at ``places`` have no effect where they are earlier than those at ``floors``.
    """

    places: Int64s
    floors: Int64s
    owner: Int64s
    owners: int

    @staticmethod
    def of(places: list[Int64s], floors: list[int | None]) -> _Numbers:
        """``floors``: one place for all of an owner's cycles, or None where each counts."""
        sizes = [len(own) for own in places]
        bounds = [
            own if floor is None else np.full(len(own), floor)
            for own, floor in zip(places, floors, strict=True)
        ]
        owner = np.repeat(np.arange(len(sizes)), sizes)
        return _Numbers(np.concatenate(places), np.concatenate(bounds), owner, len(sizes))

    def delays(self, before: Snapshot, now: Snapshot) -> Int64s:
        early = np.maximum(before.words[self.places], before.words[self.floors])
        late = np.maximum(now.words[self.places], now.words[self.floors])
        return late - early

    def all_of(self, holds: Bools) -> Bools:
        """Per owner whether all of its numbers hold."""
        broken = np.bincount(self.owner[~holds], minlength=self.owners)
        return np.asarray(broken == 0)


class Comparison:
    """Compares the snapshots of a machine and of its copies."""

    def __init__(self, machine: Machine) -> None:
        self.graph = machine.graph
        self._rows = machine.unit.copy()
        self._kinds = machine.unit[:, k.KIND].copy()
        self._writers = machine.channel[:, k.WRITER].tolist()
        self._readers = machine.channel[:, k.READER].tolist()
        units = [_unit_places(row) for row in machine.unit]
        self._own = _Numbers.of([own for own, _ in units], [floor for _, floor in units])
        steps = [_step_places(row) for row in machine.unit]
        self._steps = _Numbers.of(steps, [None] * len(steps))
        shapes = [_shape_places(row) for row in machine.unit]
        self._shapes = _Numbers.of(shapes, [None] * len(shapes))
        reads = [np.arange(row[k.SNAP_READS]) + row[k.CHANNEL_SNAP] for row in machine.channel]
        floors = [_last_write_place(machine.unit[writer]) for writer in self._writers]
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
        stages, steps = self._rows[:, k.DEPTH], np.maximum(self._rows[:, k.STEPS], 1)
        return max(1, int((-(-stages // steps)).max()))

    def repetition(
        self, machine: Machine, before: Snapshot, now: Snapshot, late_units: Collection[int] = ()
    ) -> Repetition | None:
        """Whether 1 to 3 hold between two states of ``machine``, which waits for ``machine`` tells of.

        ``late_units`` of the machine stand for others, outside E.
        """
        sink = int(self._rows[self.graph.sink, k.SNAP])
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
        even[list(late_units)] = False
        is_complete = bool(even.all() and reads_even.all())
        self._shrink(even, machine, before.frames, reads_even, reads_early)
        if not even[self.graph.sink]:
            return None
        steps_early = self._steps.all_of(self._steps.delays(before, now) <= cycles)
        if not (even | (own_early & steps_early)).all():
            return None
        for number, writer in enumerate(self._writers):
            if writer >= 0 and not even[writer] and not reads_early[number]:
                return None
        others = tuple(np.flatnonzero(~even).tolist())
        unproven = tuple(u for u in others if not self._is_monotone(u) and u not in late_units)
        return Repetition(before.frames, now.frames, cycles, is_complete, others, unproven)

    def _is_monotone(self, unit: int) -> bool:
        """A single flushing stage has nothing behind it that a freeze could hold up."""
        return bool(self._kinds[unit] != k.FLUSHING or self._rows[unit, k.DEPTH] <= 1)

    def _shrink(
        self, even: Bools, machine: Machine, since: int, reads_even: Bools, reads_early: Bools
    ) -> None:
        """Take units out of ``even`` until 1 and 2 hold."""
        blocked = machine.channel[:, k.BLOCKED_IN] >= since
        starved = machine.channel[:, k.STARVED_IN] >= since
        shrinks = True
        while shrinks:
            shrinks = False
            for number, (writer, reader) in enumerate(zip(self._writers, self._readers, strict=True)):
                if writer < 0 or reader < 0:
                    continue
                inside = even[reader] and reads_even[number]
                if even[writer] and not inside and (blocked[number] or not reads_early[number]):
                    even[writer] = False
                    shrinks = True
                if even[reader] and not even[writer] and starved[number]:
                    even[reader] = False
                    shrinks = True


def _unit_places(row: Int64s) -> tuple[Int64s, int | None]:
    """Cycles of a unit, and the place of the cycle before which they have no effect."""
    place = int(row[k.SNAP])
    if row[k.KIND] == k.ELASTIC:
        return np.arange(place, place + k.SNAP_LEFT + int(row[k.SNAP_WORDS])), place
    return np.array([place]), None


def _step_places(row: Int64s) -> Int64s:
    """Cycles of the steps whose words may be in a flushing pipeline."""
    words = int(row[k.SNAP_WORDS]) if row[k.KIND] == k.FLUSHING else 0
    return np.arange(words) + int(row[k.SNAP]) + k.SNAP_STEPS


def _shape_places(row: Int64s) -> Int64s:
    """How far ahead the words in a flushing pipeline are."""
    stages = int(row[k.DEPTH]) if row[k.KIND] == k.FLUSHING else 0
    return np.arange(stages) + int(row[k.SNAP] + row[k.SNAP_WORDS]) + k.SNAP_STEPS


def _last_write_place(row: Int64s) -> int:
    """The cycle up to which reads give room that no later word has to wait for.

    Of a flushing unit the first step whose word may be in the pipeline: its bound looks back so far.
    """
    place = int(row[k.SNAP])
    if row[k.KIND] == k.ELASTIC:
        return place + k.SNAP_LEFT + int(row[k.SNAP_WORDS]) - 1
    if row[k.KIND] == k.FLUSHING and row[k.SNAP_WORDS]:
        return place + k.SNAP_STEPS
    return place
