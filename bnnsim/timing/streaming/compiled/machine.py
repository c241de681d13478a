"""A timing graph laid out in tables for the compiled kernel, and its state while it runs.

The kernels are imported where a machine first runs, here and nowhere else: numba takes its time.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels import columns as k
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.programs.view import View

SPARE_WORDS = 2
FIRST_SNAPSHOTS = 4


@dataclass(frozen=True)
class MachineOptions:
    """What a machine keeps.

    ``frames``: the most it will be asked to run; depths beyond the words of so many frames cost no
    memory. ``snapshots``: whether to keep the states in which the units left the latest frames.
    ``counts``: occupancies, and the accounts of elastic units. ``logged``: positions of channels whose
    every word's time is kept.
    """

    frames: int
    snapshots: bool = False
    counts: bool = True
    logged: Collection[int] = ()


class _Layout:
    """Tables in the making."""

    def __init__(self, graph: TimingGraph, options: MachineOptions) -> None:
        self.graph = graph
        self.options = options
        self.unit = np.zeros((len(graph.units), k.UNIT_COLUMNS), np.int64)
        self.channel = np.zeros((len(graph.channels), k.CHANNEL_COLUMNS), np.int64)
        self.plan: list[int] = [0] * k.HEAD
        self.words: list[Int64s] = []  # of elastic units, behind the rest of the plan
        self.pool_words = 0
        self.snapshot_words = 0
        self.channel[:, k.WRITER] = self.channel[:, k.READER] = -1
        for number, unit in enumerate(graph.units):
            for port in unit.inputs:
                self._join(port, k.READER, number)
            for port in unit.outputs:
                self._join(port, k.WRITER, number)
        for number in range(len(graph.channels)):
            self._channel(number)
        for number in range(len(graph.units)):
            self._unit(number)
        end = len(self.plan)
        for row, unit in zip(self.unit, graph.units, strict=True):
            if isinstance(unit.program, Elastic):
                end = self._elastic(unit.program, row, end)
        self.plan[k.SNAPSHOTS] = FIRST_SNAPSHOTS if options.snapshots else 1
        self.plan[k.SNAPSHOT_WORDS] = self.snapshot_words
        self.plan[k.SNAPSHOTS_AT] = self._reserve(self.plan[k.SNAPSHOTS] * self.snapshot_words)
        self.plan[k.ENDS_AT] = self.pool_words  # last, for it grows with the frames

    def arrays(self) -> tuple[Int64s, Int64s, Int64s, Int64s]:
        """Units, channels, pool and plan, as the kernel takes them."""
        plan = np.concatenate([np.array(self.plan, np.int64), *self.words])
        return self.unit, self.channel, np.full(self.pool_words, -1, np.int64), plan

    def _join(self, port: int, end: int, unit: int) -> None:
        if self.channel[port, end] >= 0:
            name = self.graph.channels[port].name
            raise ValueError(f"channel {name} has two units at one end")
        self.channel[port, end] = unit

    def _reserve(self, words: int) -> int:
        place = self.pool_words
        self.pool_words += words
        return place

    def _ring(self, words: int) -> tuple[int, int]:
        """A ring for the latest ``words`` cycles: its place in the pool and its mask."""
        size = 1 << max(0, words - 1).bit_length()
        return self._reserve(size), size - 1

    def _channel(self, number: int) -> None:
        channel = self.graph.channels[number]
        row = self.channel[number]
        writer, reader = int(row[k.WRITER]), int(row[k.READER])
        is_open = channel.ready_every > 0
        if (is_open and reader >= 0) or (channel.supplies and writer >= 0):
            raise ValueError(f"channel {channel.name}: a test bench's end has a unit on it")
        row[k.LAG] = 0 if channel.falls_through else 1
        row[k.SUPPLIES], row[k.IS_OPEN] = channel.supplies, is_open
        words = self._words_in_all(number)
        depth = min(channel.depth_words, words + 1)
        if channel.supplies or is_open:
            depth = k.OPEN_END_WORDS
        snap = 0
        if self.options.snapshots and writer >= 0 and reader >= 0:
            snap = depth + self._ahead(writer, reader)
        row[k.DEPTH_WORDS] = depth
        row[k.READ_RING], row[k.READ_MASK] = self._ring(1 if is_open else max(depth, snap) + SPARE_WORDS)
        row[k.WRITE_RING], row[k.WRITE_MASK] = self._ring(1 if channel.supplies else depth + SPARE_WORDS)
        row[k.CHANNEL_SNAP], row[k.SNAP_READS] = self.snapshot_words, snap
        self.snapshot_words += snap
        row[k.BLOCKED_IN] = row[k.STARVED_IN] = -1
        if channel.supplies:
            row[k.WRITTEN] = k.OPEN_END_WORDS
        logs = words if number in self.options.logged else 0
        for start, end in ((k.LOG_WRITES, k.LOG_WRITES_END), (k.LOG_READS, k.LOG_READS_END)):
            row[start] = self._reserve(logs)
            row[end] = self.pool_words

    def _words_in_all(self, number: int) -> int:
        """The most words that can pass a channel."""
        words = 0
        for end, side in ((k.WRITER, "words_out"), (k.READER, "words_in")):
            unit = int(self.channel[number, end])
            if unit >= 0:
                program = self.graph.units[unit].program
                words = max(words, getattr(program, side) * self.options.frames)
        return words

    def _ahead(self, writer: int, reader: int) -> int:
        """By how many words the two ends may have got apart when both have done the same frames."""
        words = 1
        program = self.graph.units[writer].program
        if isinstance(program, Lockstep):
            words += program.pipeline_depth
        program = self.graph.units[reader].program
        if isinstance(program, Lockstep):
            words += program.words_ahead
        return words

    def _unit(self, number: int) -> None:
        unit = self.graph.units[number]
        row = self.unit[number]
        row[k.IN0] = len(self.plan)
        self.plan += unit.inputs
        row[k.IN1] = row[k.OUT0] = len(self.plan)
        self.plan += unit.outputs
        row[k.OUT1] = len(self.plan)
        row[k.WORDS_IN], row[k.WORDS_OUT] = unit.program.words_in, unit.program.words_out
        row[k.EVERY] = math.lcm(*(self.graph.channels[c].ready_every or 1 for c in unit.outputs))
        if number == self.graph.sink:
            row[k.ENDS], row[k.ENDS_ON_WRITE] = self.graph.frame_words, bool(unit.outputs)
            if not self.graph.frame_words:
                raise ValueError("a sink needs words")
        row[[k.AT, k.TICK, k.LOCAL, k.LAST_READ, k.LAST_WRITE, k.WAIT_IN, k.WAIT_OUT]] = -1
        row[k.SNAP] = self.snapshot_words
        if isinstance(unit.program, Lockstep):
            self._lockstep(unit.program, row)
        else:
            row[k.SNAP_WORDS] = max(1, -int(unit.program.order.release[0]))
            self.snapshot_words += k.SNAP_LEFT + int(row[k.SNAP_WORDS])

    def _lockstep(self, program: Lockstep, row: Int64s) -> None:
        if not program.steps:
            raise ValueError("a lockstep program needs steps")
        row[k.KIND] = k.FLUSHING
        if program.freezes or not program.pipeline_depth:
            ports = max(row[k.IN1] - row[k.IN0], row[k.OUT1] - row[k.OUT0])
            row[k.KIND] = k.PLAIN if ports <= 1 and row[k.EVERY] == 1 else k.FREEZING
        row[k.DEPTH] = program.pipeline_depth
        row[k.STEPS], row[k.PROLOGUE] = program.steps, program.prologue_steps
        row[k.READ_FRAME], row[k.READ_END] = self._view(program.reading, row, k.R_BLOCK)
        row[k.WRITE_FRAME], row[k.WRITE_END] = self._view(program.writing, row, k.W_BLOCK)
        self.snapshot_words += k.SNAP_STEPS
        if row[k.KIND] != k.FLUSHING:
            if row[k.W_NEXT] != k.NEVER:
                row[k.W_NEXT] += program.pipeline_depth
            return
        row[k.PIPE], row[k.PIPE_MASK] = self._ring(program.pipeline_depth + SPARE_WORDS)
        self._reserve(2 * int(row[k.PIPE_MASK]) + 2)
        row[k.SNAP_WORDS] = program.words_in_pipeline
        self.snapshot_words += program.words_in_pipeline + program.pipeline_depth

    def _view(self, view: View, row: Int64s, cursor: int) -> tuple[int, int]:
        """Append a view and set the cursor to its first active step; first block of a frame, and end."""
        segments = len(self.plan)
        for segment in view.segments:
            self.plan += segment
        blocks = len(self.plan)
        for repeat, first, end, idle in view.blocks:
            self.plan += (repeat, segments + 2 * first, segments + 2 * end, idle)
        if view.is_empty:  # a prologue's reads alone are behind the last word of any run
            if cursor == k.W_BLOCK and view.segments:
                raise ValueError("a program's prologue writes and its frames do not")
            row[cursor + 4] = k.NEVER
        else:
            at_block, at_segment, step = view.start
            row[cursor : cursor + 5] = (
                blocks + 4 * at_block,
                view.blocks[at_block][0],
                segments + 2 * at_segment,
                view.segments[at_segment][1],
                step,
            )
        return blocks + 4 * view.prologue_blocks, len(self.plan)

    def _elastic(self, program: Elastic, row: Int64s, place: int) -> int:
        """Put a program's words at ``place`` in the plan; the place behind them."""
        order = program.order
        row[k.KIND] = k.ELASTIC
        row[k.LATENCY] = program.latency
        row[k.NEEDS], row[k.NEEDS_END] = place, place + order.dependence_runs.size
        row[k.FREES] = place + order.dependence_runs.size
        row[k.TAKEN], row[k.TAKEN_MASK] = self._ring(order.taken_ring + SPARE_WORDS)
        self._reserve(int(row[k.TAKEN_MASK]) + 1)
        row[k.LEFT], row[k.LEFT_MASK] = self._ring(order.left_ring + SPARE_WORDS)
        self._reserve(int(row[k.LEFT_MASK]) + 1)
        row[k.NEED] = row[k.NEEDS]
        row[k.NEED_LEFT] = order.dependence_runs[0, 1]
        self.words += [order.dependence_runs.reshape(-1), order.release]
        return place + order.dependence_runs.size + order.release.size


