"""A lockstep program as its ports see it: stretches of ticks that touch the same sides.

Tick n of a unit does step n; the word of a step leaves a freezing pipeline ``pipeline_depth`` ticks
later, so that its writes lie beside later steps' reads. A flushing pipeline's words leave when they
can; for its steps, and for units without a pipeline, ticks are steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bnnsim.timing.streaming.programs.steps import Block, Loop, Run, Side

MOST_STRETCHES = 1 << 14
"""A block's loops are unrolled up to so many stretches; beyond, the block is."""
READS, WRITES = 1, 2
"""Bits of a stretch's sides."""

Stretch = tuple[int, int]
"""(ticks, sides touched in each of them)"""
Lap = tuple[int, tuple[Stretch, ...]]
"""(how many times over, stretches)"""


@dataclass(frozen=True)
class Tape:
    """``once`` before all frames, ``once_ticks`` long, then ``frame`` again and again."""

    once: tuple[Lap, ...]
    frame: tuple[Lap, ...]
    once_ticks: int


@lru_cache(maxsize=4096)
def tape(prologue: tuple[Block, ...], blocks: tuple[Block, ...], lead_ticks: int) -> Tape:
    """The tape of a program whose words leave ``lead_ticks`` behind their steps.

    The frame's part begins with the tick in which the first step of a frame lets its word leave.
    """
    steps = sum(block.steps for block in blocks)
    reads, writes = _laps(blocks, "reads"), _laps(blocks, "writes")
    turned = _turned(reads, lead_ticks % steps)
    frame = tuple(_overlaid(_Side(turned), _Side(writes), steps))
    once_ticks = sum(block.steps for block in prologue) + lead_ticks
    frames = 1 + lead_ticks // steps
    first_reads = _laps(prologue, "reads") + reads * frames
    late: _Laps = [(lead_ticks, [(1, False)])] if lead_ticks else []
    first_writes = late + _laps(prologue, "writes") + writes * frames
    once = tuple(_overlaid(_Side(first_reads), _Side(first_writes), once_ticks))
    return Tape(once, frame, once_ticks)


_Runs = list[tuple[int, bool]]
"""(ticks, whether the side is touched), neighbours different."""
_Laps = list[tuple[int, _Runs]]


def _laps(blocks: tuple[Block, ...], side: Side) -> _Laps:
    """One side of blocks; laps that are the same throughout have one tick."""
    laps: _Laps = []
    for block in blocks:
        stretches = sum(len(r.runs) * r.repeat if isinstance(r, Loop) else 1 for r in block.runs)
        if block.repeat > 1 and stretches <= MOST_STRETCHES:
            _append(laps, block.repeat, tuple(block.flat_runs()), side)
            continue
        for _ in range(block.repeat):
            for run in block.runs:
                repeat, runs = (run.repeat, run.runs) if isinstance(run, Loop) else (1, (run,))
                _append(laps, repeat, runs, side)
    return laps


def _append(laps: _Laps, repeat: int, runs: tuple[Run, ...], side: Side) -> None:
    parts = _joined([(run.steps, run.reads if side == "reads" else run.writes) for run in runs])
    if len(parts) != 1:
        laps += [(repeat, parts)] if parts else []
    elif laps and laps[-1][1] == [(1, parts[0][1])]:
        laps[-1] = (laps[-1][0] + repeat * parts[0][0], laps[-1][1])
    else:
        laps.append((repeat * parts[0][0], [(1, parts[0][1])]))


def _joined(runs: _Runs) -> _Runs:
    joined: _Runs = []
    for ticks, touched in runs:
        if joined and joined[-1][1] == touched:
            joined[-1] = (joined[-1][0] + ticks, touched)
        elif ticks:
            joined.append((ticks, touched))
    return joined


def _ticks(runs: _Runs) -> int:
    return sum(ticks for ticks, _ in runs)


