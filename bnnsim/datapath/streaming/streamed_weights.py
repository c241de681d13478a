"""The bits of a matrix that comes as a stream, and of the MVAU that multiplies with it."""

from __future__ import annotations

from collections import deque

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.datapath.words import element_values, pack_rows, unpack_words
from bnnsim.design.streaming.units import Mvau, WeightBuffer


class WeightBufferDatapath:
    """Keeps the words of a matrix, writes each element where its PE and lane find it, gives all again."""

    def __init__(self, buffer: WeightBuffer, element_bits: int) -> None:
        self._buffer = buffer
        self._bits = element_bits
        self._coming: list[int] = []
        self._leaving: deque[int] = deque()

    def push(self, words: tuple[int, ...]) -> None:
        self._coming.append(words[0])
        if len(self._coming) == self._buffer.words_in:
            self._leaving.extend(self._folded(self._coming) * self._buffer.pixels)
            self._coming = []

    def pop(self) -> int:
        return self._leaving.popleft()

    def _folded(self, words: list[int]) -> list[int]:
        """The words of weights for one vector of each group."""
        unit = self._buffer
        groups, nf, sf = unit.groups, unit.neuron_fold, unit.synapse_fold
        # Elements are moved as they are: no sign is looked at.
        elements = unpack_words(words, unit.in_lanes, self._bits, False)
        if unit.by_rows:  # rows, groups, columns
            parted = elements.reshape(nf, unit.pe, groups, sf, unit.simd).transpose(2, 0, 3, 1, 4)
        else:  # columns, groups, rows
            parted = elements.reshape(sf, unit.simd, groups, nf, unit.pe).transpose(2, 3, 0, 4, 1)
        return pack_rows(parted.reshape(unit.depth_words, unit.pe * unit.simd), self._bits)


class StreamedMvauDatapath:
    """Multiplies each vector with the weights that come beside it and after it."""

    def __init__(self, mvau: Mvau, input_bits: int, weight_bits: int) -> None:
        self._mvau = mvau
        self._bits = input_bits, weight_bits
        self._vector: list[int] = []
        self._values = np.zeros(0, np.int64)
        self._weights: list[int] = []
        self._fold = 0
        self._rows: dict[tuple[int, ...], Int64s] = {}
        self._leaving: deque[int] = deque()

    def push(self, words: tuple[int, ...]) -> None:
        unit = self._mvau
        self._weights.append(words[1])
        if self._fold == 0:
            self._vector.append(words[0])
        if len(self._weights) < unit.synapse_fold:
            return
        if self._fold == 0:
            self._values = self._values_of(self._vector)
            self._vector = []
        sums = self._rows_of(tuple(self._weights)) @ self._values
        self._leaving.extend(pack_rows(sums[None], unit.output_bits))
        self._weights = []
        self._fold = (self._fold + 1) % unit.neuron_fold

    def pop(self) -> int:
        return self._leaving.popleft()

    def _values_of(self, words: list[int]) -> Int64s:
        """What the elements of one vector mean, ``(columns,)``."""
        given = self._mvau.input_type
        elements = unpack_words(words, self._mvau.simd, self._bits[0], given.is_signed)
        return element_values(elements.reshape(-1), given).astype(np.int64)

    def _rows_of(self, words: tuple[int, ...]) -> Int64s:
        """The weights of a neuron fold ``(pe, columns)``; those of the last vectors are known."""
        unit = self._mvau
        if words not in self._rows:
            if len(self._rows) >= 2 * unit.groups * unit.neuron_fold:
                self._rows.clear()
            given = unit.weight_type
            elements = unpack_words(words, unit.pe * unit.simd, self._bits[1], given.is_signed)
            values = element_values(elements, given).astype(np.int64)
            by_row = values.reshape(unit.synapse_fold, unit.pe, unit.simd).transpose(1, 0, 2)
            self._rows[words] = np.ascontiguousarray(by_row.reshape(unit.pe, unit.matrix_width))
        return self._rows[words]
