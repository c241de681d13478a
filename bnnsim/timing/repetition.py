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

Monotone are freezing pipelines and elastic units, whose cycles are maxima of others plus constants. A
flushing pipeline of two or more stages is not: its bubbles do not close up while it is frozen, and a
word that comes later may let the one behind it leave earlier. With one stage nothing can be behind it.
Such pipelines may be in E (nothing changes for them there) but not outside.

Numbers that can have no effect are left out: a read before the writer's last step gives room that is
there whenever the writer gets to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bnnsim.timing import columns as k
from bnnsim.timing.program import Int64s, Lockstep

if TYPE_CHECKING:  # numba takes its time to import
    from bnnsim.timing.machine import Machine

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Snapshot:
    """X of one frame: cycles, and the shape of flushing pipelines, as they stand in the pool."""

    frames: int
    words: Int64s


@dataclass(frozen=True)
class Repetition:
    """Frames ``first`` to ``last``: as many as the period, in ``cycles`` cycles.

    ``is_complete`` where all units repeat, else ``late_units`` names those outside the part that does.
    """

    first: int
    last: int
    cycles: int
    is_complete: bool
    late_units: tuple[str, ...]

    @property
    def period_frames(self) -> int:
        return self.last - self.first


class Comparison:
    """Which numbers of a machine's snapshots to compare, and whose they are."""

    def __init__(self, machine: Machine) -> None:
        self.graph = machine.graph
        self._unit = machine.unit
        self._channel = machine.channel
        self._writer = machine.channel[:, k.WRITER].tolist()
        self._reader = machine.channel[:, k.READER].tolist()
        cycles: list[Int64s] = []  # places in a snapshot
        floors: list[Int64s] = []  # places of cycles below which they have no effect
        sizes: list[int] = []
        shapes: list[Int64s] = []
        for row in machine.unit:
            place = int(row[k.SNAP])
            own = np.arange(place, place + 1 + int(row[k.SNAP_LEFT]))
            cycles.append(own)
            floors.append(np.full(len(own), place) if row[k.KIND] == k.ELASTIC else own)
            sizes.append(len(own))
            stages = int(row[k.DEPTH]) if row[k.KIND] == k.FLUSHING else 0
            shapes.append(np.arange(place + 1, place + 1 + stages))
        for row, writer in zip(machine.channel, self._writer, strict=True):
            own = np.arange(row[k.SNAP_READS]) + row[k.CHANNEL_SNAP]
            cycles.append(own)
            floors.append(np.full(len(own), self._last_write_place(machine, writer)))
            sizes.append(len(own))
        self._cycles = np.concatenate(cycles)
        self._floors = np.concatenate(floors)
        self._shapes = np.concatenate(shapes)
        self._owner = np.repeat(np.arange(len(sizes)), sizes)
        self._shape_owner = np.repeat(np.arange(len(shapes)), [len(shape) for shape in shapes])

    @staticmethod
    def _last_write_place(machine: Machine, writer: int) -> int:
        row = machine.unit[writer]
        return int(row[k.SNAP] + row[k.SNAP_LEFT])

    @cached_property
    def obstacle(self) -> str:
        """Why no repetition of this graph can be proven, or nothing."""
        for number, channel in enumerate(self.graph.channels):
            writer, reader = self._writer[number], self._reader[number]
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
        stages, steps = self._unit[:, k.DEPTH], np.maximum(self._unit[:, k.STEPS], 1)
        return max(1, int((-(-stages // steps)).max()))

    def repetition(
        self, machine: Machine, before: Snapshot, now: Snapshot
    ) -> Repetition | None:
        """Whether ``machine``, which ``now`` is of, repeats from ``before`` on for ever."""
        place = int(self._unit[self.graph.sink, k.SNAP])
        cycles = int(now.words[place] - before.words[place])
        if before.frames < self.first_frame or self.obstacle:
            return None
        if any(cycles % channel.ready_every for channel in self.graph.channels if channel.ready_every):
            return None
        early = np.maximum(before.words[self._cycles], before.words[self._floors])
        late = np.maximum(now.words[self._cycles], now.words[self._floors])
        delay = late - early - cycles
        owners = len(self._unit) + len(self._channel)
        is_even = self._all_of(delay == 0, self._owner, owners)
        is_early = self._all_of(delay <= 0, self._owner, owners)
        same_shape = before.words[self._shapes] == now.words[self._shapes]
        units = len(self._unit)
        is_even[:units] &= self._all_of(same_shape, self._shape_owner, units)
        even = self._even_units(machine, before.frames, is_even, is_early)
        if not even[self.graph.sink]:
            return None
        for number in np.flatnonzero(~even):
            if self._unit[number, k.KIND] == k.FLUSHING and self._unit[number, k.DEPTH] > 1:
                return None
            if not is_early[number]:
                return None
        for number, writer in enumerate(self._writer):
            if writer >= 0 and not even[writer] and not is_early[units + number]:
                return None
        late_units = tuple(
            unit.name for unit, is_in in zip(self.graph.units, even, strict=True) if not is_in
        )
        return Repetition(before.frames, now.frames, cycles, bool(is_even.all()), late_units)

    @staticmethod
    def _all_of(holds: Bools, owner: Int64s, owners: int) -> Bools:
        """Per owner whether all of its numbers hold."""
        broken = np.bincount(owner[~holds], minlength=owners)
        return np.asarray(broken == 0)

    def _even_units(
        self, machine: Machine, since: int, is_even: Bools, is_early: Bools
    ) -> Bools:
        """The largest set of units that fulfils 1 and 2."""
        units = len(self._unit)
        blocked = machine.channel[:, k.BLOCKED_IN] >= since
        starved = machine.channel[:, k.STARVED_IN] >= since
        even = is_even[:units].copy()
        shrinks = True
        while shrinks:
            shrinks = False
            for number, (writer, reader) in enumerate(zip(self._writer, self._reader, strict=True)):
                if writer < 0 or reader < 0:
                    continue
                inside = even[reader] and is_even[units + number]
                if even[writer] and not inside and (blocked[number] or not is_early[units + number]):
                    even[writer] = False
                    shrinks = True
                if even[reader] and not even[writer] and starved[number]:
                    even[reader] = False
                    shrinks = True
        return even
