"""A timing graph solved window by window: in each, every unit goes on by at most a frame.

The kernels are imported where a graph is first solved, here and nowhere else: numba takes its time.
"""

from __future__ import annotations

import copy
from collections.abc import Collection

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.solver.counts import Counts
from bnnsim.timing.streaming.solver.kernels import records as k
from bnnsim.timing.streaming.solver.layout import can_fill, lay_out

MOST_EVALUATIONS = 8
"""Evaluations a unit, in the mean, after which nothing is guessed any more: by then that would have taken
as long."""
MOST_EVALUATIONS_OF_BOUNDS = 30
"""The same with bounds: then a window is tried in smaller parts."""
SMALLEST_SHIFT_OF_BOUNDS = 8
"""With bounds a window is at least this power of two smaller than at first: they turn more often than the
pipelines they stand for."""
MORE_ROOM = 4
"""Where channels need more room than there is, a share of all as large as one in so many is added."""
WINDOW_WORK, EVALUATION_WORK, CAREFUL_WORK = 1 << 14, 2_000, 300
"""What a window, an evaluation of a unit, and one that goes on from where it was, cost besides their
words, in words."""


class UnsettledError(Exception):
    """Bounds whose cycles do not settle, or not soon: they may rise for ever, where those of a graph
    cannot."""


