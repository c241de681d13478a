"""Programs as flat arrays of numbers, for the compiled executor."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from bnnsim.arrays import Int64s

if TYPE_CHECKING:  # a program holds its flat form, so it imports this module
    from bnnsim.timing.streaming.programs.program import Block, Elastic, Lockstep, Run

Side = Literal["reads", "writes"]


@dataclass(frozen=True)
class View:
    """Where a lockstep program touches the words of one side, still as nested counters.

    ``blocks``: (repeat, first segment, end segment, idle steps behind the last segment); ``segments``:
    (idle steps before, active steps). The first ``prologue_blocks`` run once, the others every frame.
    ``start_block``, ``start_segment`` and ``start_step`` lead to the first active step.
    """

    blocks: list[tuple[int, int, int, int]]
    segments: list[tuple[int, int]]
    prologue_blocks: int

    @cached_property
    def is_empty(self) -> bool:
        """Whether a frame has no active step."""
        return all(first == end for _, first, end, _ in self.blocks[self.prologue_blocks :])

    @cached_property
    def start(self) -> tuple[int, int, int]:
        """Block, segment and step of the first active step."""
        step = 0
        for number, (repeat, first, end, idle) in enumerate(self.blocks):
            if first < end:
                return number, first, step + self.segments[first][0]
            step += repeat * idle
        raise ValueError("a view without active steps has no start")


def flat_view(program: Lockstep, side: Side) -> View:
    """``program``'s view of its reads or its writes."""
    blocks: list[tuple[int, int, int, int]] = []
    segments: list[tuple[int, int]] = []
    for block in (*program.prologue, *program.blocks):
        parts, idle = _segments(block.runs, side)
        repeat = block.repeat
        if not parts:
            idle, repeat = idle * repeat, 1
        elif idle == 0 and len(set(parts)) == 1:  # as an MVAU's writes, evenly spread
            repeat *= len(parts)
            parts = parts[:1]
            if parts[0][0] == 0:
                parts, repeat = [(0, parts[0][1] * repeat)], 1
        blocks.append((repeat, len(segments), len(segments) + len(parts), idle))
        segments += parts
    return View(blocks, segments, len(program.prologue))


def _segments(runs: tuple[Run, ...], side: Side) -> tuple[list[tuple[int, int]], int]:
    """(idle, active) steps in turn, and the idle steps behind."""
    parts: list[tuple[int, int]] = []
    idle = active = 0
    for run in runs:
        if run.reads if side == "reads" else run.writes:
            active += run.steps
            continue
        if active and run.steps:
            parts.append((idle, active))
            idle = active = 0
        idle += run.steps
    if active:
        parts.append((idle, active))
        idle = 0
    return parts, idle


@dataclass(frozen=True)
class FlatElastic:
    """An elastic program with in-order movement worked in.

    Words move in order, so a word waits for all that the words before it wait for: ``needs`` and
    ``frees`` may grow only. ``needs``: rows of (input word, how many output words in a row wait for it
    last); ``frees``: output word that must have left, for each input word. ``taken_ring`` and
    ``left_ring`` say how many of the latest words of either side may still be asked for.
    """

    needs: Int64s
    frees: Int64s
    taken_ring: int
    left_ring: int


def flat_elastic(program: Elastic) -> FlatElastic:
    """Raises ValueError for a program that no frame can pass."""
    words_in, words_out = program.words_in, program.words_out
    if not words_in or not words_out:
        raise ValueError("an elastic program needs words in and words out")
    if program.needs.min() < 0 or program.needs.max() >= words_in:
        raise ValueError("an elastic program's needs must be words of the same frame")
    if program.frees.max() >= words_out:
        raise ValueError("an elastic program's frees must be words of the same frame or earlier")
    grown = np.maximum.accumulate(program.needs.astype(np.int64))
    starts = np.concatenate([[0], np.flatnonzero(np.diff(grown)) + 1])
    counts = np.diff(np.concatenate([starts, [words_out]]))
    values = grown[starts]
    frees = np.maximum.accumulate(program.frees.astype(np.int64))
    frees = np.maximum(frees, frees[-1] - words_out)
    taken_ring = int((_first_bound_by(frees, starts + counts, words_out) - values).max())
    # Of the words that left: those from which the last word taken was bound, to those yet to come.
    starts_or_end = np.concatenate([starts, [words_out]])
    next_left = starts_or_end[np.searchsorted(values, np.arange(words_in))]
    bound_before = np.concatenate([[frees[-1] - words_out], frees[:-1]])
    left_ring = int((next_left - bound_before).max())
    return FlatElastic(
        np.stack([values, counts], axis=1), frees, taken_ring + 1, max(left_ring, -int(frees[0])) + 1
    )


