"""One frame of a lockstep program as it goes round for ever."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.steps import Block, count_words
from bnnsim.timing.streaming.programs.strides import LAP, strided, table
from bnnsim.timing.streaming.programs.tape import READS, WRITES, Lap, tape


@dataclass(frozen=True)
class Turn:
    """The ticks of a frame, as laps of strides.

    ``words``: their table; the laps come first, up to ``laps_end``. ``reads_from`` and
    ``writes_from``: the words that it begins with, counted from the run's first. ``pause``: ticks
    behind the last that touches a word. ``behind``: ticks from the last that writes to the last that
    touches a word; ``apart``: from the last but one that writes to the last, of another frame where it
    writes but once; both 0 where it writes nothing.
    """

    words: Int64s
    laps_end: int
    reads_from: int
    writes_from: int
    pause: int
    behind: int
    apart: int
    ends_reading: bool


def turn(prologue: tuple[Block, ...], blocks: tuple[Block, ...], lead_ticks: int) -> Turn:
    """The turn of a program whose words leave ``lead_ticks`` behind their steps."""
    reel = tape(prologue, blocks, lead_ticks)
    laps = strided(reel.frame)
    steps = sum(rounds * sum(n for n, _ in stretches) for rounds, stretches in reel.frame)
    read, written, touched = (_from_end(reel.frame, side) for side in (READS, WRITES, READS | WRITES))
    written += [steps + ticks for ticks in written]
    return Turn(
        words=np.array(table(laps), np.int64),
        laps_end=LAP * len(laps),
        reads_from=_touched(reel.once, READS),
        writes_from=count_words(prologue, "writes"),
        pause=touched[0] if touched else 0,
        behind=written[0] - touched[0] if written else 0,
        apart=written[1] - written[0] if written else 0,
        ends_reading=read[:1] == [0],
    )


def _touched(laps: tuple[Lap, ...], side: int) -> int:
    return sum(rounds * sum(n for n, sides in stretches if sides & side) for rounds, stretches in laps)


def _from_end(laps: tuple[Lap, ...], side: int) -> list[int]:
    """How many ticks there are behind the last that touches a side, and behind the last but one."""
    found: list[int] = []
    ticks = 0
    for rounds, stretches in reversed(laps):
        if not any(sides & side for _, sides in stretches):
            ticks += rounds * sum(n for n, _ in stretches)
            continue
        for _ in range(min(rounds, 2)):
            for n, sides in reversed(stretches):
                if sides & side:
                    found += [ticks + i for i in range(min(n, 2))]
                    if len(found) > 1:
                        return found[:2]
                ticks += n
    return found
