"""A unit's frame, found again while it is noted why cycles rise.

A row of ``causes`` belongs to an event and is (what, word, cycles) of the last time that it rose:
what it waited for; for a word or for room the unit's word that lacked it, for the unit itself its
own earlier word; and the cycles since then, or since the word, or room, was there. ``what`` is the
kind and the channel, or for the unit itself the side (0 is a frame's last step) and how many frames
before: see :func:`own`.
"""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.strides import LAP, STRIDE
from bnnsim.timing.streaming.solver.kernels.bound import unfrozen
from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.records import LONG_AGO, READS, WRITES
from bnnsim.timing.streaming.solver.steady.kernels.elastic import freed
from bnnsim.timing.streaming.solver.steady.kernels.records import (
    FLUSHING,
    FOR_NOTHING,
    FOR_OWN,
    FOR_ROOM,
    FOR_WORD,
    FREE_AT,
    GIVEN_AT,
    NEED_AT,
    ROOM_AT,
    TAKEN_AT,
    Pace,
    State,
)


@inner
def own(side: int, frames: int) -> int:
    """What an event waited for if that was its own unit."""
    return FOR_OWN + 4 * side + 16 * frames


@inner
def note_lockstep(s: State, u: int, pace: Pace, causes: Int64s, dirty: Int64s) -> None:
    """The frame of a lockstep unit, and why it rose."""
    unit, cycles, words, one = s.unit[u], s.cycles, s.words, pace.one
    flushes, one_stage = unit.kind == FLUSHING, unit.kind == FLUSHING and unit.stages == 1
    reads_at, writes_at = reads_place(s, u), writes_place(s, u)
    need, room, asked = words[NEED_AT], words[ROOM_AT], words[FREE_AT]
    taken, given, reads, writes = words[TAKEN_AT], words[GIVEN_AT], 0, 0
    cycle, free, gap = unit.last - pace.period, unit.last_free - pace.period, unit.pause * flushes
    # By whom the last step, and the end of the last freeze, are as late as they are, and since when.
    what, word, since = own(0, 1), 0, cycle
    free_what, free_word, free_since = own(WRITES, 1), unit.words_out - 1, free
    behind, is_apart, is_held = unit.behind, unit.apart >= unit.stages, False
    if unit.is_first and cycle < -one * (1 + gap):
        cycle, what = -one * (1 + gap), FOR_NOTHING
    for lap in range(unit.lap, unit.lap_end, LAP):
        for _ in range(words[lap]):
            for stride in range(unit.lap + words[lap + 1], unit.lap + words[lap + 2], STRIDE):
                n, sides, each = words[stride], words[stride + 1], words[stride + 2]
                if sides == 0:
                    gap += n * each
                    continue
                for _ in range(n):
                    gap += each
                    thawed = unfrozen(free, gap, behind, is_apart, unit.stages, one)
                    is_true = one_stage or (is_held and behind == 0 and gap >= unit.stages)
                    cycle += gap * one
                    behind += gap
                    gap = 0
                    if flushes and thawed > cycle:
                        cycle, what, word, since = thawed, free_what, free_word, free_since
                        if not is_true:
                            what = FOR_NOTHING
                    if sides & WRITES and not flushes and cycles[room + writes] + one > cycle:
                        since = cycles[room + writes]
                        cycle, what, word = since + one, FOR_ROOM, writes
                    if sides & READS:
                        if cycles[need + reads] > cycle:
                            since = cycles[need + reads]
                            cycle, what, word = since, FOR_WORD, reads
                        cycles[taken + reads] = cycle
                        if cycle > cycles[reads_at + reads]:
                            note(s, u, pace, causes, reads_at + reads, what, word, cycle - since)
                        reads += 1
                    if sides & WRITES:
                        left = cycle
                        if flushes:
                            is_apart = behind >= unit.stages
                            left, frozen = cycle + unit.stages * one, LONG_AGO
                            if not is_apart:
                                frozen = free + (unit.stages - 1) * one
                            space = cycles[room + writes] + one
                            if space > max(left, frozen):
                                free_what, free_word, free_since = FOR_ROOM, writes, space - one
                            elif left >= frozen:
                                free_what, free_word, free_since = what, word, since
                            elif not one_stage:
                                free_what = FOR_NOTHING
                            left = max(left, max(frozen, space))
                            free = left if one_stage else cycles[asked + writes] + one
                            # Until the cycles settle a reader may seem ready later than it read.
                            is_held = is_apart and free_what == FOR_ROOM and free <= space
                        cycles[given + writes] = left
                        if left > cycles[writes_at + writes]:
                            if flushes:
                                what_left, word_left, since_left = free_what, free_word, free_since
                            else:
                                what_left, word_left, since_left = what, word, since
                            note(
                                s,
                                u,
                                pace,
                                causes,
                                writes_at + writes,
                                what_left,
                                word_left,
                                left - since_left,
                            )
                        writes += 1
                        behind = 0
    if not flushes:
        cycle += gap * one
    if cycle > unit.last:
        note(s, u, pace, causes, len(s.cycles) + u, what, word, cycle - since)
    if cycle > unit.last or free > unit.last_free:
        dirty[u] = 1  # the frame's end makes its beginning later
    unit.last, unit.last_free = cycle, free


