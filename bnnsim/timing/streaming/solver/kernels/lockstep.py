"""What freezing and flushing units share over a window."""

from __future__ import annotations

from typing import Any, NamedTuple

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.strides import LAP, STRIDE
from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.records import (
    FLUSHING,
    NEVER,
    READS,
    WRITES,
    Limits,
    State,
)


class Cursor(NamedTuple):
    """Where a unit is in its tape: the lap, rounds of it that are left, the stride, how many times that
    is left to do, and ticks of the next of these that are past."""

    lap: int
    rounds: int
    stride: int
    left: int
    idled: int


@inner
def moved(words: Int64s, at: Cursor, times: int, first: int, end: int) -> Cursor:
    """A cursor behind so many of its strides, no more than are left.

    ``words``: the programs'; ``first`` and ``end``: places there of a frame's first lap, and behind its
    last.
    """
    if at.left > times:
        return Cursor(at.lap, at.rounds, at.stride, at.left - times, 0)
    stride = at.stride + STRIDE
    if stride == words[at.lap + 2]:
        return around(words, at, 1, first, end)
    return Cursor(at.lap, at.rounds, stride, words[stride], 0)


@inner
def around(words: Int64s, at: Cursor, rounds: int, first: int, end: int) -> Cursor:
    """A cursor at the beginning of a lap's round, so many rounds on, no more than are left."""
    lap, left = at.lap, at.rounds - rounds
    if left == 0:
        lap = lap + LAP if lap + LAP < end else first
        left = words[lap]
    stride = words[lap + 1]
    return Cursor(lap, left, stride, words[stride], 0)


@inner
def whole_rounds(words: Int64s, at: Cursor, ticks: int, reads: int, writes: int) -> int:
    """How many whole rounds, of those left, a cursor can go within so many ticks, reads and writes; none
    unless it is at the beginning of one."""
    lap, rounds = at.lap, at.rounds
    if at.idled or at.stride != words[lap + 1] or at.left != words[at.stride]:
        return 0
    if rounds * words[lap + 3] > ticks:
        rounds = ticks // words[lap + 3]
    if rounds * words[lap + 4] > reads:
        rounds = reads // words[lap + 4]
    if rounds * words[lap + 5] > writes:
        rounds = writes // words[lap + 5]
    return rounds


@inner
def idled(words: Int64s, at: Cursor, ticks: int) -> Cursor:
    """A cursor before a stride's touch, at most so many ticks on and no further than right before it."""
    ticks = max(0, min(ticks, words[at.stride + 2] - 1 - at.idled))
    return Cursor(at.lap, at.rounds, at.stride, at.left, at.idled + ticks)


@inner
def whole_strides(words: Int64s, at: Cursor, ticks: int) -> int:
    """How many of a cursor's strides end within so many ticks, no more than are left."""
    each = words[at.stride + 2]
    if at.left * each - at.idled <= ticks:
        return at.left
    return (ticks + at.idled) // each


@inner
def load_cursor(at: Any) -> Cursor:
    """Where the unit starts: at a place."""
    return Cursor(at.lap, at.rounds, at.stride, at.left, at.idled)


@inner
def store_cursor(s: State, u: int, cursor: Cursor) -> None:
    """Keep where the unit has got to."""
    at = s.end[u]
    at.lap, at.rounds, at.stride = cursor.lap, cursor.rounds, cursor.stride
    at.left, at.idled = cursor.left, cursor.idled


@inner
def ticks_to_do(s: State, u: int, limits: Limits) -> int:
    """The most ticks that the unit may do in the window."""
    unit, start = s.unit[u], s.start[u]
    ticks: int = unit.goal - start.step - 1
    if limits.shift:
        ticks = min(ticks, max(1, unit.steps >> limits.shift))
    return ticks


@inner
def words_to_read(s: State, u: int, limits: Limits) -> int:
    """Words that the unit may still read."""
    words: int = limits.frames * s.unit[u].words_in - s.start[u].reads
    return words


@inner
def words_to_write(s: State, u: int, limits: Limits) -> int:
    """Words that the unit may still let leave."""
    words: int = limits.frames * s.unit[u].words_out - s.start[u].writes
    return words


@inner
def next_open(cycle: int, every: int) -> int:
    """The first cycle from ``cycle`` on in which a test bench's outputs are open."""
    return cycle if every <= 1 else -(-cycle // every) * every


class Coming(NamedTuple):
    """The next step, or tick, of a unit that touches a word."""

    idle: int
    """Ticks before it that do not; NEVER where there is no such step any more."""
    sides: int


@inner
def coming(s: State, u: int, limits: Limits) -> Coming:
    """What the unit does next behind its end of the window."""
    unit, at = s.unit[u], s.end[u]
    cursor = load_cursor(at)
    entered = at.entered if unit.kind == FLUSHING else at.writes
    left = READS if at.reads < limits.frames * unit.words_in else 0
    if entered < limits.frames * unit.words_out:
        left |= WRITES
    idle = 0
    while left:
        each = s.program_words[cursor.stride + 2]
        sides = s.program_words[cursor.stride + 1] & left
        if sides:
            return Coming(idle + each - 1 - cursor.idled, sides)
        idle += cursor.left * each - cursor.idled
        cursor = moved(s.program_words, cursor, cursor.left, unit.frame_lap, unit.frame_end)
    return Coming(NEVER, 0)
