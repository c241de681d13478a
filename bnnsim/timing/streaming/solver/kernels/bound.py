"""A bound for flushing pipelines: never earlier than they, and monotone.

A flushing unit may do a step later because a word came earlier: one that reaches the blocked exit before
the step freezes it. Let s and e be the cycles in which a word's step is done and in which it leaves, w
the word before, and r_w a cycle from which on the unit is not frozen by w or any word before it. A step
``gap`` steps behind the last one (in cycle s') waits at most until its words are there, until s' + gap,
or until r_w + gap - 1: ticks that passed while the unit was frozen are made up for from then on, the
first in cycle r_w itself. And its word leaves at the latest once it has room, in s + depth, or in
r_w + depth - 1. The bound does every step and lets every word leave exactly in those cycles. They
are maxima of others plus constants: with events no earlier than a flushing unit's it is never earlier.

What is r_w? The cycle in which w has room would do: the one after word w - d was read, d being the
FIFO's depth. That counts too much where the reader had been waiting for words, for it will always have
read w - d before w comes to the exit. It is enough to count from when on the reader was ready for w - d:
not counting, while it reads a word in every cycle, that it had to wait for word i of this same channel.
For if w is at the exit in cycle c, word i had left by c - (w - i), so that wait let w - d be read by
c - (w - i) + lag + (w - d - i) = c + lag - d, which is before c if d > lag.

Where the step of w is a pipeline's length of steps behind that of the word before, it finds nothing
inside that could still freeze: w leaves in s + depth or once it has room. And the next step can wait for
w alone, which came to the exit depth ticks behind its own step: until r_w + gap - depth, or r_w.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.lockstep import (
    idled,
    load_cursor,
    moved,
    next_open,
    store_cursor,
    ticks_to_do,
    whole_strides,
    words_to_read,
    words_to_write,
)
from bnnsim.timing.streaming.solver.kernels.ports import Ports
from bnnsim.timing.streaming.solver.kernels.records import (
    LONG_AGO,
    READS,
    WRITES,
    Limits,
    State,
)


class Exits(NamedTuple):
    """The words that left, so far."""

    written: int
    """Words, in this window."""
    free: int
    """The cycle from which on the last of them, and those before it, freeze nothing."""
    change: int
    """What differs in their cycles from before."""


@inner
def unfrozen(free: int, gap: int, behind: int, is_apart: bool, stages: int, one: int) -> int:
    """From when on the last word, and those before it, hold up no step that is ``gap`` steps behind the
    last one that touches a word.

    They freeze nothing from ``free`` on. ``behind``: how many steps that one is behind the last word's
    step; ``is_apart``: whether that was behind the word before by as many steps as there are stages.
    """
    if is_apart and behind == 0:
        return free + max(0, gap - stages) * one
    return free + (gap - 1) * one


@inner
def leaves(step: int, free: int, space: int, is_apart: bool, stages: int, one: int) -> int:
    """When a word leaves whose step is done in cycle ``step`` and that has room from ``space`` on, where
    the words before it freeze nothing from ``free`` on."""
    left = max(step + stages * one, space)
    if is_apart:
        return left
    return max(left, free + (stages - 1) * one)


@inner
def run_bound(s: State, u: int, limits: Limits, ports: Ports) -> Any:
    """Steps of the window, and the words that they let leave; as ``run_freezing`` says it."""
    unit, start, end, cycles, pipes = s.unit[u], s.start[u], s.end[u], s.cycles, s.pipes
    size = unit.pipe_mask + 1
    steps_at = unit.pipe + 3 * size + 2 * size  # of the window's end
    for i in range(3 * size):
        pipes[unit.pipe + 3 * size + i] = pipes[unit.pipe + i]
    ticks = ticks_to_do(s, u, limits)
    words_left = words_to_read(s, u, limits)
    places_left = words_to_write(s, u, limits) + start.writes - start.entered
    at = load_cursor(start)
    cycle, done = start.cycle, 0
    gap = start.local_tick - start.cycle  # steps since then that touch no word
    behind, is_apart = start.behind, start.is_apart != 0
    entered, read, read_change, entries = start.entered, 0, 0, 0
    exits = _let_leave(s, u, ports, entered, is_apart, Exits(0, start.free, 0))
    while read < words_left or entries < places_left:
        if start.writes + exits.written < entered:
            break
        sides, each = s.program_words[at.stride + 1], s.program_words[at.stride + 2]
        n = whole_strides(s.program_words, at, ticks - done)
        if sides & READS:
            if read == words_left and limits.is_ending:
                sides &= WRITES
            else:
                n = min(n, words_left - read, ports.reads - read)
        if sides & WRITES:
            if entries == places_left and limits.is_ending:
                sides &= READS
            else:
                n = min(n, places_left - entries)
        if n <= 0:
            past = at.idled
            at = idled(s.program_words, at, ticks - done)
            if at.idled == past:
                break
            gap += at.idled - past
            done += at.idled - past
            continue
        if sides == 0:
            gap += n * each - at.idled
        else:
            if sides & WRITES:
                n = 1
            gap -= at.idled
            for _ in range(n):
                gap += each
                thawed = unfrozen(exits.free, gap, behind, is_apart, unit.stages, 1)
                cycle = max(cycle + gap, thawed)
                if sides & READS:
                    cycle = max(cycle, cycles[ports.words + read] + ports.lag)
                    read_change |= cycles[ports.taken + read] ^ cycle
                    cycles[ports.taken + read] = cycle
                    read += 1
                behind, gap = behind + gap, 0
            if sides & WRITES:
                is_apart, behind = behind >= unit.stages, 0
                pipes[steps_at + (entered & unit.pipe_mask)] = cycle
                entered += 1
                entries += 1
                exits = _let_leave(s, u, ports, entered, is_apart, exits)
        done += n * each - at.idled
        at = moved(s.program_words, at, n, unit.frame_lap, unit.frame_end)
    store_cursor(s, u, at)
    end.cycle, end.step, end.local_tick = cycle, start.step + done, cycle + gap
    end.entered, end.free = entered, exits.free
    end.reads, end.writes = start.reads + read, start.writes + exits.written
    end.behind, end.is_apart, end.waited = behind, int(is_apart), 0
    return read, exits.written, read_change, exits.change


@inner
def _let_leave(
    s: State, u: int, ports: Ports, entered: int, is_apart: bool, exits: Exits
) -> Exits:
    """Words that entered; ``is_apart``: whether each was a pipeline's length behind the one before."""
    unit = s.unit[u]
    steps_at = unit.pipe + 5 * (unit.pipe_mask + 1)
    written, free, change = exits.written, exits.free, exits.change
    first = s.start[u].writes
    while first + written < entered and written < ports.writes:
        step = s.pipes[steps_at + ((first + written) & unit.pipe_mask)]
        space = s.cycles[ports.room + written] + 1
        leave = leaves(step, free, space, is_apart, unit.stages, 1)
        leave = next_open(leave, unit.ready_every)
        free = _free_from(s, u, written)
        change |= s.cycles[ports.given + written] ^ leave
        s.cycles[ports.given + written] = leave
        written += 1
    return Exits(written, free, change)


@inner
def _free_from(s: State, u: int, written: int) -> int:
    """From which cycle on word ``written`` of the window has room as far as that is the readers' own."""
    unit = s.unit[u]
    cycle = LONG_AGO
    for p in range(unit.first_output, unit.end_output):
        channel = s.channel[s.program_words[p]]
        if channel.is_bounded:
            freed_by = channel.reads_at + channel.old_reads - channel.depth + channel.held + written
            cycle = max(cycle, s.cycles[freed_by + channel.ready_at] + 1)
    return cycle
