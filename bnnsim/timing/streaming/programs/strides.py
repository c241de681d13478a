"""A tape as executors walk it: what touches a word, with the idle ticks in front of it.

A stride is (times, sides, ticks): so many times over, ``ticks`` ticks in whose last one the sides are
touched. A unit that writes a word every nine ticks, a thousand times over, is one stride then, not two
thousand stretches. Ticks behind the last touch are a stride that touches no side, of one tick each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bnnsim.timing.streaming.programs.tape import READS, WRITES, Lap, Stretch

Stride = tuple[int, int, int]
"""(how many times over, sides touched, ticks)"""
StrideLap = tuple[int, tuple[Stride, ...]]
"""(how many times over, strides)"""
LAP, STRIDE = 6, 3
"""Words that a lap, and a stride, take in a table."""


def strided(laps: Iterable[Lap]) -> list[StrideLap]:
    """The same ticks as strides."""
    found: list[StrideLap] = []
    idle = 0
    for rounds, stretches in laps:
        strides, tail = _strides(stretches, idle)
        if not strides:
            idle += rounds * (tail - idle)
            continue
        if tail != idle:
            _append(found, 1, strides)
            rounds -= 1
            strides, _ = _strides(stretches, tail)
        if rounds:
            _append(found, rounds, strides)
        idle = tail
    if idle:
        found.append((1, ((idle, 0, 1),)))
    return found


def _strides(stretches: Sequence[Stretch], idle: int) -> tuple[list[Stride], int]:
    """Stretches behind so many idle ticks, and the idle ticks behind the last that touches a side."""
    strides: list[Stride] = []
    for ticks, sides in stretches:
        if not sides:
            idle += ticks
            continue
        if idle:
            _add(strides, (1, sides, idle + 1))
            ticks -= 1
        if ticks:
            _add(strides, (ticks, sides, 1))
        idle = 0
    return strides, idle


def _add(strides: list[Stride], more: Stride) -> None:
    if strides and strides[-1][1:] == more[1:]:
        more = (strides.pop()[0] + more[0], *more[1:])
    strides.append(more)


def _append(laps: list[StrideLap], rounds: int, strides: list[Stride]) -> None:
    """Put a lap behind others, as one with the last where either goes round once."""
    if len(strides) == 1:
        ((times, sides, ticks),) = strides
        rounds, strides = 1, [(rounds * times, sides, ticks)]
    if rounds == 1 and laps and laps[-1][0] == 1:
        joined = list(laps.pop()[1])
        for stride in strides:
            _add(joined, stride)
        strides = joined
    laps.append((rounds, tuple(strides)))


def table(laps: Sequence[StrideLap]) -> list[int]:
    """Laps in a row: of each (rounds, place of its first stride, place behind its last, ticks of a round,
    reads of a round, writes of a round); then strides."""
    at = LAP * len(laps)
    words: list[int] = []
    for rounds, strides in laps:
        ticks = sum(times * each for times, _, each in strides)
        touched = (sum(times for times, sides, _ in strides if sides & side) for side in (READS, WRITES))
        words += (rounds, at, at + STRIDE * len(strides), ticks, *touched)
        at += STRIDE * len(strides)
    for _, strides in laps:
        for stride in strides:
            words += stride
    return words
