"""The bits of residual activations: one word a level, the first (largest) level first.

Arithmetic of ReBNet (mohaghasemzadeh/ReBNet, bnn/src/library/hls): 24-bit accumulators with 8 bits
behind the point that wrap; products lose what lies below, towards minus infinity.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np

from bnnsim.arrays import Int64s, Integers
from bnnsim.datapath.streaming.mvau import packed_rows, rows_by_pe
from bnnsim.datapath.words import element_values, joined_word, pack_rows, unpack_words
from bnnsim.design.network.tensor import RESIDUAL_SUM
from bnnsim.design.streaming.units import Mvau, Pool


class ResidualMvauDatapath:
    """An MVAU that reads or puts out residual activations.

    Each level of the input is multiplied with the same weight word, the matches of level l count
    ``in_means[l]``. With an activation, ``alpha * sum + bias`` is signed, moved towards zero by the
    level's ``out_means`` and signed again, a word a level. ``values`` by name: ``weights``,
    ``in_means`` (residual input), ``alpha``, ``bias`` and ``out_means`` (residual output).
    """

    def __init__(self, mvau: Mvau, values: Mapping[str, Integers], input_bits: int) -> None:
        self.mvau = mvau
        self.leaving: deque[int] = deque()
        self._input_bits = input_bits
        self._words: list[int] = []
        self._group = 0
        rows = rows_by_pe(mvau, values["weights"])
        self._octets = -(-mvau.matrix_width // 64) * 8
        self._rows = packed_rows(rows)
        # Sums stay far below 2**53, where double precision is exact integer arithmetic.
        self._signs = (rows.astype(np.float64) * 2 - 1) if not mvau.input_type.is_residual else None
        self._in_means = values["in_means"].tolist() if mvau.input_type.is_residual else []
        self._out_means = values["out_means"].tolist() if mvau.output_type.is_residual else []
        if self._out_means:
            shape = (mvau.groups, mvau.neuron_fold, mvau.pe)
            self._alpha = values["alpha"].astype(np.int64).reshape(shape)
            self._bias = values["bias"].astype(np.int64).reshape(shape)

    def push(self, words: tuple[int, ...]) -> None:
        mvau = self.mvau
        self._words.append(words[0])
        if len(self._words) == mvau.synapse_fold * mvau.levels_in:
            self.leaving.extend(self._compute())
            self._words = []
            self._group = (self._group + 1) % mvau.groups

    def pop(self) -> int:
        return self.leaving.popleft()

    def _sums(self) -> Int64s:
        """The accumulators ``(neuron_fold, pe)`` of the buffered vector."""
        mvau = self.mvau
        total = np.zeros((mvau.neuron_fold, mvau.pe), np.int64)
        if self._signs is not None:
            given = mvau.input_type
            elements = unpack_words(self._words, mvau.simd, self._input_bits, given.is_signed)
            values = element_values(elements.reshape(-1), given)
            products = self._signs[self._group] @ values.astype(np.float64)
            return wrapped(products.astype(np.int64) << RESIDUAL_SUM.fraction_bits - given.fraction_bits)
        for level, mean in enumerate(self._in_means):
            vector = joined_word(self._words[level :: mvau.levels_in], mvau.simd * self._input_bits)
            bits = np.frombuffer(vector.to_bytes(self._octets, "little"), "<u8")
            differing = np.bitwise_count(self._rows[self._group] ^ bits).sum(axis=-1, dtype=np.int64)
            total = wrapped(total + (mvau.matrix_width - differing) * mean)
        return total

    def _compute(self) -> list[int]:
        rest = self._sums()
        if not self._out_means:
            return pack_rows(rest, self.mvau.output_bits)
        point = RESIDUAL_SUM.fraction_bits
        alpha, bias = self._alpha[self._group], self._bias[self._group]
        rest = wrapped((alpha * rest + (bias << point)) >> point)
        levels = []
        for mean in self._out_means:
            fires = rest > 0
            levels.append(pack_rows(fires.astype(np.int64), 1))
            rest = wrapped(np.where(fires, rest - mean, rest + mean))
        return [word for fold in zip(*levels, strict=True) for word in fold]


def wrapped(values: Int64s) -> Int64s:
    """Values as an accumulator of :data:`RESIDUAL_SUM` holds them."""
    unused = 64 - RESIDUAL_SUM.bits
    return values << unused >> unused


class ResidualPoolDatapath:
    """The largest activation of each window, found level by level as the words come in.

    An activation is out of the running once its sign lacks what another one's has.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._ones = (1 << pool.lanes) - 1
        self._taken = 0  # words of the frame
        self._words: list[int] = []
        self._running: dict[int, list[int]] = {}  # by fold
        self._leaving: deque[int] = deque()

    def push(self, words: tuple[int, ...]) -> None:
        pool = self._pool
        self._taken = self._taken % pool.words_in + 1
        if self._taken > pool.words_pooled:
            return
        self._words.append(words[0])
        height, width = pool.kernel
        pixel, word = divmod(len(self._words) - 1, pool.pixel_words)
        row, column = divmod(pixel, pool.width)
        if row == height - 1 and column % width == width - 1:
            self._leaving.append(self._largest(column + 1 - width, *divmod(word, pool.levels)))
        if len(self._words) == pool.width * height * pool.pixel_words:
            self._words.clear()

    def pop(self) -> int:
        return self._leaving.popleft()

    def _largest(self, column: int, fold: int, level: int) -> int:
        """The level's bit of the largest activation of each of a fold's channels in the window at
        ``column``."""
        pool = self._pool
        height, width = pool.kernel
        window = [
            self._words[
                (row * pool.width + column + k) * pool.pixel_words + fold * pool.levels + level
            ]
            for row in range(height)
            for k in range(width)
        ]
        if level == 0:
            self._running[fold] = [self._ones] * len(window)
        running = self._running[fold]
        largest = 0
        for word, alive in zip(window, running, strict=True):
            largest |= word & alive
        self._running[fold] = [
            alive & ~(largest ^ word) for word, alive in zip(window, running, strict=True)
        ]
        return largest
