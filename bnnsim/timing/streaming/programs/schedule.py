"""A lockstep program unrolled over the frames of a run, a step at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import Run

READS_WORD, WRITES_WORD, DOES_STEP = 1, 2, 4


def steps_with_words(program: Lockstep, frames: int) -> Iterator[tuple[int, int]]:
    """The (step, flags) of every step of the run that reads or writes, steps counted from 0.

    Reading stops when the words of all ``frames`` have been read.
    """
    base = 0
    reads_left = frames * program.words_in
    for run in _runs(program, frames):
        flag = READS_WORD * run.reads | WRITES_WORD * run.writes
        if flag:
            end = base + run.steps
            last = end
            if run.reads:
                last = min(end, base + reads_left)
                reads_left -= last - base
            for step in range(base, last):
                yield step, flag
            if run.writes:
                for step in range(last, end):
                    yield step, WRITES_WORD
        base += run.steps


def _runs(program: Lockstep, frames: int) -> Iterator[Run]:
    """The runs of the whole run, one after the other, as many as there are held at no time."""
    for block in program.prologue:
        for _ in range(block.repeat):
            yield from block.flat_runs()
    for _ in range(frames):
        for block in program.blocks:
            for _ in range(block.repeat):
                yield from block.flat_runs()


def ticks_with_words(program: Lockstep, frames: int) -> Iterator[tuple[int, int]]:
    """The (tick, flags) of a unit whose pipeline moves in lockstep with its steps.

    In the cycle of tick n step n is done (``DOES_STEP``; ``READS_WORD`` where it reads) and the word of
    step n - depth leaves (``WRITES_WORD``).
    """
    depth = program.pipeline_depth
    leaving: deque[int] = deque()  # ticks at which words in the pipeline leave, oldest first
    for step, flags in steps_with_words(program, frames):
        while leaving and leaving[0] < step:
            yield leaving.popleft(), WRITES_WORD
        if flags & WRITES_WORD:
            leaving.append(step + depth)
        now = DOES_STEP | flags & READS_WORD
        if leaving and leaving[0] == step:
            leaving.popleft()
            now |= WRITES_WORD
        yield step, now
    for tick in leaving:
        yield tick, WRITES_WORD
