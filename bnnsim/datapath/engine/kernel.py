"""Compiled inner loops of an engine's PE array: tiles in the order of the array's own loops."""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.arrays.jit import njit

DIMENSIONS = (
    "out_channels",
    "in_channels",
    "planes",
    "kernel_rows",
    "kernel_columns",
    "rows",
    "columns",
    "pixels",
    "groups",
)
"""What a multiply-accumulate has, in the order of the kernel's bounds."""
PASS = len(DIMENSIONS)
"""Stands for a loop of fixed passes: only the first one's result is kept."""


@njit(nogil=True)
def _place_tile(
    loops: Integers, bounds: Integers, index: Integers, starts: Integers, stops: Integers
) -> bool:
    """Set ``starts`` and ``stops`` to the tile of trip ``index``; whether there is anything in it."""
    starts[:] = bounds[:, 0]
    stops[:] = bounds[:, 1]
    has_work = True
    for i in range(len(loops)):
        dimension = loops[i, 0]
        if dimension == PASS:
            has_work = has_work and index[i] == 0
            continue
        starts[dimension] += index[i] * loops[i, 2]
        stops[dimension] = min(stops[dimension], starts[dimension] + loops[i, 2])
        has_work = has_work and starts[dimension] < stops[dimension]
    return has_work


@njit(nogil=True)
def _next_trip(loops: Integers, index: Integers) -> None:
    """Move on to the next trip: the innermost loop turns fastest."""
    for i in range(len(loops) - 1, -1, -1):
        index[i] += 1
        if index[i] < loops[i, 1]:
            break
        index[i] = 0


@njit(cache=True, nogil=True)
def accumulate(
    x: Integers,
    weights: Integers,
    sums: Integers,
    loops: Integers,
    bounds: Integers,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    outputs_a_group: int,
    accumulator_bits: int,
) -> int:
    """Run one compute step: every trip of ``loops``, outermost first, adds its tile to the sums.

    ``x``: ``(planes, padded height, padded width, channels)``; ``weights``: ``(outputs, kernel rows,
    kernel columns, in_channels)``; ``sums``: int64 ``(planes, outputs, rows, columns)``, wrapped to
    ``accumulator_bits`` (0: not) after every trip. Channels and outputs are those of all groups, one
    behind the other. ``loops``: int64 rows (dimension, trips, tile); ``bounds``: int64 ``(9, 2)`` start
    and stop of each dimension where the step begins.
    Returns the multiply-accumulates done.
    """
    index = np.zeros(len(loops), np.int64)
    starts = np.zeros(len(DIMENSIONS), np.int64)
    stops = np.zeros(len(DIMENSIONS), np.int64)
    channels = weights.shape[3]
    columns = sums.shape[3]
    half = np.int64(1) << max(0, accumulator_bits - 1)
    done = 0
    for _trip in range(np.prod(loops[:, 1])):
        if _place_tile(loops, bounds, index, starts, stops):
            for plane in range(starts[2], stops[2]):
                for row in range(starts[5], stops[5]):
                    for column in range(starts[6], stops[6]):
                        pixel = row * columns + column
                        if pixel < starts[7] or pixel >= stops[7]:
                            continue
                        for group in range(starts[8], stops[8]):
                            first = group * channels
                            for own in range(starts[0], stops[0]):
                                out = group * outputs_a_group + own
                                total_sum = sums[plane, out, row, column]
                                for y in range(starts[3], stops[3]):
                                    source_row = x[plane, row * stride[0] + y * dilation[0]]
                                    for z in range(starts[4], stops[4]):
                                        source = source_row[column * stride[1] + z * dilation[1]]
                                        matrix_row = weights[out, y, z]
                                        part = 0
                                        for channel in range(starts[1], stops[1]):
                                            part += source[first + channel] * matrix_row[channel]
                                        total_sum += part
                                if accumulator_bits > 0:
                                    total_sum = (total_sum + half) % (2 * half) - half
                                sums[plane, out, row, column] = total_sum
                                taps = (stops[3] - starts[3]) * (stops[4] - starts[4])
                                done += taps * (stops[1] - starts[1])
        _next_trip(loops, index)
    return done


