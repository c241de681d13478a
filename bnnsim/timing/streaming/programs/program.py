"""What a unit does in which step of a frame: programs as data, run by every executor alike.

A :class:`Lockstep` program is a sequence of steps behind a pipeline, written as nested counters, as
hardware would hold it. An :class:`Elastic` program couples a reading and a writing side only through
which word needs which.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.step_count import StepCounter
from bnnsim.timing.streaming.programs.steps import Block, count_words
from bnnsim.timing.streaming.programs.turn import Turn, turn
from bnnsim.timing.streaming.programs.word_order import WordOrder, word_order


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
        return count_words(self.blocks, "reads")

    @cached_property
    def words_out(self) -> int:
        """Words a frame written on every output port."""
        return count_words(self.blocks, "writes")

    @cached_property
    def words_ahead(self) -> int:
        """Words read on every input port before the first frame."""
        return count_words(self.prologue, "reads")

    @cached_property
    def writes_ahead(self) -> bool:
        """Whether words are written before the first frame."""
        return count_words(self.prologue, "writes") > 0

    @cached_property
    def turn(self) -> Turn:
        """A frame as it goes round for ever: its ticks, or of a flushing pipeline its steps."""
        return turn(self.prologue, self.blocks, self.pipeline_depth if self.freezes else 0)

    @cached_property
    def counter(self) -> StepCounter:
        """Counts of the steps that touch words."""
        return StepCounter(self.prologue, self.blocks)


@dataclass(frozen=True, eq=False)
class Elastic:
    """A reading side that takes a word a cycle and a writing side that gives one a cycle.

    ``dependence`` ``(words_out,)``: output word j of a frame leaves, in order, at the earliest
    ``latency`` cycles after input word ``dependence[j]`` of the frame was taken. ``release``
    ``(words_in,)``: input word i is taken, in order, at the earliest in the cycle after output word
    ``release[i]`` of the frame has left; negative numbers count back from the end of the frame before
    (-1 is its last word).
    """

    dependence: Int64s
    release: Int64s
    latency: int

    @property
    def words_in(self) -> int:
        return len(self.release)

    @property
    def words_out(self) -> int:
        return len(self.dependence)

    @cached_property
    def order(self) -> WordOrder:
        """What every word waits for, once it counts that words move in order.

        Raises ValueError for a program that no frame can pass.
        """
        return word_order(self.dependence, self.release)

    @cached_property
    def table(self) -> Int64s:
        """Dependence runs of the order, and behind them its releases."""
        return np.concatenate([self.order.dependence_runs.reshape(-1), self.order.release])


Program = Lockstep | Elastic
