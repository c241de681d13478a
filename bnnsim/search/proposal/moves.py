"""Points beside a point: one step along a parameter, or parameters of two points mixed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from bnnsim.arrays import Int64s

MOST_OTHER_VALUES = 4
"""A parameter with so many values at most can have any other one in a step."""
LONG_STEPS = (1, 2, 4)
"""Steps along a parameter with more values, both ways."""
MIXED = 8
"""Points that are mixed of a point and others, and points that are two steps away."""


def neighbours(
    point: Int64s,
    sizes: Int64s,
    is_ordered: Sequence[bool],
    columns: Sequence[int],
    others: Int64s,
    draw: np.random.Generator,
) -> Int64s:
    """Points ``(points, parameters)`` one move from ``point``.

    ``columns`` are the parameters that may change, ``others`` points to mix with, of the same shape.
    """
    own = list(columns)
    here = zip(own, point[own].tolist(), sizes[own].tolist(), strict=True)
    changes = [(c, v) for c, value, size in here for v in _others(value, size, is_ordered[c])]
    is_mixed = len(others) > 0 and len(own) > 1
    singles = len(changes) + MIXED * is_mixed
    found = np.repeat(point[None], singles + MIXED * (singles > 1), axis=0)
    if changes:
        changed, values = zip(*changes, strict=True)
        found[np.arange(len(changes)), changed] = values
    if is_mixed:
        mates = others[draw.integers(len(others), size=MIXED)]
        drawn = draw.random((MIXED, len(own) + 1))
        mixed = np.where(drawn[:, :-1] < drawn[:, -1:], mates[:, own], point[own])
        found[len(changes) : singles, own] = mixed
    # Two steps at once, which single steps do not reach through a worse point.
    ends = np.arange(singles, len(found))
    pairs = draw.integers(np.repeat(ends, 2)).reshape(-1, 2).tolist()
    for end, (first, second) in zip(ends.tolist(), pairs, strict=True):
        np.copyto(found[end], found[first])
        np.copyto(found[end], found[second], where=found[second] != point)
    return found


@lru_cache(maxsize=65536)
def _others(here: int, size: int, is_ordered: bool) -> tuple[int, ...]:
    """The values that a parameter of ``size`` values can step to from ``here``."""
    if size <= MOST_OTHER_VALUES or not is_ordered:
        return tuple(value for value in range(size) if value != here)
    steps = [here + sign * step for step in LONG_STEPS for sign in (-1, 1)]
    return tuple(value for value in steps if 0 <= value < size)