def _cut(runs: _Runs, ticks: int) -> tuple[_Runs, _Runs]:
    """The first ``ticks`` of runs, and the others."""
    head: _Runs = []
    for number, (n, touched) in enumerate(runs):
        if ticks < n:
            rest = [(n - ticks, touched), *runs[number + 1 :]]
            return [*head, *([(ticks, touched)] if ticks else [])], rest
        head.append((n, touched))
        ticks -= n
    return head, []


def _turned(laps: _Laps, ticks: int) -> _Laps:
    """A frame that begins ``ticks`` later and ends with what it leaves out at its beginning."""
    for number, (repeat, runs) in enumerate(laps):
        length = _ticks(runs)
        if ticks >= repeat * length:
            ticks -= repeat * length
            continue
        done, rest = divmod(ticks, length)
        head, tail = _cut(runs, rest)
        parts: _Laps = [(1, tail)] if rest else []
        parts += [(repeat - done - bool(rest), runs), *laps[number + 1 :], *laps[:number], (done, runs)]
        parts += [(1, head)] if rest else []
        return [(n, part) for n, part in parts if n]
    return laps


class _Side:
    """A place on one side's laps."""

    def __init__(self, laps: _Laps) -> None:
        self._laps = iter(laps)
        self._turn_over()

    def _turn_over(self) -> None:
        repeat, self.runs = next(self._laps, (0, [(1, False)]))
        self.length = _ticks(self.runs)
        self.left = repeat * self.length
        """Ticks of these laps."""
        self.phase = 0

    @property
    def is_even(self) -> bool:
        return len(self.runs) == 1

    def lap(self, length: int) -> _Runs:
        """The next ``length`` ticks, which are one lap, or any number where all ticks are the same."""
        if self.is_even:
            return [(length, self.runs[0][1])]
        head, tail = _cut(self.runs, self.phase)
        return _joined(tail + head)

    def part(self, ticks: int) -> _Runs:
        """The next ``ticks``, no more than the lap has left."""
        if self.is_even:
            return [(ticks, self.runs[0][1])]
        return _cut(_cut(self.runs, self.phase)[1], ticks)[0]

    @property
    def lap_left(self) -> int:
        return self.left if self.is_even else self.length - self.phase

    def skip(self, ticks: int) -> None:
        self.left -= ticks
        self.phase = (self.phase + ticks) % self.length
        if not self.left:
            self._turn_over()


def _overlaid(reads: _Side, writes: _Side, ticks: int) -> Iterator[Lap]:
    """Both sides' first ``ticks``."""
    while ticks:
        length = 0
        if reads.is_even or writes.is_even or reads.length == writes.length:
            length = writes.length if reads.is_even else reads.length
            if reads.is_even and writes.is_even:
                length = min(reads.left, writes.left, ticks)
        laps = min(reads.left, writes.left, ticks) // length if length else 0
        if laps:
            yield laps, _merged(reads.lap(length), writes.lap(length))
            part = laps * length
        else:
            part = min(reads.lap_left, writes.lap_left, ticks)
            yield 1, _merged(reads.part(part), writes.part(part))
        reads.skip(part)
        writes.skip(part)
        ticks -= part


def _merged(reads: _Runs, writes: _Runs) -> tuple[Stretch, ...]:
    """Two sides of as many ticks as stretches."""
    stretches: list[Stretch] = []
    r, w = list(reads), list(writes)
    i = j = 0
    while i < len(r):
        n = min(r[i][0], w[j][0])
        sides = READS * r[i][1] | WRITES * w[j][1]
        if stretches and stretches[-1][1] == sides:
            stretches[-1] = (stretches[-1][0] + n, sides)
        else:
            stretches.append((n, sides))
        r[i] = (r[i][0] - n, r[i][1])
        w[j] = (w[j][0] - n, w[j][1])
        i += r[i][0] == 0
        j += w[j][0] == 0
    return tuple(stretches)
