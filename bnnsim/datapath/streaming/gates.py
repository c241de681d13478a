"""The bits of products of two streams and of repeated maps."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.datapath.streaming.lanes import Folds, LaneDatapath, elements_of
from bnnsim.datapath.words import element_values, pack_rows, unpack_word
from bnnsim.design.streaming.units import Lookup, Multiply, Repeat


class MultiplyDatapath(LaneDatapath):
    """Multiplies the elements of one word from both inputs."""

    def __init__(self, multiply: Multiply) -> None:
        super().__init__()
        self._multiply = multiply

    def compute(self, words: Sequence[tuple[int, ...]], folds: Folds) -> list[int]:
        unit = self._multiply
        product = np.ones((len(words), unit.lanes), np.int64)
        for port, (value_type, bits) in enumerate(zip(unit.input_types, unit.input_bits, strict=True)):
            elements = elements_of(words, port, unit.lanes, bits, value_type.is_signed)
            product *= element_values(elements, value_type)
        return pack_rows(product, unit.output_bits)


class LookupDatapath(LaneDatapath):
    """A table of values and rises, and the way through a piece."""

    def __init__(self, unit: Lookup, values: Integers) -> None:
        super().__init__()
        self._unit = unit
        ends = [int(one) for one in values]
        self._pieces = [(a, b - a) for a, b in pairwise(ends)]

    def compute(self, words: Sequence[tuple[int, ...]], folds: Folds) -> list[int]:
        unit = self._unit
        elements = elements_of(words, 0, unit.pe, unit.input_bits, unit.input_type.is_signed)
        values = element_values(elements, unit.input_type)
        found = [[self._value(x) for x in row] for row in values.tolist()]
        return pack_rows(np.array(found), unit.output_type.bits)

    def _value(self, x: int) -> int:
        shift = self._unit.shift_bits
        place = min(max(x - self._unit.low, 0), (len(self._pieces) << shift) - 1)
        value, rise = self._pieces[place >> shift]
        rest = place & ((1 << shift) - 1)
        return value + ((rise * rest + ((1 << shift) >> 1)) >> shift)


class RepeatDatapath:
    """Keeps a map's words and gives them again and again, or zeros between them.

    Asking for a word that has not come in yet raises ``IndexError``: the program would be wrong.
    """

    def __init__(self, repeat: Repeat, element_bits: int) -> None:
        self._repeat = repeat
        self._bits = element_bits
        self._order = _sources(repeat)
        self._maps: deque[list[int]] = deque([[]])
        self._position = 0

    def push(self, words: tuple[int, ...]) -> None:
        if len(self._maps[-1]) == self._repeat.words_in:
            self._maps.append([])
        self._maps[-1].append(self._shaped(words[0]))

    def pop(self) -> int:
        if self._position == len(self._order):
            self._position = 0
            self._maps.popleft()
        source = self._order[self._position]
        self._position += 1
        return 0 if source < 0 else self._maps[0][source]

    def _shaped(self, word: int) -> int:
        """A word as it goes out: the only channel in every lane, bits as -1 and +1."""
        unit = self._repeat
        if unit.times > 1:
            word = sum(word << i * self._bits for i in range(unit.lanes))
        if not unit.widens_bits:
            return word
        bits = unpack_word(word, unit.lanes, 1, False)
        return pack_rows((2 * bits - 1)[None], 2)[0]


def _sources(repeat: Repeat) -> list[int]:
    """Which word in each word out is, -1 where it is zeros."""
    along = []
    for counts in (repeat.row_counts, repeat.column_counts):
        places = np.repeat(np.arange(len(counts)), counts)
        is_copy = np.concatenate([[False], places[1:] == places[:-1]])
        along.append(np.where(is_copy & repeat.zeros, -1, places))
    rows, columns = along[0][:, None], along[1][None]
    pixels = np.where((rows < 0) | (columns < 0), -1, rows * len(repeat.column_counts) + columns)
    words = (
        np.arange(repeat.pixel_words_out)
        if repeat.times == 1
        else np.zeros(repeat.pixel_words_out, np.int64)
    )
    found = np.where(pixels[..., None] < 0, -1, pixels[..., None] * repeat.pixel_words_in + words)
    return [int(one) for one in found.reshape(-1)]
