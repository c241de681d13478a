"""Compiled kernels on whole maps: pools, and thresholds without weights.

Maps are channel-major: packed uint64 ``(words, frames, height, width)``, or int32/int64 ``(channels,
frames, height, width)``. A pool does the planes (one frame of one word or channel) ``first`` to ``last
- 1``, counted through all words or channels. All release the interpreter's lock.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnnsim.arrays import Integers, Words
from bnnsim.arrays.jit import njit


@njit(cache=True, nogil=True)
def pack_planes(bits: NDArray[np.uint8], words: Words) -> None:
    """Bits {0,1} ``(frames, channels, height * width)`` into ``(words, frames, height * width)``."""
    for word in range(words.shape[0]):
        for frame in range(words.shape[1]):
            target = words[word, frame]
            target[:] = 0
            for channel in range(word * 64, min(word * 64 + 64, bits.shape[1])):
                source, shift = bits[frame, channel], np.uint64(channel % 64)
                for pixel in range(target.shape[0]):
                    target[pixel] |= np.uint64(source[pixel]) << shift


@njit(cache=True, nogil=True)
def unpack_planes(words: Words, bits: NDArray[np.uint8]) -> None:
    """The channels' bits {0,1}: ``(words, pixels)`` into ``(channels, pixels)``."""
    for channel in range(bits.shape[0]):
        source, shift = words[channel // 64], np.uint64(channel % 64)
        target = bits[channel]
        for pixel in range(target.shape[0]):
            target[pixel] = (source[pixel] >> shift) & np.uint64(1)


@njit(cache=True, nogil=True)
def max_pool_words(
    x: Words,
    kernel_height: int,
    kernel_width: int,
    row_stride: int,
    column_stride: int,
    out: Words,
    first: int,
    last: int,
) -> None:
    """The OR of each window: a maximum, bit 1 being the larger value."""
    for plane in range(first, last):
        source = x[plane // x.shape[1], plane % x.shape[1]]
        target = out[plane // x.shape[1], plane % x.shape[1]]
        target[:] = 0
        for row in range(target.shape[0]):
            for y in range(kernel_height):
                for z in range(kernel_width):
                    for column in range(target.shape[1]):
                        target[row, column] |= source[row * row_stride + y, column * column_stride + z]


@njit(cache=True, nogil=True)
def max_pool_values(
    x: Integers,
    kernel_height: int,
    kernel_width: int,
    row_stride: int,
    column_stride: int,
    out: Integers,
    first: int,
    last: int,
) -> None:
    """The maximum of each window."""
    for plane in range(first, last):
        source = x[plane // x.shape[1], plane % x.shape[1]]
        target = out[plane // x.shape[1], plane % x.shape[1]]
        for row in range(target.shape[0]):
            for column in range(target.shape[1]):
                target[row, column] = source[row * row_stride, column * column_stride]
            for y in range(kernel_height):
                for z in range(kernel_width):
                    for column in range(target.shape[1]):
                        value = source[row * row_stride + y, column * column_stride + z]
                        target[row, column] = max(target[row, column], value)


@njit(cache=True, nogil=True)
def majority_pool_words(
    x: Words,
    kernel_height: int,
    kernel_width: int,
    row_stride: int,
    column_stride: int,
    least: int,
    out: Words,
    first: int,
    last: int,
) -> None:
    """Bit 1 where at least ``least`` (1 or more) bits of the window are 1."""
    counts = np.zeros(64, np.int64)
    for plane in range(first, last):
        source = x[plane // x.shape[1], plane % x.shape[1]]
        target = out[plane // x.shape[1], plane % x.shape[1]]
        for row in range(target.shape[0]):
            for column in range(target.shape[1]):
                counts[:] = 0
                for y in range(kernel_height):
                    for z in range(kernel_width):
                        word = source[row * row_stride + y, column * column_stride + z]
                        for lane in range(64):
                            counts[lane] += np.int64((word >> np.uint64(lane)) & np.uint64(1))
                majority = np.uint64(0)
                for lane in range(64):
                    majority |= np.uint64(counts[lane] >= least) << np.uint64(lane)
                target[row, column] = majority


@njit(cache=True, nogil=True)
def threshold_bits(x: Integers, thresholds: Integers, bits: Words, first: int, last: int) -> None:
    """Bits of the words ``first`` to ``last - 1``: 1 where value >= the channel's threshold.

    ``x`` ``(channels, pixels)``, ``thresholds`` ``(channels,)``, ``bits`` ``(words, pixels)``.
    """
    for word in range(first, last):
        target = bits[word]
        target[:] = 0
        for channel in range(word * 64, min(word * 64 + 64, x.shape[0])):
            values, threshold = x[channel], thresholds[channel]
            shift = np.uint64(channel % 64)
            for pixel in range(target.shape[0]):
                target[pixel] |= np.uint64(values[pixel] >= threshold) << shift


@njit(cache=True, nogil=True)
def threshold_levels(
    x: Integers, thresholds: Integers, lowest: int, levels: Integers, first: int, last: int
) -> None:
    """Of the channels ``first`` to ``last - 1``: how many thresholds fire, plus ``lowest``.

    ``x`` ``(channels, pixels)``, ``thresholds`` ``(channels, thresholds)``, ``levels`` int32
    ``(channels, pixels)``.
    """
    for channel in range(first, last):
        values, target = x[channel], levels[channel]
        target[:] = lowest
        for index in range(thresholds.shape[1]):
            threshold = thresholds[channel, index]
            for pixel in range(target.shape[0]):
                target[pixel] += values[pixel] >= threshold
