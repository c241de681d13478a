"""Compiled convolution and matrix product, packed and integer, with the thresholds behind them.

Both kernels walk tiles of output pixels: gather the windows of a tile into a scratch matrix that
stays in the first-level cache, multiply it with the weights of 64 output channels, and turn each sum into
what the layer puts out before the next tile. No window matrix of the whole map is ever built, and
the packed one holds bits: ``kernel * channels`` of them back to back, whatever the channel count.

A matrix product is a convolution too: its rows are the pixels of one long row, or, for a linear layer
on maps, each map is one window of the row that all maps form end to end.

All functions here call one another, hence one file: numba's cache on disk looks for changes only in
the file of the function that was called. They release the interpreter's lock, so threads run them
side by side (:mod:`bnnsim.functional.kernels.slices`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic

from bnnsim.arrays import Integers, Words
from bnnsim.arrays.jit import njit
from bnnsim.functional.tensors.packing import WORD_BITS

LANES = WORD_BITS
"""Output channels of one tile of weights, and bits of one packed word of output."""
TILE = 64
"""Output pixels of one tile: its windows and sums and one tile of weights fit the first-level cache."""
ROWS = 4
COLUMNS = 4
"""Windows and columns multiplied at a time: each load of a weight serves four windows, each sum is
loaded and stored once for four columns. Measured fastest among 1 to 16 windows, 1 to 9 columns."""


class Window(NamedTuple):
    """Where the windows of a layer lie on its input map; all in pixels or channels."""

    kernel_height: int
    kernel_width: int
    stride_height: int
    stride_width: int
    dilation_height: int
    dilation_width: int
    pad_top: int
    pad_left: int
    pad_value: int
    """-1, 0 or +1 on bits (0: the tap adds nothing), any integer on integers."""
    out_height: int
    out_width: int
    groups: int
    group_channels: int
    """Input channels of one group."""
    group_outputs: int
    """Output channels of one group."""


class Epilogue(NamedTuple):
    """What becomes of a sum behind the product.

    It is kept, becomes a bit, or becomes the level of as many thresholds as fire. The last three say
    which of these are wanted; the arrays of the others may be empty.
    """

    base: int
    step: int
    """Packed kernel only: the sum is ``base - step * mismatches``."""
    lowest: int
    """The level put out where no threshold fires."""
    keep_sums: bool
    make_bits: bool
    make_levels: bool


_part = njit(nogil=True, inline="always")
"""Put into the kernel that calls it before that is compiled: else it would be compiled for itself too."""


@intrinsic
def _popcount_of(_typing: Any, word: Any) -> Any:
    """Set bits of a uint64, as int64 (an unsigned one would turn sums with int64 into floats)."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), emit


_popcount: Any = _popcount_of  # called from compiled code with the word alone


@njit(cache=True, nogil=True)
def packed_layer(
    x: Words,
    weights: Words,
    border: Integers,
    thresholds: Integers,
    window: Window,
    epilogue: Epilogue,
    sums: Integers,
    bits: Words,
    levels: Integers,
    first: int,
    last: int,
) -> None:
    """Tiles ``first`` to ``last - 1`` of a layer with bipolar inputs and weights.

    ``x``: uint64 ``(words, frames, height, width)``, tails ignored. ``weights``: uint64 ``(groups *
    blocks, columns in words, 64)``, columns in the order (kernel row, kernel column, channel).
    ``border``: int64 ``(kernel pixels, groups * blocks, 64)``, a tap's sum of weights, added where
    the tap lies on a border of true zeros. ``thresholds``: integer thresholds, int64
    ``(groups * blocks, thresholds, 64)``: one fires on sum >= its entry.
    Writes ``sums`` ``(out, pixels)``, ``bits`` uint64 ``(words, pixels)`` (zeros before), ``levels``
    int32 ``(out, pixels)``; pixels are those of all frames in order.
    """
    pixels = x.shape[1] * window.out_height * window.out_width
    blocks = weights.shape[0] // window.groups
    windows = np.zeros((weights.shape[1], TILE), np.uint64)
    matrix = np.zeros((TILE, LANES), np.int64)
    for tile in range(first, last):
        start = tile * TILE
        count = min(TILE, pixels - start)
        for group in range(window.groups):
            windows[:] = 0
            _gather_bits(x, window, start, count, group, windows)
            for block in range(blocks):
                place = group * blocks + block
                for row in range(0, count, ROWS):
                    _count_mismatches(windows, row, weights[place], matrix)
                for row in range(count):
                    for lane in range(LANES):
                        matrix[row, lane] = epilogue.base - epilogue.step * matrix[row, lane]
                used = matrix[:count]
                if border.shape[0] > 0:
                    _add_border(x, window, start, border[:, place], used)
                _put(used, thresholds[place], window, epilogue, start, group, block, sums, bits, levels)


