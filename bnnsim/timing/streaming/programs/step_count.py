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
        self._whole_frame = _count(self._frame, np.array([self.frame_steps]))

    def before(self, step: int) -> StepCount:
        """Among the first ``step`` steps of an endless run."""
        return StepCount(*(int(n) for n in self.before_each(np.array([step]))[0]))

    def before_each(self, steps: Int64s) -> Int64s:
        """The same for each of some numbers of steps: reads, writes and both, shape ``(n, 3)``."""
        once = _count(self._prologue, np.minimum(steps, self.prologue_steps))
        frames, rest = np.divmod(np.maximum(steps - self.prologue_steps, 0), max(1, self.frame_steps))
        whole = self._whole_frame * np.reshape(frames, (-1, 1))
        total: Int64s = once + whole + _count(self._frame, rest)
        return total

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
            amounts[number] = loop.before(np.array([loop.steps]))[0]
        self.starts = np.concatenate([[0], np.cumsum(lengths)])
        zero = np.zeros((1, 3), np.int64)
        self.counts = np.concatenate([zero, np.cumsum(amounts, axis=0)])
        self.touched = np.concatenate([touched, zero])

    def before(self, steps: Int64s) -> Int64s:
        """Among the block's first so many steps, for each of shape ``(n,)``: shape ``(n, 3)``."""
        length = int(self.starts[-1])
        rounds, rest = np.divmod(steps, max(1, length))
        run = np.searchsorted(self.starts, rest, side="right") - 1
        into = rest - self.starts[run]
        total: Int64s = rounds[:, None] * self.counts[-1] + self.counts[run]
        total += into[:, None] * self.touched[run]
        for number, loop in self.loops.items():
            inside = run == number
            if inside.any():
                total[inside] += loop.before(into[inside])
        return total


def _count(blocks: list[_BlockCount], steps: Int64s) -> Int64s:
    """Among the first so many steps of ``blocks`` in a row, for each of ``(n,)``: shape ``(n, 3)``."""
    total = np.zeros((len(steps), 3), np.int64)
    for block in blocks:
        total += block.before(np.minimum(steps, block.steps))
        steps = np.maximum(steps - block.steps, 0)
    return total
