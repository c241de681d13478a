"""Many designs in few bytes: a column for each of their fields, every value once, short figures."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
"""Of numbers to the base 64: characters that JSON and HTML write as they are."""
FIGURE_DIGITS = (6, 9)
"""Significant digits that are tried for a figure, before it is written whole."""
Column = list[Any] | dict[str, Any]


def column(values: Sequence[Any]) -> Column:
    """``values`` as JSON data: a list, or each different value once, where that is shorter.

    Then ``values`` are these, in the order in which they are met, and ``codes`` the place of each value
    among them, ``digits`` to the base 64 each.
    """
    plain = list(values)
    texts = list(map(_text, plain))
    kinds = list(dict.fromkeys(texts))
    place = {text: index for index, text in enumerate(kinds)}
    digits = 1 if len(kinds) <= len(DIGITS) else 2 if len(kinds) <= len(DIGITS) ** 2 else 3
    once = sum(map(len, kinds)) + len(kinds) + digits * len(plain)
    if once >= sum(map(len, texts)) + len(texts):
        return plain
    codes = "".join(_code(place[text], digits) for text in texts)
    return {"values": [json.loads(text) for text in kinds], "codes": codes, "digits": digits}


_text = json.JSONEncoder().encode  # as json.dumps has it, which asks for options every time


def _code(number: int, digits: int) -> str:
    return "".join(DIGITS[number >> 6 * k & 63] for k in reversed(range(digits)))


def columns(
    rows: Sequence[Mapping[str, Any]], lists: Mapping[str, int], fields: Sequence[str]
) -> dict[str, Any]:
    """``rows`` as columns by field; of a field in ``lists`` one for each of its so many places.

    A row's list may be empty: it has None in every place.
    """
    found: dict[str, Any] = {"count": len(rows)}
    for name in fields:
        found[name] = column([row[name] for row in rows])
    for name, places in lists.items():
        found[name] = [
            column([row[name][k] if row[name] else None for row in rows]) for k in range(places)
        ]
    return found


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
