"""What a unit's ports see of the others' frames."""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.records import LONG_AGO, Place
from bnnsim.timing.streaming.solver.steady.kernels.records import (
    FREE_AT,
    GIVEN_AT,
    NEED_AT,
    OTHERS_AT,
    READY_AT,
    ROOM_AT,
    TAKEN_AT,
    Pace,
    State,
)


@inner
def gather(s: State, u: int, pace: Pace) -> None:
    """When the words of the unit's frame are there, and when they have room, over all ports."""
    unit = s.unit[u]
    _clear(s.cycles, s.words[NEED_AT], unit.words_in)
    for p in range(unit.first_input, unit.end_input):
        gather_words(s, s.words[p], pace, s.words[NEED_AT])
    _clear(s.cycles, s.words[ROOM_AT], unit.words_out)
    for p in range(unit.first_output, unit.end_output):
        channel = s.channel[s.words[p]]
        if channel.reader >= 0:
            _merge(s, channel.reads_at, s.words[p], pace, s.words[ROOM_AT])


@inner
def gather_free(s: State, u: int, pace: Pace) -> None:
    """From when on room is the readers' own affair, over all outputs."""
    unit = s.unit[u]
    _clear(s.cycles, s.words[FREE_AT], unit.words_out)
    for p in range(unit.first_output, unit.end_output):
        channel = s.channel[s.words[p]]
        if channel.reader >= 0:
            _merge(s, channel.ready_at, s.words[p], pace, s.words[FREE_AT])


@inner
def gather_others(s: State, u: int, port: int, pace: Pace) -> None:
    """When the words of all inputs but one are there."""
    unit = s.unit[u]
    _clear(s.cycles, s.words[OTHERS_AT], unit.words_in)
    for p in range(unit.first_input, unit.end_input):
        if p != port:
            gather_words(s, s.words[p], pace, s.words[OTHERS_AT])


@inner
def gather_words(s: State, c: int, pace: Pace, place: int) -> None:
    """The later of what stands at ``place`` and of when the words of a channel are there."""
    channel = s.channel[c]
    if channel.writer >= 0:
        offset = channel.shift
        frame = offset // channel.words
        first = offset - frame * channel.words
        more = frame * pace.period + channel.lag * pace.one
        _later(s.cycles, channel.writes_at + first, place, channel.words - first, more)
        _later(s.cycles, channel.writes_at, place + channel.words - first, first, more + pace.period)


@inner
def _merge(s: State, at: int, c: int, pace: Pace, place: int) -> None:
    """The same of the reads, or readiness, at ``at``, which free the places of the unit's words."""
    channel = s.channel[c]
    offset = -channel.depth - channel.shift
    frame = offset // channel.words
    first = offset - frame * channel.words
    more = frame * pace.period
    _later(s.cycles, at + first, place, channel.words - first, more)
    _later(s.cycles, at, place + channel.words - first, first, more + pace.period)


@inner
def _clear(cycles: Int64s, place: int, count: int) -> None:
    for i in range(count):
        cycles[Place(place + i)] = LONG_AGO


@inner
def _later(cycles: Int64s, source: int, target: int, count: int, more: int) -> None:
    for i in range(count):
        later = cycles[Place(source + i)] + more
        cycles[Place(target + i)] = max(cycles[Place(target + i)], later)


@inner
def spread(s: State, u: int, pace: Pace, dirty: Int64s) -> bool:
    """Tell the channels what was read and written, and queue those for whom it is news; whether it
    was."""
    unit = s.unit[u]
    is_news = False
    for p in range(unit.first_input, unit.end_input):
        channel = s.channel[s.words[p]]
        if _copy(s.cycles, s.words[TAKEN_AT], channel.reads_at, unit.words_in):
            is_news = True
            if channel.writer >= 0 and not dirty[channel.writer]:
                dirty[channel.writer] = _delays_writer(s, s.words[p], pace)
    for p in range(unit.first_output, unit.end_output):
        channel = s.channel[s.words[p]]
        if _copy(s.cycles, s.words[GIVEN_AT], channel.writes_at, unit.words_out):
            is_news = True
            if channel.reader >= 0 and not dirty[channel.reader]:
                dirty[channel.reader] = _delays_reader(s, s.words[p], pace)
    return is_news


@inner
def _delays_reader(s: State, c: int, pace: Pace) -> bool:
    """Whether a word of a channel is there only after it was read, as far as that is known.

    Where cycles only rise, a reader that has each of them in time would do what it did.
    """
    channel = s.channel[c]
    frame = channel.shift // channel.words
    first = channel.shift - frame * channel.words
    more = frame * pace.period + channel.lag * pace.one
    at, count = channel.reads_at, channel.words - first
    return (
        not pace.only_rises
        or _is_later(s.cycles, channel.writes_at + first, at, count, more)
        or _is_later(s.cycles, channel.writes_at, at + count, first, more + pace.period)
    )


@inner
def _delays_writer(s: State, c: int, pace: Pace) -> bool:
    """Whether a word of a channel has room only after it was written, as far as that is known."""
    channel = s.channel[c]
    offset = -channel.depth - channel.shift
    frame = offset // channel.words
    first = offset - frame * channel.words
    more = frame * pace.period + pace.one
    at, count = channel.writes_at, channel.words - first
    return (
        not pace.only_rises
        or _is_later(s.cycles, channel.reads_at + first, at, count, more)
        or _is_later(s.cycles, channel.reads_at, at + count, first, more + pace.period)
    )


@inner
def _is_later(cycles: Int64s, source: int, target: int, count: int, more: int) -> bool:
    spare = 0
    for i in range(count):
        spare |= cycles[Place(target + i)] - cycles[Place(source + i)] - more
    return spare < 0


@inner
def last_ready(s: State, u: int, port: int, pace: Pace) -> int:
    """Since when the unit was ready for the last word of the frame before, as far as that is known."""
    unit = s.unit[u]
    return s.cycles[s.channel[s.words[port]].ready_at + unit.words_in - 1] - pace.period


@inner
def spread_ready(s: State, u: int, port: int, pace: Pace, dirty: Int64s) -> None:
    """Tell one input's channel since when the unit was ready for its words."""
    unit, channel = s.unit[u], s.channel[s.words[port]]
    if _copy(s.cycles, s.words[READY_AT], channel.ready_at, unit.words_in):
        dirty[channel.writer] = 1
        if unit.wraps_reading and s.cycles[channel.ready_at] < last_ready(s, u, port, pace) + pace.one:
            dirty[u] = 1


@inner
def _copy(cycles: Int64s, source: int, target: int, count: int) -> bool:
    change = 0
    for i in range(count):
        change |= cycles[Place(source + i)] ^ cycles[Place(target + i)]
        cycles[Place(target + i)] = cycles[Place(source + i)]
    return change != 0
