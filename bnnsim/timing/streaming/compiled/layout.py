"""A timing graph laid out in tables for the compiled kernel."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.compiled.kernels import records as k
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic, Lockstep
from bnnsim.timing.streaming.programs.view import View

SPARE_WORDS = 2
"""Words that a ring holds beyond those that may be asked for."""
FIRST_SNAPSHOTS = 4
"""Frames whose snapshots are kept unless more are needed."""


@dataclass(frozen=True)
class MachineOptions:
    """What a machine keeps, and how it is run.

    ``frames``: the most it will be asked to run; depths beyond the words of so many frames cost no
    memory. ``snapshots``: whether to keep the states in which the units left the latest frames.
    ``counts``: occupancies, and the accounts of elastic units. ``logged``: positions of channels whose
    every word's time is kept. ``general``: whether units are run by the code for any ports only, not by
    the faster code for one input and one output; all figures are the same.
    """

    frames: int
    snapshots: bool = False
    counts: bool = True
    logged: Collection[int] = ()
    general: bool = False


def lay_out(graph: TimingGraph, options: MachineOptions) -> k.State:
    """The tables of ``graph`` before the first cycle.

    Raises ValueError for a graph that no hardware could be.
    """
    return _Layout(graph, options).state()


class _Layout:
    """Tables in the making."""

    def __init__(self, graph: TimingGraph, options: MachineOptions) -> None:
        self.graph = graph
        self.options = options
        self.unit = [k.UnitRecord() for _ in graph.units]
        self.channel = [k.ChannelRecord() for _ in graph.channels]
        self.program_words: list[int] = [0] * k.HEAD
        self.elastic_words: list[Int64s] = []  # behind the rest of the programs' words
        self.event_times = 0  # how many
        self.snapshot_words = 0
        self._join_ends()
        for number in range(len(graph.channels)):
            self._channel(number)
        for number in range(len(graph.units)):
            self._unit(number)
        end = len(self.program_words)
        for row, unit in zip(self.unit, graph.units, strict=True):
            if isinstance(unit.program, Elastic):
                end = self._elastic(unit.program, row, end)
        snapshots = FIRST_SNAPSHOTS if options.snapshots else 1
        self.program_words[k.SNAPSHOTS] = snapshots
        self.program_words[k.SNAPSHOT_WORDS] = self.snapshot_words
        self.program_words[k.SNAPSHOTS_AT] = self._reserve(snapshots * self.snapshot_words)
        self.program_words[k.ENDS_AT] = self.event_times  # last, for it grows with the frames

    def state(self) -> k.State:
        words = np.concatenate([np.array(self.program_words, np.int64), *self.elastic_words])
        times = np.full(self.event_times, -1, np.int64)
        return k.State(k.table(self.unit, k.UNIT), k.table(self.channel, k.CHANNEL), times, words)

    def _join_ends(self) -> None:
        for number, unit in enumerate(self.graph.units):
            for port in unit.inputs:
                self._check_is_free(port, self.channel[port].reader)
                self.channel[port].reader = number
            for port in unit.outputs:
                self._check_is_free(port, self.channel[port].writer)
                self.channel[port].writer = number

    def _check_is_free(self, port: int, unit: int) -> None:
        if unit >= 0:
            raise ValueError(f"channel {self.graph.channels[port].name} has two units at one end")

    def _reserve(self, words: int) -> int:
        place = self.event_times
        self.event_times += words
        return place

    def _ring(self, words: int) -> tuple[int, int]:
        """A ring for the latest ``words`` cycles: its place in the event times and its mask."""
        size = 1 << max(0, words - 1).bit_length()
        return self._reserve(size), size - 1

    # ---- channels ---------------------------------------------------------------------------

    def _channel(self, number: int) -> None:
        channel = self.graph.channels[number]
        row = self.channel[number]
        is_open = channel.ready_every > 0
        if (is_open and row.reader >= 0) or (channel.supplies and row.writer >= 0):
            raise ValueError(f"channel {channel.name}: a test bench's end has a unit on it")
        row.lag = 0 if channel.falls_through else 1
        row.supplies, row.is_open = int(channel.supplies), int(is_open)
        words = self._words_in_all(row)
        depth = min(channel.depth_words, words + 1)
        if channel.supplies or is_open:
            depth = k.OPEN_END_WORDS
        kept = 0
        if self.options.snapshots and row.writer >= 0 and row.reader >= 0:
            kept = depth + self._ahead(row.writer, row.reader)
        row.depth_words = depth
        row.read_ring, row.read_mask = self._ring(1 if is_open else max(depth, kept) + SPARE_WORDS)
        row.write_ring, row.write_mask = self._ring(1 if channel.supplies else depth + SPARE_WORDS)
        row.snapshot_place, row.snapshot_reads = self.snapshot_words, kept
        self.snapshot_words += kept
        if channel.supplies:
            row.written = k.OPEN_END_WORDS
        logged = words if number in self.options.logged else 0
        row.write_log = self._reserve(logged)
        row.write_log_end = self.event_times
        row.read_log = self._reserve(logged)
        row.read_log_end = self.event_times

    def _words_in_all(self, row: k.ChannelRecord) -> int:
        """The most words that can pass a channel."""
        words = 0
        if row.writer >= 0:
            words = self.graph.units[row.writer].program.words_out
        if row.reader >= 0:
            words = max(words, self.graph.units[row.reader].program.words_in)
        return words * self.options.frames

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

    # ---- units ------------------------------------------------------------------------------

    def _unit(self, number: int) -> None:
        unit = self.graph.units[number]
        row = self.unit[number]
        row.first_input = len(self.program_words)
        self.program_words += unit.inputs
        row.end_input = row.first_output = len(self.program_words)
        self.program_words += unit.outputs
        row.end_output = len(self.program_words)
        row.words_in, row.words_out = unit.program.words_in, unit.program.words_out
        row.ready_every = math.lcm(*(self.graph.channels[c].ready_every or 1 for c in unit.outputs))
        if number in self.graph.sinks:
            row.sink_words = self.graph.frame_words(number)
            row.ends_on_write = int(bool(unit.outputs))
            if not row.sink_words:
                raise ValueError("a sink needs words")
        row.snapshot_place = self.snapshot_words
        if isinstance(unit.program, Lockstep):
            self._lockstep(unit.program, row)
        else:
            row.snapshot_words = max(1, -int(unit.program.order.release[0]))
            self.snapshot_words += k.SNAP_LEFT + row.snapshot_words

    def _lockstep(self, program: Lockstep, row: k.UnitRecord) -> None:
        if not program.steps:
            raise ValueError("a lockstep program needs steps")
        row.kind = k.FLUSHING
        if program.freezes or not program.pipeline_depth:
            ports = max(row.end_input - row.first_input, row.end_output - row.first_output)
            row.kind = k.PLAIN if ports <= 1 and row.ready_every == 1 else k.FREEZING
        row.stages = program.pipeline_depth
        row.steps, row.prologue_steps = program.steps, program.prologue_steps
        reading, row.read_frame, row.read_end = self._view(program.reading)
        row.read_block, row.read_repeat, row.read_segment, row.read_left, row.next_read = reading
        if program.writing.is_empty and program.writing.segments:
            raise ValueError("a program's prologue writes and its frames do not")
        writing, row.write_frame, row.write_end = self._view(program.writing)
        row.write_block, row.write_repeat, row.write_segment, row.write_left, row.next_write = writing
        self.snapshot_words += k.SNAP_STEPS
        if row.kind != k.FLUSHING:
            if row.next_write != k.NEVER:
                row.next_write += program.pipeline_depth
            return
        row.pipe_ring, row.pipe_mask = self._ring(program.pipeline_depth + SPARE_WORDS)
        self._reserve(2 * row.pipe_mask + 2)
        row.snapshot_words = program.words_in_pipeline
        self.snapshot_words += program.words_in_pipeline + program.pipeline_depth

    def _view(self, view: View) -> tuple[k.Cursor, int, int]:
        """Append a view: a cursor at its first active step; first block of a frame, and end."""
        segments = len(self.program_words)
        for segment in view.segments:
            self.program_words += segment
        blocks = len(self.program_words)
        for repeat, first, end, idle in view.blocks:
            self.program_words += (repeat, segments + 2 * first, segments + 2 * end, idle)
        if view.is_empty:  # a prologue's reads alone are behind the last word of any run
            cursor = k.Cursor(0, 0, 0, 0, k.NEVER)
        else:
            at_block, at_segment, step = view.start
            cursor = k.Cursor(
                block=blocks + 4 * at_block,
                repeat=view.blocks[at_block][0],
                segment=segments + 2 * at_segment,
                left=view.segments[at_segment][1],
                step=step,
            )
        return cursor, blocks + 4 * view.prologue_blocks, len(self.program_words)

    def _elastic(self, program: Elastic, row: k.UnitRecord, place: int) -> int:
        """Put a program's words at ``place`` in the programs' words; the place behind them."""
        order = program.order
        row.kind = k.ELASTIC
        row.latency = program.latency
        row.dependence_start, row.dependence_end = place, place + order.dependence_runs.size
        row.release_start = place + order.dependence_runs.size
        row.taken_ring, row.taken_mask = self._ring(order.taken_ring + SPARE_WORDS)
        self._reserve(row.taken_mask + 1)
        row.left_ring, row.left_mask = self._ring(order.left_ring + SPARE_WORDS)
        self._reserve(row.left_mask + 1)
        row.dependence = row.dependence_start
        row.dependence_left = int(order.dependence_runs[0, 1])
        self.elastic_words += [order.dependence_runs.reshape(-1), order.release]
        return place + order.dependence_runs.size + order.release.size
