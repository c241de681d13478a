"""Many designs in few bytes: a column for each of their fields, byte by byte, deflated; short figures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np

from bnnsim.report.figures.packing import pack_parts

FIGURE_DIGITS = (6, 9)
"""Significant digits that are tried for a figure, before it is written whole."""
MOST_CODES = 1 << 48
"""A browser counts to 2^53 exactly."""
Column = tuple[dict[str, Any], tuple[bytes, ...]]
"""How to read a column, and its planes, a byte a value: the lowest bytes of all codes, the next, ..."""


def column(values: Sequence[Any]) -> Column:
    """``values`` (of JSON, none a list) as codes, one each: numbers, or places among those that differ.

    What is said of a column has in ``planes`` how many bytes a code has. With ``values`` a code is a
    place among these. With ``least`` code 0 is None, code c the whole number ``least`` + c - 1 in units
    of the value's last decimal, and a plane follows with how many decimals each value has. With ``width``
    too, values are such numbers as texts, filled with zeros to so many digits.
    """
    keys = [(type(value), value) for value in values]  # 1 is not True
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    kinds = [value for _, value in places]
    planes = _planes([places[key] for key in keys])
    numbers = _numbers(values) or _numbered_texts(values)
    if numbers is not None and _bytes(numbers[1]) <= len(_json(kinds)) + _bytes(planes):
        return numbers
    return {"values": kinds, "planes": len(planes)}, planes


def _numbers(values: Sequence[Any]) -> Column | None:
    """The column of numbers and None, where ``values`` are no more than that and not too long."""
    parts: list[tuple[int, int] | None] = []
    for value in values:
        if value is not None and (type(value) not in (int, float) or not math.isfinite(value)):
            return None
        parts.append(None if value is None else _digits(value))
    whole = [part[0] for part in parts if part is not None]
    least = min(whole, default=0)
    if max(whole, default=0) - least + 1 >= MOST_CODES or abs(least) >= MOST_CODES:
        return None
    decimals = [0 if part is None else part[1] for part in parts]
    if max(decimals, default=0) > 255:
        return None
    planes = _planes([0 if part is None else part[0] - least + 1 for part in parts])
    return {"least": least, "planes": len(planes)}, (*planes, bytes(decimals))


def _numbered_texts(values: Sequence[Any]) -> Column | None:
    """The column of texts such as ``00042``, where all are."""
    if not values or any(type(v) is not str or not v.isascii() or not v.isdigit() for v in values):
        return None
    width = min(map(len, values))
    whole = [int(value) for value in values]
    column = _numbers(whole)
    if column is None or [str(one).zfill(width) for one in whole] != list(values):
        return None
    return {**column[0], "width": width}, column[1]


def _digits(value: float) -> tuple[int, int]:
    """The digits of the shortest decimals that name ``value``, and how many are behind the point."""
    if isinstance(value, int):
        return value, 0
    text = Decimal(repr(value))
    behind = max(0, -int(text.as_tuple().exponent))
    return int(text.scaleb(behind)), behind


def _planes(codes: Sequence[int]) -> tuple[bytes, ...]:
    of_all = np.array(codes, dtype="<u8").view(np.uint8).reshape(-1, 8)
    used = max(1, (max(codes, default=0).bit_length() + 7) // 8)
    return tuple(of_all[:, k].tobytes() for k in range(used))


def _bytes(planes: Sequence[bytes]) -> int:
    return sum(map(len, planes))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def packed_rows(
    rows: Sequence[Mapping[str, Any]], lists: Mapping[str, int], fields: Sequence[str]
) -> str:
    """``rows`` as columns by field, packed; of a field in ``lists`` one for each of its so many places.

    A row's list may be empty: it has None in every place. A line of JSON says how to read the columns,
    behind it are the planes of one after the other.
    """
    heads: dict[str, Any] = {"count": len(rows)}
    planes: list[bytes] = []

    def add(values: Sequence[Any]) -> dict[str, Any]:
        head, more = column(values)
        planes.extend(more)
        return head

    for name in fields:
        heads[name] = add([row[name] for row in rows])
    for name, places in lists.items():
        heads[name] = [add([row[name][k] if row[name] else None for row in rows]) for k in range(places)]
    return pack_parts(f"{_json(heads)}\n".encode(), *planes)


def short(value: float | None, shown_decimals: int | None = None) -> float | None:
    """A figure with six significant digits, or as many more as it takes to show the same digits.

    Whole numbers stay as they are. The page shows ``shown_decimals``; where none are given, as its
    ``number`` does: fewer for larger figures.
    """
    if value is None or not math.isfinite(value):
        return value
    if float(value).is_integer():
        return int(value)
    size = abs(value)
    decimals = shown_decimals
    if decimals is None:
        decimals = 0 if size >= 1000 else 1 if size >= 10 else 3
    for digits in FIGURE_DIGITS:
        tried = float(f"{value:.{digits}g}")
        if _shown(tried, decimals) == _shown(value, decimals):
            return int(tried) if tried.is_integer() else tried
    return value


def _shown(value: float, decimals: int) -> Decimal:
    """As a browser rounds the shortest decimals that name the number: a half away from zero."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
