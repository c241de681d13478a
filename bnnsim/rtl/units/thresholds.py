"""Thresholds as the hardware holds them: each fires where a value is as large or larger."""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Int64s, Integers
from bnnsim.datapath.words import pack_rows
from bnnsim.rtl.memories import RomImage

_FAR = 1 << 40
"""Beyond every sum; thresholds are cut to it before they are reckoned with."""


def reached(thresholds: Integers, compare: str, minimum: int, maximum: int) -> Int64s:
    """For each threshold the smallest whole value that fires it.

    Values lie between ``minimum`` and ``maximum``; a threshold that none reaches becomes ``maximum`` + 1.
    """
    given = np.clip(thresholds.astype(np.int64), -_FAR, _FAR)
    return np.clip(given + (compare == ">"), minimum, maximum + 1)


def matches_reached(thresholds: Integers, compare: str, width: int, counts_matches: bool) -> Int64s:
    """The same of sums over ``width`` binary lanes, as numbers of matches.

    ``thresholds`` are on dot products, ``2 * matches - width``, unless the layer ``counts_matches``.
    """
    if counts_matches:
        return reached(thresholds, compare, 0, width)
    dots = np.clip(thresholds.astype(np.int64), -_FAR, _FAR) + width
    half_up = -(-dots // 2) if compare == ">=" else dots // 2 + 1
    return np.clip(half_up, 0, width + 1)


def number_bits(minimum: int, maximum: int, is_signed: bool) -> int:
    """Bits of the narrowest number that holds both bounds, in two's complement where ``is_signed``."""
    if not is_signed:
        return max(1, maximum.bit_length())
    negative = (-minimum - 1).bit_length() if minimum < 0 else 0
    return 1 + max(1, negative, maximum.bit_length() if maximum > 0 else 0)


def threshold_rom(rows: Int64s, bits: int, address: str, on: str) -> RomImage:
    """The memory of ``rows`` ``(folds, pe, thresholds)`` on ``on`` (matches, sums, values)."""
    folds, pe, count = rows.shape
    layout = (
        f"threshold t of PE p in element p * {count} + t of {bits} bits, element 0 lowest: the smallest "
        f"number of {on} that fires it"
    )
    words = tuple(pack_rows(rows.reshape(folds, pe * count), bits))
    return RomImage("thresholds", pe * count * bits, words, address, layout)
