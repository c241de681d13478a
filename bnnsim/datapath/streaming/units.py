"""The bits of all units but the MVAU: each takes the words it reads and gives the words it writes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Int64s
from bnnsim.datapath.streaming.lanes import Folds, LaneDatapath, elements_of
from bnnsim.datapath.streaming.mvau import count_fired
from bnnsim.datapath.words import element_values, joined_word, pack_rows, parted_word, unpack_word
from bnnsim.design.streaming.units import Add, Concat, Converter, Padding, Scale, Threshold, Window
from bnnsim.design.streaming.window_order import window_order


class SourceDatapath:
    """Gives the words of the frames, in order."""

    def __init__(self, words: Iterable[int]) -> None:
        self._words: Iterator[int] = iter(words)

    def push(self, words: tuple[int, ...]) -> None:
        raise AssertionError("a frame source reads nothing")

    def pop(self) -> int:
        return next(self._words)


class SinkDatapath:
    """Keeps what it takes."""

    def __init__(self) -> None:
        self.words: list[int] = []

    def push(self, words: tuple[int, ...]) -> None:
        self.words.append(words[0])

    def pop(self) -> int:
        raise AssertionError("a frame sink writes nothing")


class ConverterDatapath:
    """Cuts words up, lowest bits first, or puts them together; the levels of an activation in turn."""

    def __init__(self, converter: Converter, element_bits: int) -> None:
        self._ratio = converter.ratio
        self._narrows = converter.narrows
        lanes = min(converter.in_lanes, converter.out_lanes)
        self._bits = lanes * element_bits
        self._leaving: deque[int] = deque()
        self._levels = converter.levels
        self._taken: list[int] = []
        self._parted: list[list[int]] = []

    def push(self, words: tuple[int, ...]) -> None:
        if self._narrows:
            self._cut_up(words[0])
            return
        self._taken.append(words[0])
        level = len(self._taken) - (self._ratio - 1) * self._levels
        if level > 0:
            self._leaving.append(joined_word(self._taken[level - 1 :: self._levels], self._bits))
        if level == self._levels:
            self._taken = []

    def _cut_up(self, word: int) -> None:
        """The first word of each level leaves at once, the others in turn behind that of the last."""
        parts = parted_word(word, self._bits, self._ratio)
        self._leaving.append(parts[0])
        self._parted.append(parts)
        if len(self._parted) == self._levels:
            rest = zip(*[parts[1:] for parts in self._parted], strict=True)
            self._leaving.extend(part for turn in rest for part in turn)
            self._parted = []

    def pop(self) -> int:
        return self._leaving.popleft()


class PaddingDatapath:
    """Passes a map's words and puts border words around them."""

    def __init__(self, padding: Padding, element_bits: int, is_bipolar: bool) -> None:
        self._lanes = padding.lanes if padding.widens_bits else 0
        bit_or_value = (padding.value + 1) // 2 if is_bipolar else padding.value
        if padding.widens_bits:
            bit_or_value, element_bits = 0, 2
        row = np.full((1, padding.lanes), bit_or_value, np.int64)
        self._border_word = pack_rows(row, element_bits)[0]
        inside = np.zeros((padding.out_height, padding.out_width), bool)
        top, left, _, _ = padding.border
        inside[top : top + padding.height, left : left + padding.width] = True
        self._inside: list[bool] = np.repeat(inside.reshape(-1), padding.channel_fold).tolist()
        self._position = 0
        self._waiting: deque[int] = deque()

    def push(self, words: tuple[int, ...]) -> None:
        word = words[0]
        if self._lanes:
            bits = unpack_word(word, self._lanes, 1, False)
            word = pack_rows((2 * bits - 1)[None], 2)[0]
        self._waiting.append(word)

    def pop(self) -> int:
        inside = self._inside[self._position]
        self._position = (self._position + 1) % len(self._inside)
        return self._waiting.popleft() if inside else self._border_word


class WindowDatapath:
    """Buffers a map's words and shows them window by window.

    Asking for a word that has not come in yet raises ``IndexError``: the program would be wrong.
    """

    def __init__(self, window: Window, element_bits: int) -> None:
        self._order: list[int] = window_order(window).reshape(-1).tolist()
        self._together = window.window_pixels if window.writes_whole_windows else 1
        self._bits = window.lanes * element_bits
        self._frame_words = window.words_in
        self._maps: deque[list[int]] = deque([[]])
        self._position = 0

    def push(self, words: tuple[int, ...]) -> None:
        if len(self._maps[-1]) == self._frame_words:
            self._maps.append([])
        self._maps[-1].append(words[0])

    def pop(self) -> int:
        if self._position == len(self._order):
            self._position = 0
            self._maps.popleft()
        shown = self._order[self._position : self._position + self._together]
        self._position += self._together
        return joined_word([self._maps[0][place] for place in shown], self._bits)