@inner
def note_elastic(s: State, u: int, pace: Pace, before: int, left_before: int, causes: Int64s) -> None:
    """Why the frame of an elastic unit, which was just run, rose.

    ``before`` and ``left_before``: the cycles of the frame's last words as they were known.
    """
    unit, cycles, words, one = s.unit[u], s.cycles, s.words, pace.one
    reads_at, writes_at = reads_place(s, u), writes_place(s, u)
    taken, given, need, room = words[TAKEN_AT], words[GIVEN_AT], words[NEED_AT], words[ROOM_AT]
    last, what, word = before - pace.period, own(READS, 1), unit.words_in - 1
    for i in range(unit.words_in):
        cycle, releasing = cycles[taken + i], words[unit.release + i]
        if cycle > cycles[reads_at + i]:
            frame = 0 if releasing >= 0 else releasing // unit.words_out
            if cycle == cycles[need + i]:
                note(s, u, pace, causes, reads_at + i, FOR_WORD, i, 0)
            elif cycle == freed(s, u, releasing, given if frame == 0 else writes_at, pace) + one:
                note(
                    s,
                    u,
                    pace,
                    causes,
                    reads_at + i,
                    own(WRITES, -frame),
                    releasing - frame * unit.words_out,
                    one,
                )
            elif cycle == last + one:
                note(s, u, pace, causes, reads_at + i, what, word, one)
            else:
                note(s, u, pace, causes, reads_at + i, FOR_NOTHING, i, 0)
        last, what, word = cycle, own(READS, 0), i
    last, what, word = left_before - pace.period, own(WRITES, 1), unit.words_out - 1
    dependence, until = unit.dependence, words[unit.dependence + 1]
    for j in range(unit.words_out):
        if j == until:
            dependence += 2
            until += words[dependence + 1]
        cycle = cycles[given + j]
        if cycle > cycles[writes_at + j]:
            if cycle == cycles[room + j] + one:
                note(s, u, pace, causes, writes_at + j, FOR_ROOM, j, one)
            elif cycle == last + one:
                note(s, u, pace, causes, writes_at + j, what, word, one)
            else:
                note(
                    s,
                    u,
                    pace,
                    causes,
                    writes_at + j,
                    own(READS, 0),
                    words[dependence],
                    unit.latency * one,
                )
        last, what, word = cycle, own(WRITES, 0), j


@inner
def note(
    s: State, u: int, pace: Pace, causes: Int64s, place: int, what: int, word: int, cycles: int
) -> None:
    """Keep what the event at ``place`` waited for; of several ports that which was the last."""
    row = causes[place]
    if what == FOR_WORD:
        what += 16 * _late_input(s, u, word, pace)
    elif what == FOR_ROOM:
        what += 16 * _late_output(s, u, word, pace)
    row[0], row[1], row[2] = what, word, cycles


@inner
def _late_input(s: State, u: int, word: int, pace: Pace) -> int:
    unit = s.unit[u]
    found, latest = -1, LONG_AGO
    if unit.end_input == unit.first_input + 1 and s.channel[s.words[unit.first_input]].writer >= 0:
        return int(s.words[unit.first_input])
    for p in range(unit.first_input, unit.end_input):
        channel = s.channel[s.words[p]]
        if channel.writer >= 0:
            frame = (word + channel.shift) // channel.words
            place = channel.writes_at + word + channel.shift - frame * channel.words
            came = s.cycles[place] + frame * pace.period + channel.lag * pace.one
            if found < 0 or came > latest:
                found, latest = s.words[p], came
    return found


@inner
def _late_output(s: State, u: int, word: int, pace: Pace) -> int:
    unit = s.unit[u]
    found, latest = -1, LONG_AGO
    if unit.end_output == unit.first_output + 1 and s.channel[s.words[unit.first_output]].reader >= 0:
        return int(s.words[unit.first_output])
    for p in range(unit.first_output, unit.end_output):
        channel = s.channel[s.words[p]]
        if channel.reader >= 0:
            needed = word - channel.depth - channel.shift
            frame = needed // channel.words
            place = channel.reads_at + needed - frame * channel.words
            came = s.cycles[place] + frame * pace.period
            if found < 0 or came > latest:
                found, latest = s.words[p], came
    return found


@inner
def reads_place(s: State, u: int) -> int:
    """The place of the unit's first read of a frame, of its first input."""
    unit = s.unit[u]
    if unit.first_input == unit.end_input:
        return 0
    return s.channel[s.words[unit.first_input]].reads_at


@inner
def writes_place(s: State, u: int) -> int:
    """The place of the unit's first write of a frame, of its first output."""
    unit = s.unit[u]
    if unit.first_output == unit.end_output:
        return 0
    return s.channel[s.words[unit.first_output]].writes_at