@njit(cache=True, nogil=True)
def integer_layer(
    x: Integers,
    weights: Integers,
    thresholds: Integers,
    window: Window,
    epilogue: Epilogue,
    sums: Integers,
    bits: Words,
    levels: Integers,
    first: int,
    last: int,
) -> None:
    """Tiles ``first`` to ``last - 1`` of a layer with integer inputs and weights.

    As :func:`packed_layer` with ``x`` int32 or int64 ``(channels, frames, height, width)`` and
    ``weights`` ``(groups * blocks, columns, 64)``, filled up with zeros to a multiple of 4 columns,
    and ``thresholds`` of the type the sums are accumulated in (int16, int32 or int64), which must hold
    every sum and that plus one.
    """
    pixels = x.shape[1] * window.out_height * window.out_width
    blocks = weights.shape[0] // window.groups
    windows = np.zeros((weights.shape[1], TILE), weights.dtype)
    matrix = np.zeros((TILE, LANES), weights.dtype)
    for tile in range(first, last):
        start = tile * TILE
        count = min(TILE, pixels - start)
        for group in range(window.groups):
            _gather_values(x, window, start, count, group, windows)
            for block in range(blocks):
                place = group * blocks + block
                for row in range(0, count, ROWS):
                    _sum_products(windows, row, weights[place], matrix)
                used = matrix[:count]
                _put(used, thresholds[place], window, epilogue, start, group, block, sums, bits, levels)


@njit(cache=True, nogil=True)
def _segment(window: Window, pixel: int, most: int) -> tuple[int, int, int, int]:
    """The run of at most ``most`` pixels from ``pixel`` on that lie in one row of one frame.

    Frame, input row and column of the first window's first tap (negative on the border), length.
    """
    above = pixel // window.out_width
    frame = above // window.out_height
    out_row = above - frame * window.out_height
    out_column = pixel - above * window.out_width
    top = out_row * window.stride_height - window.pad_top
    left = out_column * window.stride_width - window.pad_left
    return frame, top, left, min(most, window.out_width - out_column)


