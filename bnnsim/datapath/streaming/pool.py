"""A pool's bits: words in, an accumulator a channel and window, words out."""

from __future__ import annotations

from collections import deque

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.datapath.words import element_values, pack_rows, unpack_word
from bnnsim.design.streaming.units import Pool


class PoolDatapath:
    """Largest (the OR of bipolar bits), majority, sum or mean of windows of ``lanes`` channels.

    Each accumulator is what its window has come to: a word of ORed bits, or numbers ``(lanes,)``.
    """

    def __init__(self, pool: Pool, element_bits: int, output_bits: int) -> None:
        self._pool = pool
        self._bits = element_bits
        self._output_bits = output_bits
        self._is_or = pool.function == "max" and pool.type.is_bipolar
        self._taken = 0  # words of the frame
        self._words: dict[tuple[int, int], int] = {}
        self._numbers: dict[tuple[int, int], Int64s] = {}
        self._leaving: deque[int] = deque()

    def push(self, words: tuple[int, ...]) -> None:
        pool = self._pool
        position, fold = divmod(self._taken, pool.channel_fold)
        self._taken = (self._taken + 1) % pool.words_in
        row, column = divmod(position, pool.width)
        place = column // pool.kernel[1]
        if row >= pool.height - pool.height % pool.kernel[0] or place >= pool.columns:
            return
        tap_row, tap_column = row % pool.kernel[0], column % pool.kernel[1]
        is_first = tap_row == tap_column == 0
        is_last = (tap_row, tap_column) == (pool.kernel[0] - 1, pool.kernel[1] - 1)
        key = place, fold
        if self._is_or:
            self._words[key] = words[0] | (0 if is_first else self._words[key])
            if is_last:
                self._leaving.append(self._words.pop(key))
            return
        raw = unpack_word(words[0], pool.lanes, self._bits, pool.type.is_signed)
        number = element_values(raw, pool.type)
        if not is_first:
            earlier = self._numbers[key]
            number = np.maximum(earlier, number) if pool.function == "max" else earlier + number
        self._numbers[key] = number
        if is_last:
            self._leaving.append(pack_rows(self._pooled(number)[None], self._output_bits)[0])

    def pop(self) -> int:
        return self._leaving.popleft()

    def _pooled(self, found: Int64s) -> Int64s:
        """What leaves of a window's accumulators."""
        pool = self._pool
        if pool.function == "majority":
            fires: Int64s = (found > 0 if pool.compare == ">" else found >= 0).astype(np.int64)
            return fires
        if not pool.is_mean:
            return found
        return mean_of(found, pool)


def mean_of(sums: Int64s, pool: Pool) -> Int64s:
    """Means of a window's sums ``(lanes,)``, statement by statement in integers that cannot overflow."""
    given, to = pool.type.fraction_bits, pool.output_type
    finer = max(0, to.fraction_bits - given)
    means = []
    for one in sums.tolist():
        total = one << finer
        if pool.function == "rounded_mean":
            mean = (2 * total + pool.taps) // (2 * pool.taps)
        else:
            mean = abs(total) // pool.taps * (1 if total >= 0 else -1)
        dropped = given + finer - to.fraction_bits
        if dropped:
            mean = (mean + (1 << (dropped - 1))) >> dropped
        means.append(min(max(mean, to.minimum), to.maximum))
    return np.array(means, np.int64)