class Machine:
    """A graph being run: how far every unit has got, and the times that others may still ask for."""

    def __init__(self, graph: TimingGraph, options: MachineOptions) -> None:
        """Raises ValueError for a graph that no hardware could be."""
        self.graph = graph
        self.options = options
        self.unit, self.channel, self.pool, self.plan = _Layout(graph, options).arrays()
        self.barrier = 0

    def copy(self) -> Machine:
        """An independent machine in the same state."""
        other = object.__new__(Machine)
        other.__dict__.update(self.__dict__)
        other.unit, other.channel = self.unit.copy(), self.channel.copy()
        other.pool = self.pool.copy()
        return other

    @property
    def arrays(self) -> tuple[Int64s, Int64s, Int64s, Int64s]:
        """As the kernel takes them."""
        return self.unit, self.channel, self.pool, self.plan

    def run_to(self, frames: int, horizon: int = k.NEVER) -> None:
        """Do all that can be done of the first ``frames`` frames of an endless run before ``horizon``."""
        self.barrier = frames
        self._advance(draining=False, horizon=horizon)

    def drain(self, horizon: int = k.NEVER) -> None:
        """Do the rest of the run that ends with the frames of the last :meth:`run_to`.

        Nothing is done in or after cycle ``horizon``.
        """
        self._advance(draining=True, horizon=horizon)

    def account(self, cycles: int) -> None:
        """Book what the units did, and what they waited for, in a run that took ``cycles``."""
        from bnnsim.timing.streaming.compiled.kernels.advance import account

        account(*self.arrays, self.barrier, cycles)

    def _advance(self, draining: bool, horizon: int) -> None:
        from bnnsim.timing.streaming.compiled.kernels.advance import advance

        missing = int(self.plan[k.ENDS_AT]) + self.barrier + 1 - len(self.pool)
        if missing > 0:
            self.pool = np.concatenate([self.pool, np.full(missing + len(self.ends), -1, np.int64)])
        advance(
            *self.arrays,
            np.zeros(len(self.unit), np.int64),
            np.zeros(len(self.unit), np.int64),
            self.barrier,
            draining,
            horizon,
            self.options.counts,
        )

    def keep_more_snapshots(self) -> None:
        """Make room for the snapshots of twice as many frames."""
        rows, words = int(self.plan[k.SNAPSHOTS]), int(self.plan[k.SNAPSHOT_WORDS])
        start, end = int(self.plan[k.SNAPSHOTS_AT]), int(self.plan[k.ENDS_AT])
        old = self.pool[start:end].reshape(rows, words)
        new = np.full((2 * rows, words), -1, np.int64)
        last = int(self.unit[:, [k.FRAME, k.IN_FRAME, k.OUT_FRAME]].max())
        for frame in range(max(0, last - rows + 1), last + 1):
            new[frame % (2 * rows)] = old[frame % rows]
        self.pool = np.concatenate([self.pool[:start], new.reshape(-1), self.pool[end:]])
        self.plan = self.plan.copy()
        self.plan[k.SNAPSHOTS] = 2 * rows
        self.plan[k.ENDS_AT] = end + rows * words

    def insert(self, rings: list[Int64s]) -> None:
        """Put more rings into the pool, in front of the snapshots."""
        place = int(self.plan[k.SNAPSHOTS_AT])
        self.pool = np.concatenate([self.pool[:place], *rings, self.pool[place:]])
        self.plan = self.plan.copy()
        self.plan[[k.SNAPSHOTS_AT, k.ENDS_AT]] += sum(len(ring) for ring in rings)

    def snapshot(self, frame: int) -> Int64s:
        """What is kept of the state in which the units left one of the latest frames."""
        words = int(self.plan[k.SNAPSHOT_WORDS])
        start = int(self.plan[k.SNAPSHOTS_AT]) + frame % int(self.plan[k.SNAPSHOTS]) * words
        return self.pool[start : start + words].copy()

    @property
    def snapshots(self) -> int:
        """Frames whose snapshots are kept."""
        return int(self.plan[k.SNAPSHOTS])

    @property
    def words_moved(self) -> int:
        """Reads and writes of all units so far."""
        return int(self.unit[:, [k.READS, k.WRITES]].sum())

    @property
    def progress(self) -> int:
        """A number that grows with every word that moves and every frame that a unit completes."""
        return int(self.unit[:, [k.READS, k.WRITES, k.FRAME]].sum())

    @property
    def ends(self) -> Int64s:
        """The cycle of each frame's last word at the sink, or -1."""
        return self.pool[int(self.plan[k.ENDS_AT]) :]

    @property
    def frames_done(self) -> int:
        """Frames that every unit has completed."""
        return int(self.unit[:, k.FRAME].min())

    @property
    def ended_frames(self) -> int:
        """Frames whose last word the sink has moved."""
        sink = self.unit[self.graph.sink]
        return int(sink[k.WRITES if sink[k.ENDS_ON_WRITE] else k.READS]) // self.graph.frame_words

    @property
    def last_cycle(self) -> int:
        """The last cycle in which any word moved so far, or -1."""
        return int(self.unit[:, [k.LAST_READ, k.LAST_WRITE]].max())

    @property
    def last_step_cycle(self) -> int:
        """The last cycle in which any unit did anything that counts as busy."""
        return int(self.unit[:, [k.LAST_READ, k.LAST_WRITE, k.AT]].max())
