"""A timing graph being run by the compiled kernel.

The kernels are imported where a machine first runs, here and nowhere else: numba takes its time.
"""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels import records as k
from bnnsim.timing.streaming.compiled.layout import MachineOptions, lay_out
from bnnsim.timing.streaming.programs.graph import TimingGraph


class Machine:
    """A graph being run: how far every unit has got, and the times that others may still ask for."""

    def __init__(self, graph: TimingGraph, options: MachineOptions) -> None:
        """Raises ValueError for a graph that no hardware could be."""
        self.graph = graph
        self.options = options
        self.unit, self.channel, self.event_times, self.program_words = lay_out(graph, options)
        self.frame_limit = 0

    def copy(self) -> Machine:
        """An independent machine in the same state."""
        other = object.__new__(Machine)
        other.__dict__.update(self.__dict__)
        other.unit, other.channel = k.copied(self.unit), k.copied(self.channel)
        other.event_times = self.event_times.copy()
        return other

    @property
    def state(self) -> k.State:
        """The tables, as the kernel takes them."""
        return k.State(self.unit, self.channel, self.event_times, self.program_words)

    def run_to(self, frames: int, cycle_limit: int = k.NEVER) -> None:
        """Do all that can be done of the first frames of an endless run before ``cycle_limit``."""
        self.frame_limit = frames
        self._advance(draining=False, cycle_limit=cycle_limit)

    def drain(self, cycle_limit: int = k.NEVER) -> None:
        """Do the rest of the run that ends with the frames of the last :meth:`run_to`.

        Nothing is done in or after cycle ``cycle_limit``.
        """
        self._advance(draining=True, cycle_limit=cycle_limit)

    def account(self, cycles: int) -> None:
        """Book what the units did, and what they waited for, in a run that took ``cycles``."""
        from bnnsim.timing.streaming.compiled.kernels.advance import account

        account(self.state, self._limits(True, cycles), cycles)

    def _advance(self, draining: bool, cycle_limit: int) -> None:
        from bnnsim.timing.streaming.compiled.kernels.advance import advance

        missing = self._head(k.ENDS_AT) + self.frame_limit + 1 - len(self.event_times)
        if missing > 0:
            self._insert(len(self.event_times), np.full(missing + len(self.ends), -1, np.int64))
        units = len(self.unit)
        queue, queued = np.zeros(units, np.int64), np.zeros(units, np.int64)
        advance(self.state, queue, queued, self._limits(draining, cycle_limit))

    def _limits(self, draining: bool, cycle_limit: int) -> k.Limits:
        counts, general = self.options.counts, self.options.general
        return k.Limits(self.frame_limit, draining, cycle_limit, counts, general)

    def _head(self, number: int) -> int:
        return int(self.program_words[number])

    def _insert(self, place: int, times: Int64s) -> None:
        self.event_times = np.concatenate([self.event_times[:place], times, self.event_times[place:]])

    def keep_more_snapshots(self) -> None:
        """Make room for the snapshots of twice as many frames."""
        rows, words = self.snapshots, self._head(k.SNAPSHOT_WORDS)
        start, end = self._head(k.SNAPSHOTS_AT), self._head(k.ENDS_AT)
        old = self.event_times[start:end].reshape(rows, words)
        new = np.full((2 * rows, words), -1, np.int64)
        frames = (self.unit[name] for name in ("frames_done", "input_frame", "output_frame"))
        last = max(int(frame.max()) for frame in frames)
        for frame in range(max(0, last - rows + 1), last + 1):
            new[frame % (2 * rows)] = old[frame % rows]
        self.event_times = np.concatenate(
            [self.event_times[:start], new.reshape(-1), self.event_times[end:]]
        )
        self.program_words = self.program_words.copy()
        self.program_words[k.SNAPSHOTS] = 2 * rows
        self.program_words[k.ENDS_AT] = end + rows * words

    def insert(self, rings: list[Int64s]) -> int:
        """Put more rings into the event times, in front of the snapshots; the place of the first."""
        place = self._head(k.SNAPSHOTS_AT)
        self._insert(place, np.concatenate([np.zeros(0, np.int64), *rings]))
        self.program_words = self.program_words.copy()
        self.program_words[[k.SNAPSHOTS_AT, k.ENDS_AT]] += sum(len(ring) for ring in rings)
        return place

    def snapshot(self, frame: int) -> Int64s:
        """What is kept of the state in which the units left one of the latest frames."""
        words = self._head(k.SNAPSHOT_WORDS)
        start = self._head(k.SNAPSHOTS_AT) + frame % self.snapshots * words
        return self.event_times[start : start + words].copy()

    @property
    def snapshots(self) -> int:
        """Frames whose snapshots are kept."""
        return self._head(k.SNAPSHOTS)

    @property
    def words_moved(self) -> int:
        """Reads and writes of all units so far."""
        return int(self.unit["reads"].sum() + self.unit["writes"].sum())

    @property
    def progress(self) -> int:
        """A number that grows with every word that moves and every frame that a unit completes."""
        return self.words_moved + int(self.unit["frames_done"].sum())

    @property
    def ends(self) -> Int64s:
        """The cycle of each frame's last word so far at any sink, or -1; its end once it has ended."""
        return self.event_times[self._head(k.ENDS_AT) :]

    @property
    def frames_done(self) -> int:
        """Frames that every unit has completed."""
        return int(self.unit["frames_done"].min())

    @property
    def ended_frames(self) -> int:
        """Frames whose last word every sink has moved."""
        return min(self._ended_frames(sink) for sink in self.graph.sinks)

    def _ended_frames(self, sink: int) -> int:
        moved = "writes" if self.graph.units[sink].outputs else "reads"
        return int(self.unit[moved][sink]) // self.graph.frame_words(sink)

    @property
    def last_cycle(self) -> int:
        """The last cycle in which any word moved so far, or -1."""
        return int(max(self.unit["last_read"].max(), self.unit["last_write"].max()))

    @property
    def last_step_cycle(self) -> int:
        """The last cycle in which any unit did anything that counts as busy."""
        return max(self.last_cycle, int(self.unit["step_cycle"].max()))
