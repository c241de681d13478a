"""The numbers on which all that comes after a window depends."""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.jit import entry, inner, part
from bnnsim.timing.streaming.solver.kernels.records import BOUND, ELASTIC, FLUSHING, Place, State


@entry
def take_snapshot(s: State, words: Int64s) -> None:
    """Note the state behind the window that was solved.

    Of every unit the cycle of its last step; flushing: how many ticks ahead each word in the pipeline
    was, how long it was frozen at the exit, and the cycle of its step; elastic: words that left, and
    words taken that others still wait for. Of every channel the latest reads, the writes of the words in
    it, and behind a flushing unit since when the reader was ready for those reads. A cycle at which
    nobody can act any more counts as the latest of that kind.
    """
    for u in range(len(s.unit)):
        unit, at = s.unit[u], s.end[u]
        words[unit.snapshot_at] = at.cycle
        if unit.kind == FLUSHING or unit.kind == BOUND:
            _pipeline(s, u, words)
        elif unit.kind == ELASTIC:
            _buffer(s, u, words)
    for c in range(len(s.channel)):
        channel = s.channel[c]
        place = channel.snapshot_at
        if channel.snapshot_reads:
            first = channel.reads_at + channel.old_reads + channel.read - channel.snapshot_reads
            floor = _writer_floor(s, channel.writer)
            for i in range(channel.snapshot_reads):
                words[Place(place + i)] = max(s.cycles[Place(first + i)], floor)
            place += channel.snapshot_reads + channel.snapshot_held
            for i in range(channel.snapshot_ready):
                words[Place(place + i)] = max(s.cycles[Place(first + i + channel.ready_at)], floor)
        place = channel.snapshot_at + channel.snapshot_reads
        if channel.snapshot_held == 0:
            continue
        held = channel.held + channel.written - channel.read
        first = channel.writes_at + channel.old_writes + channel.read
        floor = s.end[channel.reader].cycle
        for i in range(min(held, channel.snapshot_held)):
            words[Place(place + i)] = max(s.cycles[Place(first + i)], floor)
        for i in range(held, channel.snapshot_held):
            words[Place(place + i)] = floor


@inner
def _writer_floor(s: State, u: int) -> int:
    """Up to which cycle room may have come without an effect on words that are still to leave."""
    unit, at = s.unit[u], s.end[u]
    floor: int = at.cycle
    if unit.kind == ELASTIC:
        floor = at.last_left
    elif at.writes < at.entered:
        floor = s.pipes[unit.pipe + 5 * (unit.pipe_mask + 1) + (at.writes & unit.pipe_mask)]
    return floor


@part
def _pipeline(s: State, u: int, words: Int64s) -> None:
    unit, at = s.unit[u], s.end[u]
    size = unit.pipe_mask + 1
    pipe = unit.pipe + 3 * size
    place = unit.snapshot_at + 1
    first = at.passed if unit.kind == FLUSHING else at.entered
    for i in range(size):
        word = first + i
        leaving, froze = -1, -1
        if word < at.entered:
            leaving = s.pipes[pipe + (word & unit.pipe_mask)] - at.local_tick
            if word < at.writes:
                froze = s.pipes[pipe + size + (word & unit.pipe_mask)]
        words[place + i] = leaving
        words[place + size + i] = froze
        word = at.writes + i
        inside = word < at.entered
        words[place + 2 * size + i] = s.pipes[pipe + 2 * size + (word & unit.pipe_mask)] if inside else -1


@part
def _buffer(s: State, u: int, words: Int64s) -> None:
    unit, at = s.unit[u], s.end[u]
    place = unit.snapshot_at + 1
    channel = s.channel[s.program_words[unit.first_output]]
    behind = channel.writes_at + channel.old_writes + channel.held + channel.written
    for i in range(unit.snapshot_left):
        words[place + i] = max(s.cycles[behind - unit.snapshot_left + i], at.cycle)
    place += unit.snapshot_left
    channel = s.channel[s.program_words[unit.first_input]]
    behind = channel.reads_at + channel.old_reads + channel.read
    needed = at.output_frame * unit.words_in + s.program_words[at.dependence]
    for i in range(unit.snapshot_taken):
        floor = at.last_left + 1 - unit.latency
        word = at.reads - unit.snapshot_taken + i
        cycle = s.cycles[behind - unit.snapshot_taken + i]
        words[place + i] = max(cycle, floor) if word >= needed else floor
