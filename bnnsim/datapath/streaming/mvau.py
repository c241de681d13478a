"""The MVAU's bits: words in, folded weight and threshold memories, words out."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Int64s
from bnnsim.datapath.words import element_values, joined_word, pack_rows, unpack_words
from bnnsim.design.streaming.units import Mvau
from bnnsim.functional.tensors.codebook import codebook_of


def weight_memory(mvau: Mvau, weights: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """The weight memories' contents, ``(groups, neuron_fold, synapse_fold, pe, simd)``.

    ``weights`` is ``(out, in_channels / groups, kernel_height, kernel_width)`` or ``(out, in)``.
    Row ``nf * pe + p`` of the matrix belongs to PE p in neuron fold nf; columns run kernel row, kernel
    column, channel (within blocks of ``channel_block`` channels).
    """
    folded = _matrix(mvau, weights).reshape(
        mvau.groups, mvau.neuron_fold, mvau.pe, mvau.synapse_fold, mvau.simd
    )
    return np.ascontiguousarray(folded.transpose(0, 1, 3, 2, 4))


def kernel_memories(
    mvau: Mvau, weights: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
    """The codebook ``(2 ** number_bits, taps)``, and the memories of kernels' numbers in the shape of
    :func:`weight_memory`, of a convolution whose taps come from the codebook."""
    book, numbers = codebook_of(weights)
    filled = np.zeros((1 << mvau.number_bits, mvau.taps), np.int64)
    filled[: len(book)] = book
    one_tap = replace(mvau, matrix_width=mvau.matrix_width // mvau.taps)
    return filled, weight_memory(one_tap, numbers[:, :, None, None])


def _matrix(mvau: Mvau, weights: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """Weights ``(rows, columns)`` in the order in which the memories hold them."""
    rows = mvau.groups * mvau.matrix_height
    if weights.ndim == 4:
        channels = weights.shape[1]
        blocks = channels // mvau.channel_block
        columns = weights.transpose(0, 2, 3, 1).reshape(rows, -1, blocks, mvau.channel_block)
        matrix = columns.transpose(0, 2, 1, 3).reshape(rows, mvau.matrix_width)
    else:
        matrix = weights
    return matrix


def threshold_memory(mvau: Mvau, thresholds: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """The threshold memories' contents, ``(groups, neuron_fold, pe, thresholds)``."""
    return thresholds.reshape(mvau.groups, mvau.neuron_fold, mvau.pe, mvau.thresholds)


