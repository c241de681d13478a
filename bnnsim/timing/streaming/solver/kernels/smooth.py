"""Steps of a flushing unit in a row while nothing stands still in its pipeline, in one loop.

The loop ends before the first word that would freeze the pipeline. With one stage a freeze is over before
the next step, and it goes on.
"""

from __future__ import annotations

from typing import NamedTuple

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.strides import STRIDE
from bnnsim.timing.streaming.solver.kernels.jit import inner
from bnnsim.timing.streaming.solver.kernels.lockstep import (
    Cursor,
    around,
    idled,
    moved,
    whole_rounds,
    whole_strides,
)
from bnnsim.timing.streaming.solver.kernels.ports import Ports
from bnnsim.timing.streaming.solver.kernels.records import READS, WRITES


class Lap(NamedTuple):
    """A frame's first lap, the end of its last, and the stages of the pipeline."""

    first: int
    end: int
    stages: int


class Smooth(NamedTuple):
    """Steps done in a row whose words freeze nothing, or of which each has left before the next step."""

    at: Cursor
    """Behind them."""
    ticks: int
    busy: int
    """Steps that touch a word."""
    due: int
    """The cycle of the last step, of one that touches no word if nothing waits for it."""
    cycle: int
    """Of the last that touches a word."""
    reads: int
    writes: int
    read_change: int
    write_change: int
    froze: int
    """Cycles that the pipeline was frozen."""
    held: int
    """Those of them that come behind the last step."""
    by_word: int
    """Negative where a step waited for a word."""


@inner
def run_smooth(
    cycles: Int64s, program: Int64s, at: Cursor, frame: Lap, ports: Ports, ticks: int, cycle: int
) -> Smooth:
    """At most ``ticks`` steps behind the one in ``cycle``, and of several stages before the first whose
    word would freeze the pipeline. No word in it may still do so.

    ``ports``: as they are from here on; ``read`` and ``written`` are all words that are still to be.
    """
    stages, lag = frame.stages, ports.lag
    most_reads, most_writes = min(ports.read, ports.reads), min(ports.written, ports.writes)
    done, busy, reads, writes, last, is_smooth = 0, 0, 0, 0, cycle, True
    read_change, write_change, froze, held, by_word = 0, 0, 0, 0, 0
    while is_smooth and (reads < ports.read or writes < ports.written):
        rounds = whole_rounds(program, at, ticks - done, most_reads - reads, most_writes - writes)
        left, stride, until, some = rounds, at.stride, program[at.lap + 2], 0
        if rounds == 0:
            some = whole_strides(program, at, ticks - done)
            if program[stride + 1] & READS:
                some = min(some, most_reads - reads)
            if program[stride + 1] & WRITES:
                some = min(some, most_writes - writes)
            left, until = int(some > 0), stride + STRIDE
        before, n = cycle, 0
        cycle -= at.idled
        done -= at.idled
        while left:
            times, sides, each = program[stride], program[stride + 1], program[stride + 2]
            if some:
                times = some
            words, taken = ports.words + reads, ports.taken + reads
            room, given = ports.room + writes, ports.given + writes
            n = times
            if sides == 0:
                cycle += n * each
            elif sides == READS:
                if held:
                    by_word |= _waited(cycle + each - held, cycles[words] + lag)
                    held = 0
                for i in range(n):
                    cycle = max(cycle + each, cycles[words + i] + lag)
                    read_change |= cycles[taken + i] ^ cycle
                    cycles[taken + i] = cycle
                last = cycle
            elif sides == WRITES:
                for i in range(n):
                    leaves, space = cycle + each + stages, cycles[room + i] + 1
                    froze_now = max(0, space - leaves)
                    if froze_now and stages > 1:
                        n = i
                        break
                    cycle += each
                    last, leaves, held = cycle, leaves + froze_now, froze_now
                    froze += held
                    cycle += held
                    write_change |= cycles[given + i] ^ leaves
                    cycles[given + i] = leaves
            else:
                for i in range(n):
                    due, word = cycle + each, cycles[words + i] + lag
                    came = max(due, word)
                    leaves, space = came + stages, cycles[room + i] + 1
                    froze_now = max(0, space - leaves)
                    if froze_now and stages > 1:
                        n = i
                        break
                    if held:
                        by_word |= _waited(due - held, word)
                    last, leaves, held = came, leaves + froze_now, froze_now
                    froze += held
                    read_change |= cycles[taken + i] ^ came
                    cycles[taken + i] = came
                    cycle = came + held
                    write_change |= cycles[given + i] ^ leaves
                    cycles[given + i] = leaves
            done += n * each
            if sides & READS:
                reads += n
            if sides & WRITES:
                writes += n
            if sides:
                busy += n
            if n < times:
                is_smooth = False
                break
            stride += STRIDE
            if stride == until:
                stride = at.stride
                left -= 1
        if rounds and left == 0:
            at = around(program, at, rounds, frame.first, frame.end)
        elif rounds:
            at = Cursor(at.lap, at.rounds - rounds + left, stride, program[stride] - n, 0)
        elif n:
            at = moved(program, at, n, frame.first, frame.end)
        else:
            past = at.idled
            at = idled(program, at, ticks - done - past)
            cycle = before + at.idled - past
            done += at.idled
            if at.idled == past:
                break
    changes = read_change, write_change
    return Smooth(at, done, busy, cycle, last, reads, writes, *changes, froze, held, by_word)


@inner
def _waited(due: int, word: int) -> int:
    """Negative where a word comes later than a step was due."""
    return due - max(due, word)
