"""One frame of a lockstep program as it goes round for ever."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.steps import Block, count_words
from bnnsim.timing.streaming.programs.tape import READS, Lap, tape


@dataclass(frozen=True)
class Turn:
    """The ticks of a frame, as laps of stretches.

    ``words``: a lap is (rounds, place of its first stretch, place behind its last), a stretch
    (ticks, sides touched); the laps come first, up to ``laps_end``. ``reads_from`` and
    ``writes_from``: the words that it begins with, counted from the run's first. ``pause``: ticks
    behind the last that touches a word.
    """

    words: Int64s
    laps_end: int
    reads_from: int
    writes_from: int
    pause: int
    ends_reading: bool


def turn(prologue: tuple[Block, ...], blocks: tuple[Block, ...], lead_ticks: int) -> Turn:
    """The turn of a program whose words leave ``lead_ticks`` behind their steps."""
    reel = tape(prologue, blocks, lead_ticks)
    at = 3 * len(reel.frame)
    words: list[int] = []
    for rounds, stretches in reel.frame:
        words += (rounds, at, at + 2 * len(stretches))
        at += 2 * len(stretches)
    for _, stretches in reel.frame:
        for stretch in stretches:
            words += stretch
    pause = 0
    ends_reading = False
    for ticks, sides in _backwards(reel.frame):
        if sides:
            ends_reading = pause == 0 and bool(sides & READS)
            break
        pause += ticks
    return Turn(
        words=np.array(words, np.int64),
        laps_end=3 * len(reel.frame),
        reads_from=_touched(reel.once, READS),
        writes_from=count_words(prologue, "writes"),
        pause=pause,
        ends_reading=ends_reading,
    )


def _touched(laps: tuple[Lap, ...], side: int) -> int:
    return sum(rounds * sum(n for n, sides in stretches if sides & side) for rounds, stretches in laps)


def _backwards(laps: tuple[Lap, ...]) -> Iterable[tuple[int, int]]:
    for rounds, stretches in reversed(laps):
        for _ in range(rounds):
            yield from reversed(stretches)
