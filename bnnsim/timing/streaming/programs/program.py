"""What a unit does in which step of a frame: programs as data, run by every executor alike.

A :class:`Lockstep` program is a sequence of steps behind a pipeline, written as nested counters, as
hardware would hold it. An :class:`Elastic` program couples a reading and a writing side only through
which word needs which.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bnnsim.arrays import Bools, Int64s
from bnnsim.timing.streaming.programs.flat_program import (
    FlatElastic,
    StepCounter,
    View,
    flat_elastic,
    flat_view,
)


@dataclass(frozen=True)
class Run:
    """``steps`` equal steps: each reads one word a port or none, writes one word a port or none."""

    steps: int
    reads: bool = False
    writes: bool = False


@dataclass(frozen=True)
class Block:
    """``runs`` one after the other, ``repeat`` times over."""

    repeat: int
    runs: tuple[Run, ...]

    @cached_property
    def steps(self) -> int:
        return self.repeat * sum(run.steps for run in self.runs)


@dataclass(frozen=True)
class Lockstep:
    """A cyclic program, one pass a frame; every step takes one cycle.

    ``prologue`` runs once before the first frame. ``freezes`` tells a freezing from a flushing
    pipeline of ``pipeline_depth`` stages. Reads stop once all words of the run have been read (a
    program that reads ahead finds nothing left in its last frame). ``inner_steps`` counts the steps a
    frame that work on buffered data without touching a port.
    """

    blocks: tuple[Block, ...]
    pipeline_depth: int
    freezes: bool
    prologue: tuple[Block, ...] = ()
    inner_steps: int = 0

    @cached_property
    def steps(self) -> int:
        """Steps a frame."""
        return sum(block.steps for block in self.blocks)

    @cached_property
    def prologue_steps(self) -> int:
        return sum(block.steps for block in self.prologue)

    @cached_property
    def words_in(self) -> int:
        """Words a frame read on every input port."""
        return _count(self.blocks, "reads")

    @cached_property
    def words_out(self) -> int:
        """Words a frame written on every output port."""
        return _count(self.blocks, "writes")

    @property
    def has_lead(self) -> bool:
        """Whether the program reads the next frame while it writes this one."""
        return bool(self.prologue)

    @cached_property
    def words_ahead(self) -> int:
        """Words read on every input port before the first frame."""
        return _count(self.prologue, "reads")

    @cached_property
    def writes_ahead(self) -> bool:
        """Whether words are written before the first frame."""
        return _count(self.prologue, "writes") > 0

    @cached_property
    def words_in_pipeline(self) -> int:
        """Words of the last steps of a frame, as many as the pipeline has stages."""
        end = self.prologue_steps + self.pipeline_depth * self.steps
        return self.counter.before(end).writes - self.counter.before(end - self.pipeline_depth).writes

    @cached_property
    def reading(self) -> View:
        """The reads as flat arrays."""
        return flat_view(self, "reads")

    @cached_property
    def writing(self) -> View:
        """The writes as flat arrays."""
        return flat_view(self, "writes")

    @cached_property
    def counter(self) -> StepCounter:
        """Counts of the steps that touch words."""
        return StepCounter(self)

    @cached_property
    def turned_forms(self) -> dict[int, tuple[Program, int]]:
        """What :mod:`bnnsim.timing.streaming.steady_state.retimed` has made of it."""
        return {}


@dataclass(frozen=True, eq=False)
class Elastic:
    """A reading side that takes a word a cycle and a writing side that gives one a cycle.

    Output word j of a frame leaves, in order, at the earliest ``latency`` cycles after input word
    ``needs[j]`` of the frame was taken. Input word i is taken, in order, at the earliest in the cycle
    after output word ``frees[i]`` of the frame has left; negative numbers count back from the end of
    the frame before (-1 is its last word).
    """

    needs: Int64s
    frees: Int64s
    latency: int

    @property
    def words_in(self) -> int:
        return len(self.frees)

    @property
    def words_out(self) -> int:
        return len(self.needs)

    @cached_property
    def flat(self) -> FlatElastic:
        """The same, with what follows from words moving in order."""
        return flat_elastic(self)

    @cached_property
    def turned_forms(self) -> dict[int, tuple[Program, int]]:
        """What :mod:`bnnsim.timing.streaming.steady_state.retimed` has made of it."""
        return {}


Program = Lockstep | Elastic


def _count(blocks: tuple[Block, ...], side: str) -> int:
    return sum(
        block.repeat * sum(run.steps for run in block.runs if getattr(run, side))
        for block in blocks
    )


def step_flags(blocks: tuple[Block, ...]) -> tuple[Bools, Bools]:
    """For every step of ``blocks`` whether it reads and whether it writes."""
    reads: list[Bools] = []
    writes: list[Bools] = []
    for block in blocks:
        counts = [run.steps for run in block.runs]
        reads.append(np.tile(np.repeat([run.reads for run in block.runs], counts), block.repeat))
        writes.append(np.tile(np.repeat([run.writes for run in block.runs], counts), block.repeat))
    if not reads:
        return np.zeros(0, bool), np.zeros(0, bool)
    return np.concatenate(reads).astype(bool), np.concatenate(writes).astype(bool)
