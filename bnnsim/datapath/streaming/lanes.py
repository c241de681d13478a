"""Units that make each word of one word from every input, lane by lane: one word at a time, or many."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.datapath.words import unpack_words

Folds = slice | Int64s
"""For each of some words in a row, which channels it holds, as an index into their parameters."""


class LaneDatapath:
    """Gives one word for each that it takes; ``folds`` words make a pixel."""

    def __init__(self, folds: int = 1) -> None:
        self.folds = folds
        self._fold = 0
        self._leaving: deque[int] = deque()

    def push(self, words: tuple[int, ...]) -> None:
        self.push_all([words])

    def push_all(self, words: Sequence[tuple[int, ...]]) -> None:
        first, end = self._fold, self._fold + len(words)
        folds = slice(first, end) if end <= self.folds else np.arange(first, end) % self.folds
        self._leaving.extend(self.compute(words, folds))
        self._fold = end % self.folds

    def pop(self) -> int:
        return self._leaving.popleft()

    def compute(self, words: Sequence[tuple[int, ...]], folds: Folds) -> list[int]:
        """What leaves for ``words``, one of every input each."""
        raise NotImplementedError


def elements_of(
    words: Sequence[tuple[int, ...]], port: int, lanes: int, element_bits: int, is_signed: bool
) -> Int64s:
    """The elements of one input's words, ``(words, lanes)``."""
    return unpack_words([one[port] for one in words], lanes, element_bits, is_signed)
