"""Points beside a point: one step along a parameter, or parameters of two points mixed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnnsim.arrays import Int64s

MOST_OTHER_VALUES = 4
"""A parameter with so many values at most can have any other one in a step."""
LONG_STEPS = (1, 2, 4)
"""Steps along a parameter with more values, both ways."""
MIXED = 8
"""Points that are mixed of a point and others."""


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
    found = []
    for column in columns:
        here, size = int(point[column]), int(sizes[column])
        if size <= MOST_OTHER_VALUES or not is_ordered[column]:
            values = [value for value in range(size) if value != here]
        else:
            steps = [here + sign * step for step in LONG_STEPS for sign in (-1, 1)]
            values = [value for value in steps if 0 <= value < size]
        for value in values:
            changed = point.copy()
            changed[column] = value
            found.append(changed)
    if len(others) and len(columns) > 1:
        for mate in others[draw.integers(len(others), size=MIXED)]:
            taken = np.array(columns)[draw.random(len(columns)) < draw.random()]
            mixed = point.copy()
            mixed[taken] = mate[taken]
            found.append(mixed)
    # Two steps at once, which single steps do not reach through a worse point.
    for _ in range(MIXED if len(found) > 1 else 0):
        first, second = (found[draw.integers(len(found))] for _ in range(2))
        found.append(np.where(second != point, second, first))
    return np.array(found, np.int64).reshape(len(found), len(point))
