"""Where an elastic unit's cycles went, from the cycles of its words.

A cycle in which a word moves on either side is busy. Of the others, the unit is stalled on output where
a word is due to leave, else stalled on input where a place is free and no word there.
"""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.programs.program import Elastic


class ElasticAccount:
    """Counts of one unit, window by window."""

    def __init__(self, program: Elastic) -> None:
        self.program = program
        self.busy = self.stalled_on_input = self.stalled_on_output = 0
        runs = program.order.dependence_runs
        self.dependence = np.repeat(runs[:, 0], runs[:, 1])
        none = np.zeros(0, np.int64)
        # Words that left, as far as words may be taken while they were due; words taken that are not
        # counted yet, for what leaves meanwhile is not known.
        self._due, self._left = none, none
        self._wanted, self._taken = none, none

    def wanted(self, first: int, taken: Int64s, before: int, left: Int64s, first_left: int) -> Int64s:
        """Since when words ``first`` and on were wanted, which were ``taken``, the one before ``before``.

        ``left`` are the cycles in which words ``first_left`` and on left.
        """
        frame, word = np.divmod(first + np.arange(len(taken)), self.program.words_in)
        freed_by = frame * self.program.words_out + self.program.order.release[word]
        free = np.where(freed_by >= 0, left[np.maximum(freed_by - first_left, 0)] + 1, 0)
        last = np.concatenate([[before], taken[:-1]])[: len(taken)]
        since: Int64s = np.maximum(last + 1, free)
        return since

    def due(self, first: int, left: Int64s, before: int, taken: Int64s, first_taken: int) -> Int64s:
        """Since when words ``first`` and on were due, which ``left``; ``before``: the word before.

        ``taken`` are the cycles in which words ``first_taken`` and on were taken.
        """
        frame, word = np.divmod(first + np.arange(len(left)), self.program.words_out)
        needed = frame * self.program.words_in + self.dependence[word]
        last = np.concatenate([[before], left[:-1]])[: len(left)]
        since: Int64s = np.maximum(last + 1, taken[needed - first_taken] + self.program.latency)
        return since

    def add(self, wanted: Int64s, taken: Int64s, due: Int64s, left: Int64s) -> None:
        """Count a window's words, in and out."""
        self._due, self._left = np.concatenate([self._due, due]), np.concatenate([self._left, left])
        self._wanted = np.concatenate([self._wanted, wanted])
        self._taken = np.concatenate([self._taken, taken])
        self.busy += len(taken) + len(left)
        self.stalled_on_output += int((left - due).sum())
        if len(self._left):
            self._count(int(np.searchsorted(self._taken, self._left[-1], side="right")))

    def _count(self, words: int) -> None:
        """Count the first words taken that were not."""
        taken, wanted = self._taken[:words], self._wanted[:words]
        self._taken, self._wanted = self._taken[words:], self._wanted[words:]
        place = np.searchsorted(self._left, taken)  # the first word that left then or later
        known = place < len(self._left)
        at = place[known]
        meets = self._left[at] == taken[known]
        self.busy -= int(meets.sum())
        self.stalled_on_output -= int((~meets & (self._due[at] <= taken[known])).sum())
        self.stalled_on_input += int((taken - wanted).sum())
        self.stalled_on_input -= int((self._covered(taken) - self._covered(wanted)).sum())
        if words:
            kept = self._left >= taken[-1]
            self._due, self._left = self._due[kept], self._left[kept]

    def finish(self, wanted: int, due: int, total: int) -> None:
        """Count the waits of the next words in and out up to the run's end."""
        self.stalled_on_output += total - due
        self._due = np.concatenate([self._due, [due]])
        self._left = np.concatenate([self._left, [total]])
        both = self._covered(np.array([wanted, total]))
        self.stalled_on_input += total - wanted - int(both[1] - both[0])
        self._count(len(self._taken))

    def _covered(self, until: Int64s) -> Int64s:
        """Cycles before each of ``until`` in which a word was due or left, as far as they are kept."""
        spans = self._left + 1 - self._due
        total = np.concatenate([[0], np.cumsum(spans)])
        place = np.searchsorted(self._left, until)  # those before it are over
        inside = np.zeros(len(until), np.int64)
        known = place < len(self._left)
        inside[known] = np.maximum(0, until[known] - self._due[place[known]])
        covered: Int64s = total[place] + inside
        return covered
