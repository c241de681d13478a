"""A timing graph laid out in tables for the solver."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.programs.program import Elastic, Program
from bnnsim.timing.streaming.solver.kernels import records as k
from bnnsim.timing.streaming.solver.mould import mould
from bnnsim.timing.streaming.solver.wiring import Wiring, join_ends, wiring

MOST_WINDOW_WORDS = 1 << 23
"""Reads and writes of all units in a window; where a frame has more, a window is a part of it."""
LEAST_WINDOW_WORDS, MOST_WINDOW_FRAMES = 1 << 14, 8
"""Where a frame has fewer words, windows may be some frames: a call takes longer than they do."""
MOST_PARTS = 1 << 12
"""Parts of which the words are counted, to make room for no more."""
MORE_WORDS_HELD = 64
"""Beside two frames', words in a channel of which a snapshot keeps the writes."""


@dataclass(frozen=True)
class Layout:
    """Tables before the first window.

    A window is at most ``window_frames`` frames, and where that is one, 2 to the power of ``shift``
    smaller. ``snapshot_words``: numbers in a snapshot.
    """

    state: k.State
    window_frames: int
    shift: int
    snapshot_words: int


def lay_out(graph: TimingGraph, most_frames: int, has_counts: bool) -> Layout:
    """The tables of ``graph``, of which no more than ``most_frames`` frames will be solved.

    Raises ValueError for a graph that no hardware could be.
    """
    moulds = [mould(unit.program) for unit in graph.units]
    unit = k.tabled([one.unit for one in moulds], k.UNIT)
    place = k.tabled([one.place for one in moulds], k.PLACE)
    channel = k.tabled([_CHANNEL] * len(graph.channels), k.CHANNEL)
    words = int(unit["words_in"].sum() + unit["words_out"].sum())
    shift = max(0, (words // MOST_WINDOW_WORDS).bit_length())
    window_frames = max(1, min(MOST_WINDOW_FRAMES, LEAST_WINDOW_WORDS // max(1, words), most_frames))
    wires = wiring(graph)
    _join_ends(graph, wires, unit, channel)
    extra = np.array([(one.reads_more, one.writes_more, one.pipe_words) for one in moulds]).T
    unit["most_reads"] = window_frames * unit["words_in"] + extra[0]
    held = unit["stages"] * (unit["kind"] == k.FLUSHING)  # all of it may leave besides
    unit["most_writes"] = window_frames * unit["words_out"] + extra[1] + held
    if shift:
        parts = np.array([_most_words(one.program, shift) for one in graph.units]).T
        for most, part in zip(("most_reads", "most_writes"), parts, strict=True):
            unit[most] = np.minimum(unit[most], part + unit["stages"])
    unit["pipe"] = np.cumsum(extra[2]) - extra[2]
    kept = np.array([(one.taken_kept, one.left_kept) for one in moulds]).T
    cycles_size = _lay_out_channels(graph, unit, channel, kept, most_frames, has_counts)
    snapshot_words = _lay_out_snapshots(unit, channel)
    programs = [(one.words, one.is_place) for one in moulds]
    program_words = _program_words(wires.ports, unit, place, programs)
    widest = max(1, int(unit["most_reads"].max()), int(unit["most_writes"].max()))
    program_words[: k.HEAD] = cycles_size + widest * np.arange(k.HEAD)
    cycles = _no_cycles(channel, cycles_size, widest)
    pipes = np.zeros(int(extra[2].sum()), np.int64)
    state = k.State(unit, place, k.copied(place), channel, cycles, pipes, program_words)
    return Layout(state, window_frames, shift, snapshot_words)


def _most_words(program: Program, shift: int) -> tuple[int, int]:
    """Reads and writes of a program in a part of a frame, 2 to the power of ``shift`` smaller.

    Wherever a part of so many ticks begins, it lies in two such that begin with the run.
    """
    if isinstance(program, Elastic):
        return max(1, program.words_in >> shift), max(1, program.words_out >> shift)
    ticks = max(1, program.steps >> shift)
    counter = program.counter
    parts = -(-(counter.prologue_steps + 2 * counter.frame_steps) // ticks)
    if parts > MOST_PARTS:
        return ticks, ticks
    done = counter.before_each(ticks * np.arange(parts + 3))
    reads, writes, _ = (done[2:] - done[:-2]).max(axis=0)
    return int(reads), int(writes)


_CHANNEL = k.packed(k.ChannelRecord())


def _join_ends(graph: TimingGraph, wires: Wiring, unit: k.Table, channel: k.Table) -> None:
    """Say which units and channels belong together, and where in the program words that stands."""
    if wires.doubled is not None:
        raise ValueError(f"channel {graph.channels[wires.doubled].name} has two units at one end")
    ends = zip(graph.channels, wires.reader.tolist(), wires.writer.tolist(), strict=True)
    for wire, reader, writer in ends:
        is_open = wire.ready_every > 0
        if (is_open and reader >= 0) or (wire.supplies and writer >= 0):
            raise ValueError(f"channel {wire.name}: a test bench's end has a unit on it")
        if (reader < 0 and not is_open) or (writer < 0 and not wire.supplies):
            raise ValueError(f"channel {wire.name} has only one end")
    for sink in graph.sinks:
        if not graph.frame_words(sink):
            raise ValueError("a sink needs words")
    join_ends(wires, unit, channel, k.HEAD)
    if any(one.ready_every for one in graph.channels):
        unit["ready_every"] = [
            math.lcm(*(graph.channels[c].ready_every or 1 for c in one.outputs)) for one in graph.units
        ]


def _lay_out_channels(
    graph: TimingGraph,
    unit: k.Table,
    channel: k.Table,
    kept: Int64s,
    most_frames: int,
    has_counts: bool,
) -> int:
    """Where the cycles of each channel's words stand; how many places that is in all.

    ``kept`` ``(2, units)``: words that an elastic unit may still ask for, taken and left.
    """
    reader, writer = channel["reader"], channel["writer"]
    has_reader, has_writer = reader >= 0, writer >= 0
    depth = np.array([one.depth_words for one in graph.channels])
    channel["lag"] = [not one.falls_through for one in graph.channels]
    channel["depth"] = depth
    most = np.maximum(unit["most_writes"][writer] * has_writer, unit["most_reads"][reader] * has_reader)
    words = np.maximum(unit["words_out"][writer] * has_writer, unit["words_in"][reader] * has_reader)
    has_both = k.has_both_ends(channel)
    is_bounded = has_both & can_fill(depth, words, most_frames)
    old_writes = kept[1][writer] * has_writer
    old_reads = kept[0][reader] * has_reader
    is_looked_back_on = has_both if has_counts else is_bounded
    # A word that waits for the one ``depth`` before it looks so far back, at the run's beginning too.
    most_back = np.where(is_bounded, depth, np.minimum(depth, words * most_frames))
    look_back = (most_back + 1) * is_looked_back_on
    old_reads = np.maximum(old_reads, look_back)
    held = np.minimum(depth, most) * (most_frames > 1)  # where there are more, the solver makes room
    writes = _stretches(old_writes + held, most)
    reads = _stretches(old_reads, most)
    channel["is_bounded"], channel["most"] = is_bounded, most
    channel["read"] = np.where(has_reader, k.NEVER, 0)
    channel["old_writes"], channel["old_reads"] = old_writes, old_reads
    ends = np.cumsum(np.concatenate([reads, writes]))
    channel["reads_to"], channel["writes_to"] = ends[: len(reads)], ends[len(reads) :]
    channel["reads_from"] = channel["reads_at"] = channel["reads_to"] - reads
    channel["writes_from"] = channel["writes_at"] = channel["writes_to"] - writes
    return int(ends[-1])


def _no_cycles(channel: k.Table, size: int, widest: int) -> Int64s:
    """The cycles before the first window: all reads, and what was written before, are long ago. What else
    will be written is not looked at before; not to fill it takes half the time."""
    cycles = np.empty(size + k.HEAD * widest, np.int64)
    cycles[: int(channel["reads_to"].max(initial=0))] = k.LONG_AGO
    cycles[size : size + widest] = k.LONG_AGO  # k.NOTHING_AT
    is_open = channel["writer"] < 0
    ends = np.where(is_open, channel["writes_to"], channel["writes_at"] + channel["old_writes"])
    for at, end in zip(channel["writes_at"].tolist(), ends.tolist(), strict=True):
        cycles[at:end] = k.LONG_AGO
    return cycles


def can_fill(depths: Int64s, words: Int64s, most_frames: int) -> npt.NDArray[np.bool_]:
    """Which channels of so many words a frame so many frames could fill, and a unit that runs ahead."""
    return depths <= words * (most_frames + 1)


def _stretches(kept: Int64s, most: Int64s) -> Int64s:
    """Places for ``kept`` words and ``most`` of a window. Where more are kept than a window has, they are
    not moved to the front in every window."""
    return kept + most + np.where(kept > most, kept, 0)


def _lay_out_snapshots(unit: k.Table, channel: k.Table) -> int:
    """Where units' and channels' numbers stand in a snapshot, and how many they are in all."""
    has_both = k.has_both_ends(channel)
    is_flushing = unit["kind"] == k.FLUSHING
    reads = (channel["depth"] + 1) * channel["is_bounded"]
    held = np.minimum(channel["depth"], 2 * channel["most"] + MORE_WORDS_HELD) * has_both
    ready = reads * is_flushing[channel["writer"]]
    channel["snapshot_reads"], channel["snapshot_held"], channel["snapshot_ready"] = reads, held, ready
    own = 1 + unit["snapshot_left"] + unit["snapshot_taken"] + 3 * (unit["pipe_mask"] + 1) * is_flushing
    sizes = np.concatenate([own, reads + held + ready])
    ends = np.cumsum(sizes)
    places = ends - sizes
    unit["snapshot_at"], channel["snapshot_at"] = places[: len(unit)], places[len(unit) :]
    return int(ends[-1])


def _program_words(
    ports: Int64s, unit: k.Table, place: k.Table, programs: list[tuple[Int64s, Int64s]]
) -> Int64s:
    """``ports`` and programs one behind the other; says in the tables where the latter begin."""
    sizes = np.array([len(words) for words, _ in programs])
    start = k.HEAD + len(ports) + np.cumsum(sizes) - sizes
    words = np.concatenate([np.zeros(k.HEAD, np.int64), ports, *(words for words, _ in programs)])
    is_place = np.concatenate([is_place for _, is_place in programs])
    words[k.HEAD + len(ports) :] += is_place * np.repeat(start, sizes)
    for name in ("frame_lap", "frame_end", "dependence_start", "dependence_end", "release_start"):
        unit[name] += start
    for name in ("lap", "stride", "dependence"):
        place[name] += start
    return words
