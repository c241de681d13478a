"""What flows between the layers of the executor: packed bits, or integers.

Maps are channel-major, so that a kernel copies a row of many windows' taps at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.functional.kernels.maps import pack_planes, unpack_planes
from bnnsim.functional.tensors.elements import integer_dtype
from bnnsim.functional.tensors.packing import words_for
from bnnsim.spec.value_type import ValueType


@dataclass(frozen=True)
class PackedMap:
    """A bipolar map: uint64 ``(ceil(channels / 64), frames, height, width)``, zero tails."""

    words: NDArray[np.uint64]
    channels: int

    def elements(self) -> NDArray[np.uint8]:
        """Bits {0,1}, ``(frames, channels, height, width)``."""
        return self._bits().transpose(1, 0, 2, 3)

    def integers(self) -> NDArray[np.int32]:
        """Values {-1,+1}, ``(channels, frames, height, width)``."""
        values = self._bits().astype(np.int32)
        values *= 2
        values -= 1
        return values

    def _bits(self) -> NDArray[np.uint8]:
        bits = np.empty((self.channels, *self.words.shape[1:]), np.uint8)
        unpack_planes(self.words.reshape(len(self.words), -1), bits.reshape(self.channels, -1))
        return bits

    def pixel_words(self) -> NDArray[np.uint64]:
        """Each pixel's words, ``(frames, height, width, ceil(channels / 64))``."""
        return np.ascontiguousarray(self.words.transpose(1, 2, 3, 0))


@dataclass(frozen=True)
class IntegerMap:
    """A map of integers: int32 or int64 ``(channels, frames, height, width)``; which of the two,
    :func:`~bnnsim.functional.tensors.elements.integer_dtype` says."""

    values: Integers

    @property
    def channels(self) -> int:
        return int(self.values.shape[0])

    def elements(self) -> Integers:
        """Values, ``(frames, channels, height, width)``."""
        return self.values.transpose(1, 0, 2, 3)

    def integers(self) -> Integers:
        """Values, ``(channels, frames, height, width)``."""
        return self.values


FeatureMap = PackedMap | IntegerMap


def from_frames(frames: Integers, value_type: ValueType) -> FeatureMap:
    """Frames ``(frames, channels, height, width)`` of elements (bits where bipolar) as a map."""
    if value_type.is_bipolar:
        return from_bits(frames.astype(np.uint8, copy=False))
    return IntegerMap(np.ascontiguousarray(frames.transpose(1, 0, 2, 3), integer_dtype(value_type)))


def from_bits(bits: NDArray[np.uint8]) -> PackedMap:
    """Bits ``(frames, channels, height, width)`` as a map."""
    frames, channels, height, width = bits.shape
    words = np.empty((words_for(channels), frames, height * width), np.uint64)
    pack_planes(np.ascontiguousarray(bits).reshape(frames, channels, -1), words)
    return PackedMap(words.reshape(-1, frames, height, width), channels)


def concatenated(maps: list[FeatureMap]) -> FeatureMap:
    """Maps joined along the channels, first map first; all packed or all integers."""
    if all(isinstance(one, IntegerMap) for one in maps):
        return IntegerMap(np.concatenate([one.integers() for one in maps], axis=0))
    return from_bits(np.concatenate([one.elements() for one in maps], axis=1))
