"""The bits of residual activations worth integers: one word a level, the first (largest) level first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Int64s, Integers
from bnnsim.datapath.streaming.mvau import MvauDatapath, count_fired
from bnnsim.datapath.words import pack_rows, unpack_words
from bnnsim.design.streaming.units import Mvau


class LevelMvauDatapath(MvauDatapath):
    """An MVAU that reads levels worth integers, or puts them out.

    Each level of the input is multiplied with the same weight word, its sum counts ``in_means[l]``. How
    many thresholds fire is a number whose upper bit is the first level's sign, the next bit the next's.
    """

    def __init__(
        self,
        mvau: Mvau,
        weights: npt.NDArray[np.integer],
        thresholds: npt.NDArray[np.integer] | None,
        input_bits: int,
        in_means: Integers | None,
    ) -> None:
        """``in_means`` ``(levels in,)``, None where the input has no levels."""
        super().__init__(mvau, weights, thresholds, input_bits)
        self._in_means = None if in_means is None else in_means.tolist()
        self.words_a_vector = mvau.synapse_fold * mvau.levels_in

    def _sums(self, words: list[int]) -> Int64s:
        if self._in_means is None:
            return super()._sums(words)
        mvau = self.mvau
        total = np.zeros((mvau.neuron_fold, mvau.pe), np.int64)
        for level, mean in enumerate(self._in_means):
            has_zeros = self.input_bits > 1
            taken = unpack_words(words[level :: mvau.levels_in], mvau.simd, self.input_bits, has_zeros)
            signs = taken.reshape(-1).astype(self._matrix.dtype)
            products = self._matrix[self._group] @ (signs if has_zeros else 2 * signs - 1)
            total += products.astype(np.int64) * mean
        return total

    def _compute(self, words: list[int]) -> list[int]:
        mvau = self.mvau
        if not mvau.output_type.is_residual:
            return super()._compute(words)
        assert self._thresholds is not None
        fired = count_fired(self._sums(words), self._thresholds[self._group], mvau.compare)
        levels = [pack_rows(fired >> level & 1, 1) for level in reversed(range(mvau.levels_out))]
        return [word for fold in zip(*levels, strict=True) for word in fold]
