"""A lockstep program unrolled over the frames of a run, a frame at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.programs.steps import step_flags

READS_WORD, WRITES_WORD, DOES_STEP = 1, 2, 4
_CHUNK = 1 << 14


def steps_with_words(program: Lockstep, frames: int) -> Iterator[tuple[int, int]]:
    """The (step, flags) of every step of the run that reads or writes, steps counted from 0.

    Reading stops when the words of all ``frames`` have been read.
    """
    base = 0
    reads_left = frames * program.words_in
    passes = [(program.prologue, 1)] if program.has_lead else []
    passes.append((program.blocks, frames))
    for blocks, repeat in passes:
        reads, writes = step_flags(blocks)
        flags = reads.astype(np.int8) * READS_WORD + writes.astype(np.int8) * WRITES_WORD
        active = np.flatnonzero(flags)
        active_flags = flags[active]
        reads_a_pass = int(np.count_nonzero(reads))
        for _ in range(repeat):
            for start in range(0, len(active), _CHUNK):
                chunk = active_flags[start : start + _CHUNK]
                if reads_left < reads_a_pass:
                    chunk = _stop_reading(chunk, reads_left)
                    reads_left -= int(np.count_nonzero(chunk & READS_WORD))
                for step, flag in zip(
                    (active[start : start + _CHUNK] + base).tolist(), chunk.tolist(), strict=True
                ):
                    if flag:
                        yield step, flag
            if reads_left >= reads_a_pass:
                reads_left -= reads_a_pass
            base += len(flags)


def _stop_reading(flags: npt.NDArray[np.int8], reads_left: int) -> npt.NDArray[np.int8]:
    """``flags`` without the reads beyond the first ``reads_left``."""
    too_late = np.cumsum(flags & READS_WORD) > reads_left
    return np.where(too_late, flags & ~READS_WORD, flags).astype(np.int8)


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
