"""How many steps of a run touch words, without going through them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.steps import Block, Loop, Run, count_words


@dataclass(frozen=True)
class StepCount:
    """How many of some steps read, how many write, and how many do both."""

    reads: int
    writes: int
    both: int

    @property
    def active(self) -> int:
        return self.reads + self.writes - self.both


class StepCounter:
    """Counts steps of an endless run: the prologue once, then the frame's blocks again and again."""

    def __init__(self, prologue: tuple[Block, ...], blocks: tuple[Block, ...]) -> None:
        self.prologue_steps = sum(block.steps for block in prologue)
        self.frame_steps = sum(block.steps for block in blocks)
        self.frame_words_in = count_words(blocks, "reads")
        self._prologue = [_BlockCount(block) for block in prologue]
        self._frame = [_BlockCount(block) for block in blocks]

    def before(self, step: int) -> StepCount:
        """Among the first ``step`` steps of an endless run."""
        total = _count(self._prologue, min(step, self.prologue_steps))
        if step > self.prologue_steps:
            frames, rest = divmod(step - self.prologue_steps, self.frame_steps)
            whole = _count(self._frame, self.frame_steps)
            part = _count(self._frame, rest)
            total = total + frames * whole + part
        return StepCount(*(int(n) for n in total))

    def busy(self, steps: int, frames: int) -> int:
        """Busy steps among the first ``steps`` of a run of ``frames`` frames.

        A step that would read behind the run's last word reads nothing.
        """
        steps = min(steps, self.prologue_steps + frames * self.frame_steps)
        words = frames * self.frame_words_in
        count = self.before(steps)
        if count.reads <= words:
            return count.active
        last = self._step_of_read(words, steps)
        count_to_last = self.before(last)
        return count_to_last.active + count.writes - count_to_last.writes

    def _step_of_read(self, words: int, end: int) -> int:
        """How many steps it takes to have read ``words``, found by bisection."""
        return bisect_right(range(end), words - 1, key=lambda step: self.before(step).reads)


_ZERO = (0, 0, 0)


def _touched(run: Run) -> tuple[int, int, int]:
    return int(run.reads), int(run.writes), int(run.reads and run.writes)


class _BlockCount:
    """Sums over a block's runs and loops; rows are (steps that read, that write, that do both)."""

    def __init__(self, block: Block | Loop) -> None:
        self.steps = block.steps
        self.loops = {
            number: _BlockCount(run) for number, run in enumerate(block.runs) if isinstance(run, Loop)
        }
        rows = [
            (run.steps, *(_ZERO if isinstance(run, Loop) else _touched(run))) for run in block.runs
        ]
        table = np.array(rows, np.int64).reshape(-1, 4)
        lengths, touched = table[:, 0], table[:, 1:]
        amounts = touched * lengths[:, None]
        for number, loop in self.loops.items():
            amounts[number] = loop.before(loop.steps)
        self.starts = np.concatenate([[0], np.cumsum(lengths)])
        zero = np.zeros((1, 3), np.int64)
        self.counts = np.concatenate([zero, np.cumsum(amounts, axis=0)])
        self.touched = np.concatenate([touched, zero])

    def before(self, step: int) -> Int64s:
        """Among the block's first ``step`` steps, shape ``(3,)``."""
        length = int(self.starts[-1])
        rounds, rest = divmod(step, length) if length else (0, 0)
        run = int(np.searchsorted(self.starts, rest, side="right")) - 1
        into = rest - int(self.starts[run])
        inside = self.counts[run] + into * self.touched[run]
        if run in self.loops:
            inside = inside + self.loops[run].before(into)
        total: Int64s = rounds * self.counts[-1] + inside
        return total


def _count(blocks: list[_BlockCount], step: int) -> Int64s:
    """Among the first ``step`` steps of ``blocks`` in a row, shape ``(3,)``."""
    total = np.zeros(3, np.int64)
    for block in blocks:
        total = total + block.before(min(step, block.steps))
        step -= min(step, block.steps)
    return total
