"""What a unit's ports see of the others' frames."""

from __future__ import annotations

from typing import NamedTuple

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
    _gather_words(s, u, NO_PORT, pace, s.words[NEED_AT])
    _gather_rooms(s, u, False, pace, s.words[ROOM_AT])


@inner
def gather_free(s: State, u: int, pace: Pace) -> None:
    """From when on room is the readers' own affair, over all outputs."""
    _gather_rooms(s, u, True, pace, s.words[FREE_AT])


@inner
def gather_others(s: State, u: int, port: int, pace: Pace) -> None:
    """When the words of all inputs but one are there."""
    _gather_words(s, u, port, pace, s.words[OTHERS_AT])


@inner
def _gather_words(s: State, u: int, left_out: int, pace: Pace, place: int) -> None:
    unit = s.unit[u]
    is_first = True
    for p in range(unit.first_input, unit.end_input):
        channel = s.channel[s.words[p]]
        if channel.writer >= 0 and p != left_out:
            more = channel.lag * pace.one
            there = _turned(channel.writes_at, channel.shift, more, channel.words, pace)
            _merge(s.cycles, there, place, is_first)
            is_first = False
    if is_first:
        _clear(s.cycles, place, unit.words_in)


@inner
def _gather_rooms(s: State, u: int, is_own: bool, pace: Pace, place: int) -> None:
    """When the places of the unit's words are free; if ``is_own``, as far as that is the readers' own
    affair."""
    unit = s.unit[u]
    is_first = True
    for p in range(unit.first_output, unit.end_output):
        channel = s.channel[s.words[p]]
        if channel.reader >= 0:
            at = channel.ready_at if is_own else channel.reads_at
            free = _turned(at, -channel.depth - channel.shift, 0, channel.words, pace)
            _merge(s.cycles, free, place, is_first)
            is_first = False
    if is_first:
        _clear(s.cycles, place, unit.words_out)


NO_PORT = -1


class Turned(NamedTuple):
    """A frame's cycles from another word on: those at ``first``, ``words`` of them and ``more`` later,
    then those at ``again``, ``rest`` of them and ``rest_more`` later."""

    first: int
    words: int
    more: int
    again: int
    rest: int
    rest_more: int


@inner
def _turned(at: int, offset: int, more: int, words: int, pace: Pace) -> Turned:
    """The cycles of the ``words`` a frame at ``at`` from word ``offset`` on, which may be one of another
    frame, and ``more`` later."""
    frame = offset // words
    skipped = offset - frame * words
    more += frame * pace.period
    return Turned(at + skipped, words - skipped, more, at, skipped, more + pace.period)


@inner
def _clear(cycles: Int64s, place: int, count: int) -> None:
    for i in range(count):
        cycles[Place(place + i)] = LONG_AGO


@inner
def _merge(cycles: Int64s, given: Turned, target: int, is_first: bool) -> None:
    """Put a frame's cycles at ``target``: the later ones of these and of what stands there unless that
    is the first."""
    if is_first:
        _put(cycles, given.first, given.words, given.more, target)
        _put(cycles, given.again, given.rest, given.rest_more, target + given.words)
    else:
        _later(cycles, given.first, given.words, given.more, target)
        _later(cycles, given.again, given.rest, given.rest_more, target + given.words)


@inner
def _put(cycles: Int64s, source: int, count: int, more: int, target: int) -> None:
    for i in range(count):
        cycles[Place(target + i)] = cycles[Place(source + i)] + more


@inner
def _later(cycles: Int64s, source: int, count: int, more: int, target: int) -> None:
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
    there = _turned(channel.writes_at, channel.shift, channel.lag * pace.one, channel.words, pace)
    return not pace.only_rises or _is_later(s.cycles, there, channel.reads_at)


@inner
def _delays_writer(s: State, c: int, pace: Pace) -> bool:
    """Whether a word of a channel has room only after it was written, as far as that is known."""
    channel = s.channel[c]
    offset = -channel.depth - channel.shift
    room = _turned(channel.reads_at, offset, pace.one, channel.words, pace)
    return not pace.only_rises or _is_later(s.cycles, room, channel.writes_at)


@inner
def _is_later(cycles: Int64s, given: Turned, target: int) -> bool:
    spare = 0
    for i in range(given.words):
        spare |= cycles[Place(target + i)] - cycles[Place(given.first + i)] - given.more
    target += given.words
    for i in range(given.rest):
        spare |= cycles[Place(target + i)] - cycles[Place(given.again + i)] - given.rest_more
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