def _first_bound_by(frees: Int64s, outputs: Int64s, words_out: int) -> Int64s:
    """For each output word (of frame 0, ascending) the first input word that must wait for it."""
    found = np.full(len(outputs), -1, np.int64)
    frame = 0
    while (found < 0).any():
        place = np.searchsorted(frees, outputs - frame * words_out)
        found = np.where((found < 0) & (place < len(frees)), frame * len(frees) + place, found)
        frame += 1
    return found


@dataclass(frozen=True)
class StepCount:
    """Steps before some point of a run: in all, with a read, with a write, with both."""

    reads: int
    writes: int
    both: int

    @property
    def active(self) -> int:
        return self.reads + self.writes - self.both


class StepCounter:
    """Counts the steps of a lockstep program that touch words, without going through them."""

    def __init__(self, program: Lockstep) -> None:
        self.program = program
        self._prologue = [_BlockCount(block) for block in program.prologue]
        self._frame = [_BlockCount(block) for block in program.blocks]

    def before(self, step: int) -> StepCount:
        """Among the first ``step`` steps of an endless run."""
        ahead = self.program.prologue_steps
        total = _count(self._prologue, min(step, ahead))
        if step > ahead:
            frames, rest = divmod(step - ahead, self.program.steps)
            whole = _count(self._frame, self.program.steps)
            part = _count(self._frame, rest)
            total = total + frames * whole + part
        return StepCount(*(int(n) for n in total))

    def busy(self, steps: int, frames: int) -> int:
        """Busy steps among the first ``steps`` of a run of ``frames`` frames.

        A step that would read behind the run's last word reads nothing.
        """
        steps = min(steps, self.program.prologue_steps + frames * self.program.steps)
        words = frames * self.program.words_in
        count = self.before(steps)
        if count.reads <= words:
            return count.active
        last = self._step_of_read(words, steps)
        count_to_last = self.before(last)
        return count_to_last.active + count.writes - count_to_last.writes

    def _step_of_read(self, words: int, end: int) -> int:
        """How many steps it takes to have read ``words``, found by bisection."""
        return bisect_right(range(end), words - 1, key=lambda step: self.before(step).reads)


class _BlockCount:
    def __init__(self, block: Block) -> None:
        self.steps = block.steps
        self.repeat = block.repeat
        flags = [(run.steps, run.reads, run.writes) for run in block.runs]
        table = np.array(flags, np.int64).reshape(-1, 3)
        lengths = table[:, 0]
        touched = np.stack([table[:, 1], table[:, 2], table[:, 1] * table[:, 2]], axis=1)
        self.starts = np.concatenate([[0], np.cumsum(lengths)])
        zero = np.zeros((1, 3), np.int64)
        self.counts = np.concatenate([zero, np.cumsum(touched * lengths[:, None], axis=0)])
        self.touched = np.concatenate([touched, zero])

    def before(self, step: int) -> Int64s:
        length = int(self.starts[-1])
        rounds, rest = divmod(step, length) if length else (0, 0)
        run = int(np.searchsorted(self.starts, rest, side="right")) - 1
        inside = self.counts[run] + (rest - self.starts[run]) * self.touched[run]
        total: Int64s = rounds * self.counts[-1] + inside
        return total


def _count(blocks: list[_BlockCount], step: int) -> Int64s:
    total = np.zeros(3, np.int64)
    for block in blocks:
        total = total + block.before(min(step, block.steps))
        step -= min(step, block.steps)
    return total
