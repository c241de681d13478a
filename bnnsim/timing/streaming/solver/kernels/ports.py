"""A unit's words in and room out, whatever its ports, as stretches of cycles."""

from __future__ import annotations

from typing import NamedTuple

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.jit import inner, part
from bnnsim.timing.streaming.solver.kernels.news import matters_to_reader, matters_to_writer
from bnnsim.timing.streaming.solver.kernels.records import (
    LONG_AGO,
    NEED_AT,
    NEVER,
    NOTHING_AT,
    ROOM_AT,
    TAKEN_AT,
    Limits,
    Place,
    State,
)


class Ports(NamedTuple):
    """Word n read in the window is there from cycle ``cycles[words + n] + lag`` on and is read in
    ``cycles[taken + n]``; word n written has room from ``cycles[room + n] + 1`` on and is written in
    ``cycles[given + n]``. At most ``reads`` and ``writes`` of them; ``read`` and ``written`` are done."""

    words: int
    lag: int
    taken: int
    reads: int
    room: int
    given: int
    writes: int
    read: int
    written: int


@inner
def open_ports(s: State, u: int, read: int, written: int) -> Ports:
    """Where the unit finds and leaves its cycles, of which so many words are done; those of several
    ports are merged."""
    unit = s.unit[u]
    reads, writes = NEVER, NEVER
    words, lag, taken = s.program_words[NOTHING_AT], 0, s.program_words[TAKEN_AT]
    for p in range(unit.first_input, unit.end_input):
        channel = s.channel[s.program_words[p]]
        if channel.writer >= 0:
            reads = min(reads, channel.held + channel.written)
        words = channel.writes_at + channel.old_writes
        lag = channel.lag
    if unit.first_input < unit.end_input:
        channel = s.channel[s.program_words[unit.first_input]]
        taken = channel.reads_at + channel.old_reads
    if unit.end_input - unit.first_input > 1:
        words, lag = s.program_words[NEED_AT], 0
        _merge_words(s, u, words, read, reads)
    room, given = s.program_words[NOTHING_AT], s.program_words[TAKEN_AT]
    for p in range(unit.first_output, unit.end_output):
        channel = s.channel[s.program_words[p]]
        if channel.is_bounded:
            free = channel.depth - channel.held
            writes = min(writes, free + channel.read)
            room = channel.reads_at + channel.old_reads - free
    if unit.first_output < unit.end_output:
        channel = s.channel[s.program_words[unit.first_output]]
        given = channel.writes_at + channel.old_writes + channel.held
    if unit.end_output - unit.first_output > 1:
        room = s.program_words[ROOM_AT]
        _merge_rooms(s, u, room, written, min(writes, unit.most_writes))
    return Ports(words, lag, taken, reads, room, given, writes, read, written)


@part
def _merge_words(s: State, u: int, place: int, first: int, count: int) -> None:
    unit = s.unit[u]
    count = min(count, unit.most_reads)
    for n in range(first, count):
        s.cycles[Place(place + n)] = LONG_AGO
    for p in range(unit.first_input, unit.end_input):
        channel = s.channel[s.program_words[p]]
        at = channel.writes_at + channel.old_writes
        for n in range(first, count):
            there = s.cycles[Place(at + n)] + channel.lag
            s.cycles[Place(place + n)] = max(s.cycles[Place(place + n)], there)


@part
def _merge_rooms(s: State, u: int, place: int, first: int, count: int) -> None:
    unit = s.unit[u]
    for n in range(first, count):
        s.cycles[Place(place + n)] = LONG_AGO
    for p in range(unit.first_output, unit.end_output):
        channel = s.channel[s.program_words[p]]
        if channel.is_bounded:
            at = channel.reads_at + channel.old_reads - channel.depth + channel.held
            for n in range(first, count):
                s.cycles[Place(place + n)] = max(s.cycles[Place(place + n)], s.cycles[Place(at + n)])


@inner
def spread_reads(
    s: State, u: int, limits: Limits, ports: Ports, reads: int, changed: int, dirty: Int64s
) -> None:
    """Tell every input's channel what was read of it, and queue its writer if that is news to it: room
    in a channel that is never full is none."""
    unit, place = s.unit[u], ports.taken
    for p in range(unit.first_input, unit.end_input):
        channel = s.channel[s.program_words[p]]
        at = channel.reads_at + channel.old_reads
        if at != place:
            for n in range(ports.read, reads):
                s.cycles[Place(at + n)] = s.cycles[Place(place + n)]
        if channel.read < NEVER:
            for n in range(reads, channel.read):
                s.cycles[Place(at + n)] = LONG_AGO
                s.cycles[at + n + channel.ready_at] = LONG_AGO
        is_news = channel.writer >= 0 and channel.is_bounded and (changed or channel.read != reads)
        if is_news and not dirty[channel.writer]:
            dirty[channel.writer] = matters_to_writer(s, s.program_words[p], reads, limits)
        channel.read = reads


@inner
def spread_writes(
    s: State, u: int, limits: Limits, ports: Ports, writes: int, changed: int, dirty: Int64s
) -> None:
    """Tell every output's channel what was written to it, and queue its reader if that is news."""
    unit, place = s.unit[u], ports.given
    for p in range(unit.first_output, unit.end_output):
        channel = s.channel[s.program_words[p]]
        at = channel.writes_at + channel.old_writes + channel.held
        if at != place:
            for n in range(ports.written, writes):
                s.cycles[Place(at + n)] = s.cycles[Place(place + n)]
        for n in range(writes, channel.written):
            s.cycles[Place(at + n)] = LONG_AGO
        is_news = channel.reader >= 0 and (changed or channel.written != writes)
        if is_news and not dirty[channel.reader]:
            dirty[channel.reader] = matters_to_reader(s, s.program_words[p], writes, limits)
        channel.written = writes