def rows_by_pe(mvau: Mvau, weights: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """PE p's words of neuron fold nf, side by side: ``(groups, neuron_fold, pe, columns)``."""
    shape = (mvau.groups, mvau.neuron_fold, mvau.pe, mvau.matrix_width)
    return _matrix(mvau, weights).reshape(shape)


def packed_rows(rows: npt.NDArray[np.integer]) -> npt.NDArray[np.uint64]:
    """Bits ``(..., columns)`` as uint64 ``(..., ceil(columns / 64))``, the tail zero."""
    octets = np.packbits(rows.astype(np.uint8), axis=-1, bitorder="little")
    padded = np.zeros((*octets.shape[:-1], -(-rows.shape[-1] // 64) * 8), np.uint8)
    padded[..., : octets.shape[-1]] = octets
    return padded.view("<u8")


def _exact_float(mvau: Mvau) -> type[np.floating]:
    """The smallest floating-point number in which every sum, and each part of one, is exact."""
    largest = max(abs(mvau.input_type.minimum), abs(mvau.input_type.maximum))
    heaviest = max(abs(mvau.weight_type.minimum), abs(mvau.weight_type.maximum))
    # Sums stay far below 2**53, where double precision is exact integer arithmetic.
    return np.float32 if mvau.matrix_width * largest * heaviest < 1 << 24 else np.float64


class MvauDatapath:
    """Computes each input vector against the memories of every fold.

    ``weights`` and ``thresholds`` as in the weights file; thresholds may be None for raw sums.
    """

    def __init__(
        self,
        mvau: Mvau,
        weights: npt.NDArray[np.integer],
        thresholds: npt.NDArray[np.integer] | None,
        input_bits: int,
    ) -> None:
        self.mvau = mvau
        self.input_bits = input_bits
        self.leaving: deque[int] = deque()
        self.words_a_vector = mvau.synapse_fold
        self._words: list[int] = []
        self._group = 0
        by_pe = rows_by_pe(mvau, weights)
        if mvau.is_binary and mvau.group_lanes == 1:
            self._octets = -(-mvau.matrix_width // 64) * 8
            self._rows = packed_rows(by_pe)
        else:
            self._matrix = by_pe.astype(_exact_float(mvau))
            if mvau.weight_type.is_bipolar:
                self._matrix *= 2
                self._matrix -= 1
        self._thresholds = (
            None
            if thresholds is None or not mvau.thresholds
            else threshold_memory(mvau, thresholds.astype(np.int64, copy=False))
        )

    def push(self, words: tuple[int, ...]) -> None:
        self._words.append(words[0])
        if len(self._words) == self.words_a_vector:
            self.leaving.extend(self._compute(self._words))
            self._words = []
            self._group = (self._group + 1) % self.mvau.groups

    def pop(self) -> int:
        return self.leaving.popleft()

    def _sums(self, words: list[int]) -> npt.NDArray[np.int64]:
        """The accumulators ``(neuron_fold, pe)`` of one input vector."""
        mvau = self.mvau
        if mvau.group_lanes > 1:
            return self._sums_side_by_side(words)
        if mvau.is_binary:
            vector = joined_word(words, mvau.in_lanes)
            bits = np.frombuffer(vector.to_bytes(self._octets, "little"), "<u8")
            differing = np.bitwise_count(self._rows[self._group] ^ bits).sum(axis=-1, dtype=np.int64)
            matching: Int64s = mvau.matrix_width - differing
            return matching if mvau.accumulator == "popcount" else 2 * matching - mvau.matrix_width
        sums: Int64s = (self._matrix[self._group] @ self._values(words)).astype(np.int64)
        return sums

    def _values(self, words: list[int]) -> npt.NDArray[np.floating]:
        """What the elements of one input vector mean, ``(elements,)``."""
        given = self.mvau.input_type
        elements = unpack_words(words, self.mvau.in_lanes, self.input_bits, given.is_signed)
        return element_values(elements.reshape(-1), given).astype(self._matrix.dtype)

    def _sums_side_by_side(self, words: list[int]) -> npt.NDArray[np.int64]:
        """The same where each group has PEs of its own."""
        mvau = self.mvau
        values = self._values(words)
        # words, pixels of a word, groups, channels of a group -> groups, columns
        parted = values.reshape(-1, mvau.group_lanes, mvau.channel_block)
        columns = parted.transpose(1, 0, 2).reshape(mvau.group_lanes, mvau.matrix_width)
        own = np.repeat(columns, mvau.pe // mvau.group_lanes, axis=0)
        sums: Int64s = (self._matrix[self._group] * own).sum(axis=-1).astype(np.int64)
        if mvau.accumulator == "popcount":
            return (sums + mvau.matrix_width) // 2
        return sums

    def _compute(self, words: list[int]) -> list[int]:
        sums = self._sums(words)
        if self._thresholds is None:
            return pack_rows(sums, self.mvau.output_bits)
        fired = count_fired(sums, self._thresholds[self._group], self.mvau.compare)
        return pack_rows(fired + self.mvau.lowest, self.mvau.output_bits)


def count_fired(
    sums: npt.NDArray[np.int64], thresholds: npt.NDArray[np.int64], compare: str
) -> npt.NDArray[np.int64]:
    """How many of the thresholds ``(..., n)`` fire for each of ``sums`` ``(...)``."""
    spread = sums[..., None]
    fired = spread > thresholds if compare == ">" else spread >= thresholds
    count: Int64s = fired.sum(axis=-1, dtype=np.int64)
    return count