class Solver:
    """A graph being solved, an endless run until :meth:`ending` makes one that ends of it.

    After each window the events are those that ``source_frames`` frames of the sources let happen, no
    unit more than a frame beyond the window's start: a cut that only the graph decides, not the order in
    which units are evaluated. ``source_frames`` may be up to ``most_frames``; counts are kept of units
    and channels where it ``has_counts``, and of ``logged`` channels, by position, every word's cycles.
    """

    def __init__(
        self,
        graph: TimingGraph,
        most_frames: int,
        *,
        has_counts: bool = False,
        logged: Collection[int] = (),
    ) -> None:
        """Raises ValueError for a graph that no hardware could be."""
        self.graph = graph
        self.most_frames = most_frames
        layout = lay_out(graph, most_frames, has_counts)
        self.snapshot_words = layout.snapshot_words
        self.hold(layout.state)
        self.frames: int | None = None
        """Of a run that ends."""
        self.cycle_limit = k.NEVER
        self.source_frames = 0
        self.window = 0
        self.last_event_cycle = -1
        """The last cycle in which any word moved so far, or -1."""
        self.evaluations = 0
        """Of units, so far."""
        self.work = 0
        """Words of all evaluations, those that did not settle included; about nanoseconds."""
        self.most_work = k.NEVER
        """Beyond it bounds are given up."""
        self.counts = Counts(graph) if has_counts else None
        self.logs: dict[int, tuple[list[Int64s], list[Int64s]]] = {c: ([], []) for c in logged}
        self._sink_ends: dict[int, list[int]] = {sink: [] for sink in graph.sinks}
        self._shift = layout.shift
        self._first_shift = layout.shift
        self._is_careful = False
        self.has_bounds = False
        """Whether bounds stand in the place of flushing pipelines."""
        self._window_frames = layout.window_frames
        moved = layout.state.unit["words_in"].sum() + layout.state.unit["words_out"].sum()
        self._unit_words = int(moved) // len(graph.units)
        self._is_solved = False
        self._report = np.zeros(k.REPORT, np.int64)
        self._report[k.PROGRESS] = -len(graph.units)  # no step yet

    def hold(self, state: k.State) -> None:
        """Go on from ``state``, all of whose places for cycles are taken."""
        self.state, self._taken = state, len(state.cycles)

    @property
    def endless_fifos(self) -> Int64s:
        """Channels that ``most_frames`` frames cannot fill: how deep they are is not looked at."""
        channel = self.state.channel
        return np.flatnonzero(k.has_both_ends(channel) & (channel["is_bounded"] == 0))

    def take_on(self, most_frames: int) -> bool:
        """Let the run be of so many frames, where that takes no other tables; whether it does."""
        endless = self.state.channel[self.endless_fifos]
        unit = self.state.unit
        words = np.maximum(unit["words_out"][endless["writer"]], unit["words_in"][endless["reader"]])
        if self.counts is not None or can_fill(endless["depth"], words, most_frames).any():
            return False
        self.most_frames = max(self.most_frames, most_frames)
        return True

    def copy(self) -> Solver:
        """An independent solver in the same state."""
        other = copy.copy(self)
        s = self.state
        state = k.State(
            k.copied(s.unit),
            k.copied(s.start),
            k.copied(s.end),
            k.copied(s.channel),
            s.cycles[: self._taken].copy(),
            s.pipes.copy(),
            s.program_words,
        )
        other.hold(state)
        other._report = self._report.copy()
        other.counts = self.counts and self.counts.copy()
        other.logs = {c: (list(written), list(read)) for c, (written, read) in self.logs.items()}
        other._sink_ends = {sink: list(ends) for sink, ends in self._sink_ends.items()}
        return other

    def ending(self, frames: int, cycle_limit: int = k.NEVER) -> Solver:
        """A copy whose run ends with frame number ``frames``, no fewer than the sources have begun.

        Nothing is done in or after ``cycle_limit``, which no event so far may have reached.
        """
        other = self.copy()
        other.frames, other.cycle_limit = frames, cycle_limit
        return other

    # ---- windows ----------------------------------------------------------------------------

    def advance(self, source_frames: int) -> bool:
        """Go on until the sources have done so many frames; False where nothing moves any more."""
        while self.source_frames < source_frames:
            more = min(self._window_frames, source_frames - self.source_frames)
            if not self.next_window(self.source_frames + more, more):
                return False
        return True

    def next_window(self, source_frames: int, more_frames: int = 1) -> bool:
        """Let units do some frames more, sources up to ``source_frames``; False where nothing moves."""
        self.source_frames = source_frames
        is_whole = more_frames <= self._window_frames
        begun = self._report[k.PROGRESS]
        which = k.NEXT if self._is_solved else k.FIRST
        more = more_frames if is_whole else 1
        while True:
            before = self._report[k.PROGRESS]
            if not self._solve(which, more):
                is_whole = False
            self._note()
            has_moved = self._report[k.PROGRESS] != before
            if not has_moved or (is_whole and not self._shift):
                self._is_solved = True
                return bool(self._report[k.PROGRESS] != begun)
            which, more = k.NEXT, int(not is_whole)

    def finish(self) -> bool:
        """Do all of a run that ends; False where a sink cannot get its last word."""
        assert self.frames is not None
        words_in_all = self.frames * sum(
            unit.program.words_in * bool(unit.inputs) + unit.program.words_out * bool(unit.outputs)
            for unit in self.graph.units
        )
        while self.words_moved < words_in_all:
            if self.counts is None and self.ended_frames == self.frames:
                break
            if not self.next_window(self.frames, self._window_frames):
                break
        return self.ended_frames == self.frames

    def _solve(self, which: int, more: int) -> bool:
        """Sweep until nothing changes. Where that takes long, nothing is guessed any more, in this window
        and all that follow: each evaluation goes on with what the others made known.

        With bounds, which may rise for ever, what is to be done is made less instead. False where fewer
        frames were done than wanted. Raises :class:`UnsettledError` with bounds.
        """
        from bnnsim.timing.streaming.solver.kernels.solve import solve, solve_with_bounds

        solve_window = solve_with_bounds if self.has_bounds else solve
        wanted = more
        if which == k.NEXT:
            if self._report[k.IS_CROWDED]:
                self._make_room()
            self.window += 1
        while True:
            dirty = np.ones(len(self.state.unit), np.int64)
            limits = self.limits._replace(more_frames=more)
            words = EVALUATION_WORK + (self._unit_words * max(1, more) >> self._shift)
            if self.has_bounds:
                affordable = max(0, self.most_work - self.work) // words
                limits = limits._replace(most_evaluations=min(limits.most_evaluations, affordable))
            moved = self.words_moved
            is_settled = solve_window(self.state, limits, which, dirty, self._report)
            evaluations = int(self._report[k.EVALUATIONS])
            if limits.is_careful:  # each word is done once
                self.work += WINDOW_WORK + evaluations * CAREFUL_WORK + self.words_moved - moved
            else:
                self.work += WINDOW_WORK + evaluations * words
            if self.has_bounds and self.work > self.most_work:
                raise UnsettledError
            if is_settled:
                break
            which = k.AGAIN
            if more > 1:
                more = self._window_frames = 1
                continue
            if not self.has_bounds:
                self._is_careful = True
            elif self._shift < self._first_shift + SMALLEST_SHIFT_OF_BOUNDS:
                self._shift += 1
            else:
                raise UnsettledError
        self.evaluations += int(self._report[k.EVALUATIONS])
        self.last_event_cycle = max(self.last_event_cycle, int(self._report[k.LAST_EVENT]))
        return more == wanted

    def _make_room(self) -> None:
        """Move the writes of channels that hold more words than there is room for."""
        s = self.state
        channel = s.channel
        held = channel["held"] + channel["written"] - channel["read"]
        needed = channel["old_writes"] + held + channel["most"]
        crowded = k.has_both_ends(channel) & (needed > channel["writes_to"] - channel["writes_from"])
        rows = [channel[c] for c in np.flatnonzero(crowded)]
        ends = [row.writes_at + row.old_writes + row.held + row.written for row in rows]
        sizes = [2 * int(end - row.writes_at + row.most) for row, end in zip(rows, ends, strict=True)]
        cycles = s.cycles
        if self._taken + sum(sizes) > len(cycles):
            cycles = np.empty(self._taken + max(sum(sizes), self._taken // MORE_ROOM), np.int64)
            cycles[: self._taken] = s.cycles[: self._taken]
        for row, end, size in zip(rows, ends, sizes, strict=True):
            place, kept = self._taken, end - row.writes_at
            self._taken += size
            cycles[place : place + kept] = cycles[row.writes_at : end]
            cycles[place + kept : self._taken] = k.LONG_AGO
            row.writes_at = row.writes_from = place
            row.writes_to = self._taken
        self.state = s._replace(cycles=cycles)

    def _note(self) -> None:
        """Note what the window that was solved says."""
        for sink, ends in self._sink_ends.items():
            unit, words = self.graph.units[sink], self.graph.frame_words(sink)
            cycles = self.written(unit.outputs[0]) if unit.outputs else self.read(unit.inputs[0])
            first = int(self.state.start["writes" if unit.outputs else "reads"][sink])
            ends += cycles[-(first + 1) % words :: words].tolist()
        for channel, (written, read) in self.logs.items():
            written.append(self.written(channel).copy())
            read.append(self.read(channel).copy())
        if self.counts is not None:
            self.counts.add_window(self.state)

    # ---- what is known ----------------------------------------------------------------------

    @property
    def limits(self) -> k.Limits:
        """As the kernels take them."""
        is_careful = self._is_careful and not self.has_bounds
        most = MOST_EVALUATIONS_OF_BOUNDS if self.has_bounds else MOST_EVALUATIONS
        return k.Limits(
            frames=self.source_frames,
            is_ending=self.frames is not None,
            shift=self._shift,
            cycle_limit=self.cycle_limit,
            window=self.window,
            has_counts=self.counts is not None,
            most_evaluations=k.NEVER if is_careful else most * len(self.graph.units),
            is_careful=is_careful,
        )

    @property
    def words_moved(self) -> int:
        """Reads and writes of all units so far."""
        return int(self._report[k.WORDS_MOVED])

    @property
    def ended_frames(self) -> int:
        """Frames whose last word every sink has moved."""
        return min(len(ends) for ends in self._sink_ends.values())

    @property
    def begun_frames(self) -> int:
        """Frames whose last word any sink has moved."""
        return max(len(ends) for ends in self._sink_ends.values())

    @property
    def ends(self) -> list[int]:
        """The cycles in which frames ended: every sink had their last words."""
        return [max(ends) for ends in zip(*self._sink_ends.values(), strict=False)]

    def written(self, channel: int) -> Int64s:
        """The cycles of the words written to a channel in the window."""
        return k.written(self.state, channel)

    def read(self, channel: int) -> Int64s:
        """The cycles of the words read from a channel in the window."""
        return k.read(self.state, channel)

    def snapshot(self) -> Int64s:
        """The numbers on which all that comes depends."""
        from bnnsim.timing.streaming.solver.kernels.snapshot import take_snapshot

        words = np.zeros(self.snapshot_words, np.int64)
        take_snapshot(self.state, words)
        return words