@njit(cache=True, nogil=True)
def seen_pixels(
    bounds: Integers, columns: int, stride: tuple[int, int], dilation: tuple[int, int]
) -> Integers:
    """Where each of many trips reads its padded input, and how many pixels it computes.

    ``bounds``: int64 ``(trips, 9, 2)``; ``columns``: the width of the map that is computed. Returns int64
    ``(trips, 5)``: the first row, how many rows, the first column, how many columns, the pixels.
    """
    found = np.zeros((len(bounds), 5), np.int64)
    for trip in range(len(bounds)):
        at = bounds[trip]
        top = left = -1
        bottom = right = pixels = 0
        for row in range(at[5, 0], at[5, 1]):
            for column in range(at[6, 0], at[6, 1]):
                pixel = row * columns + column
                if pixel < at[7, 0] or pixel >= at[7, 1]:
                    continue
                top = row if top < 0 else top
                left = column if left < 0 else min(left, column)
                bottom, right = row, max(right, column)
                pixels += 1
        if pixels:
            found[trip, 0] = top * stride[0] + at[3, 0] * dilation[0]
            found[trip, 1] = (bottom - top) * stride[0] + (at[3, 1] - 1 - at[3, 0]) * dilation[0] + 1
            found[trip, 2] = left * stride[1] + at[4, 0] * dilation[1]
            found[trip, 3] = (right - left) * stride[1] + (at[4, 1] - 1 - at[4, 0]) * dilation[1] + 1
            found[trip, 4] = pixels
    return found


@njit(cache=True, nogil=True)
def read_trips(
    x: Integers,
    weights: Integers,
    sums: Integers,
    bounds: Integers,
    seen: Integers,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    outputs_a_group: int,
    channels_a_group: int,
    accumulator_bits: int,
    operands: Integers,
    left: Integers,
) -> None:
    """Run many trips, and keep what each read and what it left in its accumulators.

    Arguments as :func:`accumulate`'s, ``bounds`` and ``seen`` as :func:`seen_pixels`'s. ``operands``:
    int64 ``(trips, elements)``: plane, row, column, channel; ``left``: int64 ``(trips, elements)``:
    plane, output, pixel; both are filled.
    """
    none = np.zeros((0, 3), np.int64)
    columns = sums.shape[3]
    for trip in range(len(bounds)):
        at = bounds[trip]
        accumulate(x, weights, sums, none, at, stride, dilation, outputs_a_group, accumulator_bits)
        place = 0
        for plane in range(at[2, 0], at[2, 1]):
            for row in range(seen[trip, 0], seen[trip, 0] + seen[trip, 1]):
                for column in range(seen[trip, 2], seen[trip, 2] + seen[trip, 3]):
                    for group in range(at[8, 0], at[8, 1]):
                        first = group * channels_a_group
                        for channel in range(first + at[1, 0], first + at[1, 1]):
                            operands[trip, place] = x[plane, row, column, channel]
                            place += 1
        place = 0
        for plane in range(at[2, 0], at[2, 1]):
            for group in range(at[8, 0], at[8, 1]):
                for own in range(at[0, 0], at[0, 1]):
                    for row in range(at[5, 0], at[5, 1]):
                        for column in range(at[6, 0], at[6, 1]):
                            pixel = row * columns + column
                            if at[7, 0] <= pixel < at[7, 1]:
                                out = group * outputs_a_group + own
                                left[trip, place] = sums[plane, out, row, column]
                                place += 1


@njit(cache=True, nogil=True)
def operand_toggles(
    x: Integers,
    columns: int,
    loops: Integers,
    bounds: Integers,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    channels: int,
    element_bits: int,
    register: Integers,
) -> int:
    """Bits that change in an array's operand register during one compute step.

    Arguments as :func:`accumulate`'s; ``columns`` is the width of the map that is computed, ``channels``
    the input channels of a group. Lane n of
    ``register`` (int32, updated) holds the n-th input element of a trip's tile; elements of
    ``element_bits`` 1 are +-1 or 0 and change as a whole. Outputs of a trip share the operand.
    """
    index = np.zeros(len(loops), np.int64)
    starts = np.zeros(len(DIMENSIONS), np.int64)
    stops = np.zeros(len(DIMENSIONS), np.int64)
    toggles = 0
    for _trip in range(np.prod(loops[:, 1])):
        if _place_tile(loops, bounds, index, starts, stops):
            lane = 0
            for plane in range(starts[2], stops[2]):
                for row in range(starts[5], stops[5]):
                    for column in range(starts[6], stops[6]):
                        pixel = row * columns + column
                        if pixel < starts[7] or pixel >= stops[7]:
                            continue
                        for group in range(starts[8], stops[8]):
                            first, last = group * channels + starts[1], group * channels + stops[1]
                            for y in range(starts[3], stops[3]):
                                source_row = x[plane, row * stride[0] + y * dilation[0]]
                                for z in range(starts[4], stops[4]):
                                    source = source_row[column * stride[1] + z * dilation[1]]
                                    for channel in range(first, last):
                                        toggles += _changed(source[channel], register[lane], element_bits)
                                        register[lane] = source[channel]
                                        lane += 1
        _next_trip(loops, index)
    return toggles


@njit(nogil=True)
def _changed(value: int, before: int, element_bits: int) -> int:
    """How many of an element's bits change."""
    if element_bits == 1:
        return int(value != before)
    mask = (np.int64(1) << element_bits) - 1
    different = (np.int64(value) ^ np.int64(before)) & mask
    toggles = 0
    while different:
        different &= different - 1
        toggles += 1
    return toggles
