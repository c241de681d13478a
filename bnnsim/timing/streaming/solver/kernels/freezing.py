"""Units with freezing pipelines, or none, over a window, with all that the others do given.

Tick n of such a unit does step n and lets the word of step n - depth leave, both in one cycle: once the
word has room and the step has its words.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from bnnsim.timing.streaming.programs.strides import STRIDE
from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.lockstep import (
    around,
    idled,
    load_cursor,
    moved,
    next_open,
    store_cursor,
    ticks_to_do,
    whole_rounds,
    whole_strides,
    words_to_read,
    words_to_write,
)
from bnnsim.timing.streaming.solver.kernels.ports import Ports
from bnnsim.timing.streaming.solver.kernels.records import (
    LONG_AGO,
    NEVER,
    READS,
    WAITED_FOR_ROOM,
    WAITED_FOR_WORD,
    WRITES,
    Limits,
    State,
)


class Ticks(NamedTuple):
    """Strides done in a row."""

    done: int
    cycle: int
    stalled_on_output: int
    by_word: int
    """Negative where one waited for a word."""
    by_room: int
    change: int


@inner
def run_freezing(s: State, u: int, limits: Limits, ports: Ports) -> Any:
    """Ticks of the window: words read and written, and what differs in their cycles from before."""
    unit, start, end, cycles = s.unit[u], s.start[u], s.end[u], s.cycles
    origin = end if limits.is_careful else start
    lag = ports.lag
    is_plain = unit.ready_every == 1 and limits.cycle_limit == NEVER
    ticks = ticks_to_do(s, u, limits)
    words_left, places_left = words_to_read(s, u, limits), words_to_write(s, u, limits)
    at = load_cursor(origin)
    cycle, done = origin.cycle, origin.step - start.step
    read, written, read_change, write_change = ports.read, ports.written, 0, 0
    waited, on_output, by_word, by_room = 0, 0, 0, 0
    while read < words_left or written < places_left:
        most_reads = min(words_left, ports.reads) - read
        most_writes = min(places_left, ports.writes) - written
        rounds, some, kept = 0, 0, READS | WRITES
        if is_plain:
            rounds = whole_rounds(s.program_words, at, ticks - done, most_reads, most_writes)
        left, stride, until = rounds, at.stride, s.program_words[at.lap + 2]
        if rounds == 0:
            some = whole_strides(s.program_words, at, ticks - done)
            if s.program_words[stride + 1] & READS:
                if read == words_left and limits.is_ending:
                    kept &= WRITES
                else:
                    some = min(some, most_reads)
            if s.program_words[stride + 1] & WRITES:
                if written == places_left and limits.is_ending:
                    kept &= READS
                else:
                    some = min(some, most_writes)
            left, until = int(some > 0), stride + STRIDE
        before, n = cycle, 0
        cycle -= at.idled
        done -= at.idled
        while left:
            n, each = s.program_words[stride], s.program_words[stride + 2]
            sides = s.program_words[stride + 1] & kept
            if some:
                n = some
            words, taken = ports.words + read, ports.taken + read
            room, given = ports.room + written, ports.given + written
            since = cycle
            if sides == 0:
                cycle += n * each
            elif not is_plain:
                ticked = _tick_on_bench(s, u, limits, ports, cycle, sides, each, n, read, written)
                n, cycle = ticked.done, ticked.cycle
                on_output += ticked.stalled_on_output
                by_word |= ticked.by_word
                by_room |= ticked.by_room
                read_change |= ticked.change
                write_change |= ticked.change
            elif sides == READS:
                for i in range(n):
                    cycle = max(cycle + each, cycles[words + i] + lag)
                    read_change |= cycles[taken + i] ^ cycle
                    cycles[taken + i] = cycle
                by_word |= since + n * each - cycle
            elif sides == WRITES:
                for i in range(n):
                    cycle = max(cycle + each, cycles[room + i] + 1)
                    write_change |= cycles[given + i] ^ cycle
                    cycles[given + i] = cycle
                on_output += cycle - since - n * each
                by_room |= since + n * each - cycle
            else:
                dues = 0
                for i in range(n):
                    due = cycle + each
                    word = cycles[words + i] + lag
                    space = cycles[room + i] + 1
                    cycle = max(due, max(word, space))
                    on_output += max(due, space)
                    dues += due
                    by_word |= (cycle - word - 1) & (due - cycle)
                    by_room |= (cycle - space - 1) & (due - cycle)
                    read_change |= cycles[taken + i] ^ cycle
                    cycles[taken + i] = cycle
                    write_change |= cycles[given + i] ^ cycle
                    cycles[given + i] = cycle
                on_output -= dues
            waited += cycle - since - n * each
            done += n * each
            if sides & READS:
                read += n
            if sides & WRITES:
                written += n
            stride += STRIDE
            if stride == until:
                stride = at.stride
                left -= 1
        if rounds:
            at = around(s.program_words, at, rounds, unit.frame_lap, unit.frame_end)
        elif n:
            at = moved(s.program_words, at, n, unit.frame_lap, unit.frame_end)
        else:
            past = at.idled
            at = idled(s.program_words, at, ticks - done - past)
            cycle = before + at.idled - past
            done += at.idled
            if at.idled == past:
                break
    store_cursor(s, u, at)
    end.cycle, end.step = cycle, start.step + done
    end.reads, end.writes = start.reads + read, start.writes + written
    end.waited = origin.waited | WAITED_FOR_WORD * (by_word < 0) | WAITED_FOR_ROOM * (by_room < 0)
    end.stalled_on_output = origin.stalled_on_output + on_output
    end.stalled_on_input = origin.stalled_on_input + waited - on_output
    return read, written, read_change, write_change


@inner
def _tick_on_bench(
    s: State,
    u: int,
    limits: Limits,
    ports: Ports,
    cycle: int,
    sides: int,
    each: int,
    most: int,
    read: int,
    written: int,
) -> Ticks:
    """At most ``most`` strides before the cycle limit, with outputs that are open only now and then."""
    cycles, every = s.cycles, s.unit[u].ready_every if sides & WRITES else 1
    on_output, by_word, by_room, change = 0, 0, 0, 0
    for i in range(most):
        due = cycle + each
        word = cycles[ports.words + read + i] + ports.lag if sides & READS else LONG_AGO
        space = cycles[ports.room + written + i] + 1 if sides & WRITES else LONG_AGO
        came = next_open(max(due, word, space), every)
        if came >= limits.cycle_limit:
            return Ticks(i, cycle, on_output, by_word, by_room, change)
        cycle = came
        on_output += cycle - due - stalled_on_input(due, space, every, cycle)
        since = due if every > 1 else cycle - 1
        by_word |= (since - word) & (due - cycle)
        by_room |= (since - space) & (due - cycle)
        if every > 1:
            by_room |= due - cycle
        if sides & READS:
            change |= cycles[ports.taken + read + i] ^ cycle
            cycles[ports.taken + read + i] = cycle
        if sides & WRITES:
            change |= cycles[ports.given + written + i] ^ cycle
            cycles[ports.given + written + i] = cycle
    return Ticks(most, cycle, on_output, by_word, by_room, change)


@inner
def stalled_on_input(due: int, space: int, every: int, until: int) -> int:
    """Of the cycles from ``due`` to before ``until``, those that had room and so lacked words."""
    start = max(due, space)
    if start >= until:
        return 0
    if every <= 1:
        return until - start
    return (until - 1) // every - (start - 1) // every
