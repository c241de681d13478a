"""The steps of a program as nested counters: runs of equal steps, in loops, in repeated blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from bnnsim.arrays import Bools

Side = Literal["reads", "writes"]


@dataclass(frozen=True)
class Run:
    """``steps`` equal steps: each reads one word a port or none, writes one word a port or none."""

    steps: int
    reads: bool = False
    writes: bool = False


@dataclass(frozen=True)
class Loop:
    """``runs`` one after the other, ``repeat`` times over, inside a block."""

    repeat: int
    runs: tuple[Run, ...]

    @cached_property
    def steps(self) -> int:
        return self.repeat * sum(run.steps for run in self.runs)

    def count(self, side: Side) -> int:
        """Words read, or written, on every port."""
        return self.repeat * sum(run.steps for run in self.runs if getattr(run, side))


@dataclass(frozen=True)
class Block:
    """``runs`` and loops one after the other, ``repeat`` times over."""

    repeat: int
    runs: tuple[Run | Loop, ...]

    @cached_property
    def steps(self) -> int:
        return self.repeat * sum(run.steps for run in self.runs)

    def count(self, side: Side) -> int:
        """Words read, or written, on every port."""
        loops = (run if isinstance(run, Loop) else Loop(1, (run,)) for run in self.runs)
        return self.repeat * sum(loop.count(side) for loop in loops)

    def flat_runs(self) -> Iterator[Run]:
        """The runs of one pass, loops unrolled."""
        for run in self.runs:
            if isinstance(run, Loop):
                for _ in range(run.repeat):
                    yield from run.runs
            else:
                yield run


def count_words(blocks: tuple[Block, ...], side: Side) -> int:
    """Words that one pass through ``blocks`` reads, or writes, on every port."""
    return sum(block.count(side) for block in blocks)


def step_flags(blocks: tuple[Block, ...]) -> tuple[Bools, Bools]:
    """For every step of ``blocks`` whether it reads and whether it writes: two of shape ``(steps,)``."""
    reads: list[Bools] = []
    writes: list[Bools] = []
    for block in blocks:
        runs = list(block.flat_runs())
        counts = [run.steps for run in runs]
        reads.append(np.tile(np.repeat([run.reads for run in runs], counts), block.repeat))
        writes.append(np.tile(np.repeat([run.writes for run in runs], counts), block.repeat))
    if not reads:
        return np.zeros(0, bool), np.zeros(0, bool)
    return np.concatenate(reads).astype(bool), np.concatenate(writes).astype(bool)