@njit(cache=True, nogil=True)
def _inside(row: int, height: int, column: int, stride: int, length: int, width: int) -> tuple[int, int]:
    """Which of ``length`` taps, the first at ``(row, column)``, lie on the map."""
    if row < 0 or row >= height or column >= width:
        return 0, 0
    begin = 0 if column >= 0 else min(length, (stride - 1 - column) // stride)
    end = min(length, (width - 1 - column) // stride + 1)
    return begin, max(begin, end)


@_part
def _gather_bits(x: Words, window: Window, start: int, count: int, group: int, windows: Words) -> None:
    """Windows from pixel ``start`` on into ``windows`` ``(words, TILE)``, which is zero.

    A window's bits lie back to back; where the border is 0 it is gathered as -1.
    """
    channels, stride = window.group_channels, window.stride_width
    _, frames, height, width = x.shape
    flat_x, flat_windows = x.reshape(-1), windows.reshape(-1)
    done = 0
    while done < count:
        frame, top, left, length = _segment(window, start + done, count - done)
        at = 0
        for kernel_row in range(window.kernel_height):
            row = top + kernel_row * window.dilation_height
            for kernel_column in range(window.kernel_width):
                column = left + kernel_column * window.dilation_width
                begin, end = _inside(row, height, column, stride, length, width)
                source = group * channels
                stop = at + channels
                while at < stop:
                    take = min(stop - at, 64 - at % 64, 64 - source % 64)
                    mask = ~np.uint64(0) >> np.uint64(64 - take)
                    down, up = np.uint64(source % 64), np.uint64(at % 64)
                    target = at // 64 * TILE + done
                    plane = ((source // 64 * frames + frame) * height + row) * width + column
                    for index in range(begin, end):
                        part = (flat_x[np.uint64(plane + index * stride)] >> down) & mask
                        flat_windows[np.uint64(target + index)] |= part << up
                    if window.pad_value == 1:
                        for index in range(length):
                            if not begin <= index < end:
                                flat_windows[np.uint64(target + index)] |= mask << up
                    at += take
                    source += take
        done += length


@_part
def _gather_values(
    x: Integers, window: Window, start: int, count: int, group: int, windows: Integers
) -> None:
    """Windows from pixel ``start`` on into ``windows`` ``(columns, TILE)``."""
    channels, stride = window.group_channels, window.stride_width
    _, frames, height, width = x.shape
    flat_x, flat_windows = x.reshape(-1), windows.reshape(-1)
    done = 0
    while done < count:
        frame, top, left, length = _segment(window, start + done, count - done)
        target = done
        for kernel_row in range(window.kernel_height):
            row = top + kernel_row * window.dilation_height
            for kernel_column in range(window.kernel_width):
                column = left + kernel_column * window.dilation_width
                begin, end = _inside(row, height, column, stride, length, width)
                for channel in range(group * channels, (group + 1) * channels):
                    plane = ((channel * frames + frame) * height + row) * width + column
                    for index in range(begin, end):
                        value = flat_x[np.uint64(plane + index * stride)]
                        flat_windows[np.uint64(target + index)] = value
                    if end - begin < length:
                        for index in range(length):
                            if not begin <= index < end:
                                flat_windows[np.uint64(target + index)] = window.pad_value
                    target += TILE
        done += length


@_part
def _count_mismatches(windows: Words, row: int, weights: Words, matrix: Integers) -> None:
    """Rows ``row`` to ``row + 3`` of ``matrix``: the bits in which these windows and weights differ."""
    words = weights.shape[0]
    w, m = windows.reshape(-1), matrix.reshape(-1)
    r0, r1, r2, r3 = row * LANES, (row + 1) * LANES, (row + 2) * LANES, (row + 3) * LANES
    for j in range(ROWS * LANES):
        m[np.uint64(r0 + j)] = 0
    for k in range(0, words - words % 4, 4):
        p0, p1, p2, p3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        at = k * TILE + row
        x00, x10, x20, x30 = _four(w, at)
        x01, x11, x21, x31 = _four(w, at + TILE)
        x02, x12, x22, x32 = _four(w, at + 2 * TILE)
        x03, x13, x23, x33 = _four(w, at + 3 * TILE)
        for j in range(LANES):
            a, b, c, d = p0[j], p1[j], p2[j], p3[j]
            m[np.uint64(r0 + j)] += (
                _popcount(x00 ^ a) + _popcount(x01 ^ b) + _popcount(x02 ^ c) + _popcount(x03 ^ d)
            )
            m[np.uint64(r1 + j)] += (
                _popcount(x10 ^ a) + _popcount(x11 ^ b) + _popcount(x12 ^ c) + _popcount(x13 ^ d)
            )
            m[np.uint64(r2 + j)] += (
                _popcount(x20 ^ a) + _popcount(x21 ^ b) + _popcount(x22 ^ c) + _popcount(x23 ^ d)
            )
            m[np.uint64(r3 + j)] += (
                _popcount(x30 ^ a) + _popcount(x31 ^ b) + _popcount(x32 ^ c) + _popcount(x33 ^ d)
            )
    for k in range(words - words % 4, words):
        p0 = weights[k]
        x00, x10, x20, x30 = _four(w, k * TILE + row)
        for j in range(LANES):
            a = p0[j]
            m[np.uint64(r0 + j)] += _popcount(x00 ^ a)
            m[np.uint64(r1 + j)] += _popcount(x10 ^ a)
            m[np.uint64(r2 + j)] += _popcount(x20 ^ a)
            m[np.uint64(r3 + j)] += _popcount(x30 ^ a)


@njit(cache=True, nogil=True)
def _four(flat: Any, start: int) -> Any:
    return (
        flat[np.uint64(start)],
        flat[np.uint64(start + 1)],
        flat[np.uint64(start + 2)],
        flat[np.uint64(start + 3)],
    )


@_part
def _sum_products(windows: Integers, row: int, weights: Integers, matrix: Integers) -> None:
    """Rows ``row`` to ``row + 3`` of ``matrix``: these windows times the weights."""
    w, m = windows.reshape(-1), matrix.reshape(-1)
    r0, r1, r2, r3 = row * LANES, (row + 1) * LANES, (row + 2) * LANES, (row + 3) * LANES
    for j in range(ROWS * LANES):
        m[np.uint64(r0 + j)] = 0
    for k in range(0, weights.shape[0], 4):
        p0, p1, p2, p3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        at = k * TILE + row
        x00, x10, x20, x30 = _four(w, at)
        x01, x11, x21, x31 = _four(w, at + TILE)
        x02, x12, x22, x32 = _four(w, at + 2 * TILE)
        x03, x13, x23, x33 = _four(w, at + 3 * TILE)
        for j in range(LANES):
            a, b, c, d = p0[j], p1[j], p2[j], p3[j]
            m[np.uint64(r0 + j)] += x00 * a + x01 * b + x02 * c + x03 * d
            m[np.uint64(r1 + j)] += x10 * a + x11 * b + x12 * c + x13 * d
            m[np.uint64(r2 + j)] += x20 * a + x21 * b + x22 * c + x23 * d
            m[np.uint64(r3 + j)] += x30 * a + x31 * b + x32 * c + x33 * d


@_part
def _add_border(x: Words, window: Window, start: int, border: Integers, matrix: Integers) -> None:
    """Add to the sums what the border's taps, gathered as -1, took away: their weights' sums."""
    for index in range(matrix.shape[0]):
        _, top, left, _ = _segment(window, start + index, 1)
        for kernel_row in range(window.kernel_height):
            row = top + kernel_row * window.dilation_height
            for kernel_column in range(window.kernel_width):
                column = left + kernel_column * window.dilation_width
                if not (0 <= row < x.shape[2] and 0 <= column < x.shape[3]):
                    tap = kernel_row * window.kernel_width + kernel_column
                    for lane in range(LANES):
                        matrix[index, lane] += border[tap, lane]


@_part
def _put(
    matrix: Integers,
    thresholds: Integers,
    window: Window,
    epilogue: Epilogue,
    start: int,
    group: int,
    block: int,
    sums: Integers,
    bits: Words,
    levels: Integers,
) -> None:
    """Store what one block's sums become, from pixel ``start`` on."""
    channel = group * window.group_outputs + block * LANES
    used = min(LANES, window.group_outputs - block * LANES)
    count = matrix.shape[0]
    if epilogue.keep_sums:
        for lane in range(used):
            target = sums[channel + lane, start : start + count]
            for index in range(count):
                target[index] = matrix[index, lane]
    if epilogue.make_bits:
        threshold = thresholds[0]
        mask = ~np.uint64(0) >> np.uint64(64 - used)
        shift = channel % 64
        for index in range(count):
            row = matrix[index]
            word = np.uint64(0)
            for lane in range(LANES):
                word |= np.uint64(row[lane] >= threshold[lane]) << np.uint64(lane)
            word &= mask
            bits[channel // 64, start + index] |= word << np.uint64(shift)
            if shift + used > 64:
                bits[channel // 64 + 1, start + index] |= word >> np.uint64(64 - shift)
    if epilogue.make_levels:
        for lane in range(used):
            counts = levels[channel + lane, start : start + count]
            for index in range(count):
                counts[index] = epilogue.lowest
            for number in range(thresholds.shape[0]):
                for index in range(count):
                    counts[index] += matrix[index, lane] >= thresholds[number, lane]