class ThresholdDatapath(LaneDatapath):
    """Thresholds of each channel in turn, ``pe`` channels a word."""

    def __init__(self, unit: Threshold, thresholds: npt.NDArray[np.integer]) -> None:
        super().__init__(unit.channels // unit.pe)
        self._unit = unit
        self._thresholds = thresholds.astype(np.int64).reshape(self.folds, unit.pe, unit.thresholds)

    def compute(self, words: Sequence[tuple[int, ...]], folds: Folds) -> list[int]:
        unit = self._unit
        sums = elements_of(words, 0, unit.pe, unit.input_bits, unit.input_type.is_signed)
        fired = count_fired(sums, self._thresholds[folds], unit.compare)
        return pack_rows(fired + unit.lowest, unit.output_type.bits)


class ScaleDatapath(LaneDatapath):
    """Fixed-point numbers of each channel in turn, ``pe`` channels a word."""

    def __init__(self, unit: Scale, values: Mapping[str, npt.NDArray[np.integer]]) -> None:
        super().__init__(unit.channels // unit.pe)
        self._unit = unit
        self._values = {
            key: array.astype(np.int64).reshape(self.folds, unit.pe) for key, array in values.items()
        }

    def compute(self, words: Sequence[tuple[int, ...]], folds: Folds) -> list[int]:
        unit = self._unit
        x = elements_of(words, 0, unit.pe, unit.input_bits, unit.input_type.is_signed)
        if unit.input_type.is_bipolar:
            x = 2 * x - 1
        numbers = {key: array[folds] for key, array in self._values.items()}
        if unit.shift_bits is not None:
            value = self._shifted(x, numbers["scale"], unit.shift_bits) + numbers["bias"]
        else:
            value = self._in_one_format(x, numbers)
        value = np.clip(value, unit.output_type.minimum, unit.output_type.maximum).astype(np.int64)
        return pack_rows(value, unit.output_type.bits)

    def _in_one_format(self, x: Int64s, numbers: Mapping[str, Int64s]) -> Int64s:
        unit = self._unit
        if unit.input_bits + 2 * unit.multiplier_type.bits > 60:  # wider than an int64 with room
            x, numbers = x.astype(object), {key: array.astype(object) for key, array in numbers.items()}
        behind_point = unit.multiplier_type.fraction_bits
        if unit.function == "affine":
            wide = x * numbers["scale"] + (numbers["bias"] << unit.input_type.fraction_bits)
        else:
            wide = np.where(x < 0, x * numbers["slope"], x << behind_point)
        drop = unit.input_type.fraction_bits + behind_point - unit.output_type.fraction_bits
        return (wide + ((1 << drop) >> 1)) >> drop if drop >= 0 else wide << -drop

    @staticmethod
    def _shifted(x: Int64s, scale: Int64s, shift_bits: int) -> Int64s:
        """Products as wide as they come, shifted right, halves up."""
        half = (1 << shift_bits) >> 1
        products = x.astype(object) * scale.astype(object)
        return np.array((products + half) >> shift_bits, np.int64)


class SplitDatapath:
    """Passes words on."""

    def __init__(self) -> None:
        self._leaving: deque[int] = deque()

    def push(self, words: tuple[int, ...]) -> None:
        self._leaving.append(words[0])

    def pop(self) -> int:
        return self._leaving.popleft()


class AddDatapath(LaneDatapath):
    """Adds the elements of one word from every input."""

    def __init__(self, add: Add) -> None:
        super().__init__()
        self._add = add

    def compute(self, words: Sequence[tuple[int, ...]], folds: Folds) -> list[int]:
        add = self._add
        total = np.zeros((len(words), add.lanes), np.int64)
        for port, (value_type, bits) in enumerate(zip(add.input_types, add.input_bits, strict=True)):
            elements = elements_of(words, port, add.lanes, bits, value_type.is_signed)
            total += element_values(elements, value_type)
        return pack_rows(total, add.output_bits)


class ConcatDatapath:
    """Puts one pixel of every input side by side, or a word of one after the other, its elements as wide
    as the widest."""

    def __init__(self, concat: Concat) -> None:
        self._bits = concat.element_bits
        lanes = concat.input_channels if concat.pe is None else (concat.pe,) * len(concat.input_bits)
        self._inputs = list(zip(lanes, concat.input_bits, concat.is_signed, strict=True))
        self._turns = np.repeat(np.arange(len(lanes)), concat.turns).tolist() if concat.pe else []
        self._turn = 0
        self._leaving: deque[int] = deque()

    def push(self, words: tuple[int, ...]) -> None:
        if self._turns:
            place = self._turns[self._turn]
            self._turn = (self._turn + 1) % len(self._turns)
            self._leaving.append(self._extended(words[place], *self._inputs[place]))
            return
        result, shift = 0, 0
        for word, (channels, bits, is_signed) in zip(words, self._inputs, strict=True):
            result |= self._extended(word, channels, bits, is_signed) << shift
            shift += channels * self._bits
        self._leaving.append(result)

    def _extended(self, word: int, channels: int, bits: int, is_signed: bool) -> int:
        if bits == self._bits:
            return word
        return pack_rows(unpack_word(word, channels, bits, is_signed)[None], self._bits)[0]

    def pop(self) -> int:
        return self._leaving.popleft()
