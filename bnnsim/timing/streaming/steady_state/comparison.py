"""Comparison of two snapshots: which units have repeated what they did a period before.

Conditions 1 to 4 of the proof in docs/steady-state.md, of which the names here are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bnnsim.arrays import Bools, Int64s
from bnnsim.timing.streaming.programs.program import Lockstep, Program
from bnnsim.timing.streaming.solver.kernels import records as k
from bnnsim.timing.streaming.solver.solver import Solver
from bnnsim.timing.streaming.steady_state.proof import Repetition
from bnnsim.timing.streaming.steady_state.snapshot import Snapshot


@dataclass(frozen=True)
class _Numbers:
    """Numbers of a snapshot, and to which of ``owners`` (units, or channels) each belongs.

    ``places`` and ``owner`` ``(numbers,)``.
    """

    places: Int64s
    owner: Int64s
    owners: int

    @staticmethod
    def of(stretches: Iterable[list[tuple[int, int]]]) -> _Numbers:
        """From each owner's stretches of (place, numbers)."""
        places, sizes = [np.zeros(0, np.int64)], []
        for own in stretches:
            places += [np.arange(place, place + count) for place, count in own]
            sizes.append(sum(count for _, count in own))
        return _Numbers(np.concatenate(places), np.repeat(np.arange(len(sizes)), sizes), len(sizes))

    def all_of(self, holds: Bools) -> Bools:
        """Per owner whether ``holds`` ``(numbers,)`` is true of all of its numbers, ``(owners,)``."""
        broken = np.bincount(self.owner[~holds], minlength=self.owners)
        return np.asarray(broken == 0)


class Comparison:
    """Compares the snapshots of a solver and of its copies."""

    def __init__(self, solver: Solver) -> None:
        self.graph = solver.graph
        unit, channel = solver.state.unit, solver.state.channel
        self._unit_at: Int64s = unit["snapshot_at"]
        # Where in a frame a flushing unit is says how long ago its last step with a word was only once
        # that lay in a frame.
        first_frame = unit["steps"] * (unit["kind"] == k.FLUSHING)
        self._once_ticks: Int64s = unit["once_ticks"] + first_frame
        self._writers, self._readers = channel["writer"].tolist(), channel["reader"].tolist()
        self._is_flushing = ((unit["kind"] == k.FLUSHING) & (unit["stages"] > 1)).tolist()
        self._frame_places = np.array([_frame_places(u.program) for u in self.graph.units]).T
        self._frame_places *= np.array(
            [[bool(u.inputs), bool(u.outputs), bool(u.outputs), True] for u in self.graph.units]
        ).T
        sizes = (unit["pipe_mask"] + 1) * (unit["kind"] == k.FLUSHING)
        at, pipe = self._unit_at.tolist(), sizes.tolist()
        kept = (unit["snapshot_left"] + unit["snapshot_taken"]).tolist()
        self._own = _Numbers.of([(a, 1 + n)] for a, n in zip(at, kept, strict=True))
        self._shapes = _Numbers.of([(a + 1, 2 * n)] for a, n in zip(at, pipe, strict=True))
        self._steps = _Numbers.of([(a + 1 + 2 * n, n)] for a, n in zip(at, pipe, strict=True))
        at = channel["snapshot_at"].tolist()
        kept = (channel["snapshot_reads"] + channel["snapshot_held"]).tolist()
        self._ends = _Numbers.of([(a, n)] for a, n in zip(at, kept, strict=True))
        ready = channel["snapshot_ready"].tolist()
        self._ready = _Numbers.of([(a + n, r)] for a, n, r in zip(at, kept, ready, strict=True))

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
        for unit in self.graph.units:
            if isinstance(unit.program, Lockstep) and unit.program.writes_ahead:
                return f"{unit.name} writes before its first frame"
        return ""

    def repetition(
        self, solver: Solver, before: Snapshot, now: Snapshot, since: int | None = None
    ) -> Repetition | None:
        """The repetition between two snapshots of ``solver`` if conditions 1 to 3 hold, or None.

        Which unit waited for which channel in windows from ``since`` on, that behind ``before`` unless
        said, is read off ``solver`` itself. Its bounds are never in the even set.
        """
        period = now.frames - before.frames
        if self.obstacle or not (before.is_whole and now.is_whole) or period <= 0:
            return None
        if not (now.places - before.places == period * self._frame_places).all():
            return None
        if not (before.places[3] + 1 >= self._once_ticks).all():
            return None  # a unit was not in its frames yet
        delay = now.words - before.words
        cycles = int(delay[self._unit_at[self.graph.sinks[0]]])
        if any(cycles % channel.ready_every for channel in self.graph.channels if channel.ready_every):
            return None
        own, ends = delay[self._own.places], delay[self._ends.places]
        own_even, own_early = self._own.all_of(own == cycles), self._own.all_of(own <= cycles)
        ends_even, ends_early = self._ends.all_of(ends == cycles), self._ends.all_of(ends <= cycles)
        even = own_even & self._shapes.all_of(delay[self._shapes.places] == 0)
        bounds = solver.state.unit["kind"] == k.BOUND
        even &= ~bounds
        is_complete = bool(even.all() and ends_even.all())
        self._shrink(even, solver, before.window if since is None else since, ends_even, ends_early)
        if not even[list(self.graph.sinks)].all():
            return None
        steps_early = self._steps.all_of(delay[self._steps.places] <= cycles)
        if not (even | (own_early & steps_early)).all():
            return None
        ready_early = self._ready.all_of(delay[self._ready.places] <= cycles)
        for number, (writer, reader) in enumerate(zip(self._writers, self._readers, strict=True)):
            if writer < 0 or reader < 0 or (even[writer] and even[reader] and ends_even[number]):
                continue
            if not ends_early[number] or not (even[writer] or ready_early[number]):
                return None
        others = tuple(np.flatnonzero(~even).tolist())
        unproven = tuple(u for u in others if self._is_flushing[u] and not bounds[u])
        first = before.ended_frames
        return Repetition(first, first + period, cycles, is_complete, others, unproven)

    def _shrink(
        self, even: Bools, solver: Solver, since: int, ends_even: Bools, ends_early: Bools
    ) -> None:
        """Take units out of ``even`` ``(units,)`` until conditions 1 and 2 hold of those that are left.

        ``ends_even`` and ``ends_early`` ``(channels,)``: whether a channel's latest reads and the words
        in it are just as late as the period says, or no later.
        """
        writer_waited = (solver.state.channel["writer_waited"] >= since).tolist()
        reader_waited = (solver.state.channel["reader_waited"] >= since).tolist()
        shrinks = True
        while shrinks:
            shrinks = False
            for number, (writer, reader) in enumerate(zip(self._writers, self._readers, strict=True)):
                if writer < 0 or reader < 0:
                    continue
                inside = even[reader] and ends_even[number]
                if even[writer] and not inside and (writer_waited[number] or not ends_early[number]):
                    even[writer] = False
                    shrinks = True
                inside = even[writer] and ends_even[number]
                if even[reader] and not inside and (reader_waited[number] or not ends_early[number]):
                    even[reader] = False
                    shrinks = True


def _frame_places(program: Program) -> tuple[int, int, int, int]:
    """What a frame adds to a unit's places."""
    if not isinstance(program, Lockstep):
        return program.words_in, program.words_out, 0, 0
    is_flushing = program.pipeline_depth and not program.freezes
    return program.words_in, program.words_out, program.words_out * is_flushing, program.steps
