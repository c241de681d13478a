"""A unit's words in and room out, whatever its ports, as stretches of cycles, and what it tells others.

A unit that waited for no room does the same again as long as there is room for each word before the
cycle in which it wrote it; and so for words. To see that takes a quarter of the time of doing it again.
Where it might count its waits otherwise, it is done again.
"""

from __future__ import annotations

from typing import NamedTuple

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.jit import inner, part
from bnnsim.timing.streaming.solver.kernels.records import (
    BOUND,
    FLUSHING,
    FREEZING,
    LONG_AGO,
    NEED_AT,
    NEVER,
    NOTHING_AT,
    ROOM_AT,
    TAKEN_AT,
    WAITED_FOR_ROOM,
    WAITED_FOR_WORD,
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
            dirty[channel.writer] = _matters_to_writer(s, s.program_words[p], reads, limits)
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
            dirty[channel.reader] = _matters_to_reader(s, s.program_words[p], writes, limits)
        channel.written = writes


@inner
def _matters_to_writer(s: State, c: int, reads: int, limits: Limits) -> bool:
    """Whether a channel's writer might do something else, now that so many words were read in the
    window, and in other cycles than before."""
    channel = s.channel[c]
    u = channel.writer
    unit = s.unit[u]
    is_counted = unit.kind == FREEZING and limits.has_counts
    if is_counted or s.end[u].waited & WAITED_FOR_ROOM or not _is_plain(s, u, limits):
        return True
    free = channel.depth - channel.held
    if reads > channel.read or free + reads < channel.written:
        return True
    room = channel.reads_at + channel.old_reads - free
    given = channel.writes_at + channel.old_writes + channel.held
    spare = 0
    for n in range(max(0, free), channel.written):
        spare |= s.cycles[Place(given + n)] - s.cycles[Place(room + n)] - 2
    return spare < 0


@inner
def _matters_to_reader(s: State, c: int, writes: int, limits: Limits) -> bool:
    """Whether a channel's reader might do something else, now that so many words were written in the
    window, and in other cycles than before."""
    channel = s.channel[c]
    u = channel.reader
    has_frozen = s.unit[u].kind == FLUSHING and s.end[u].frozen != s.start[u].frozen
    if has_frozen or s.end[u].waited & WAITED_FOR_WORD or not _is_plain(s, u, limits):
        return True
    if channel.read == NEVER or writes > channel.written or channel.held + writes < channel.read:
        return True
    words = channel.writes_at + channel.old_writes
    taken = channel.reads_at + channel.old_reads
    spare = 0
    for n in range(channel.held, channel.read):
        spare |= s.cycles[Place(taken + n)] - s.cycles[Place(words + n)] - channel.lag - 1
    return spare < 0


@inner
def _is_plain(s: State, u: int, limits: Limits) -> bool:
    """Whether a unit does again what it did, with the same words and the same room."""
    unit = s.unit[u]
    is_plain: bool = unit.kind != BOUND and not unit.is_behind_bound and unit.ready_every == 1
    return is_plain and not limits.is_careful and limits.cycle_limit == NEVER
