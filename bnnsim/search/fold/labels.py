"""Partial sums of what layers take: which of many are not undercut in everything that counts."""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Floats, Int64s


def undominated(values: Floats, most: int) -> tuple[Int64s, bool]:
    """Rows of ``values`` ``(rows, figures)`` that no other is as small as in every figure.

    Of more than ``most`` those spread evenly along the first figure; whether that was so comes second.
    """
    if values.shape[1] == 1:
        return np.array([values[:, 0].argmin()], np.int64), False
    order = np.lexsort(values.T[::-1])
    ordered = values[order]
    kept = _staircase(ordered) if values.shape[1] == 2 else _fronts(ordered)
    is_cut = len(kept) > most
    if is_cut:
        kept = kept[np.unique(np.linspace(0, len(kept) - 1, most).astype(np.int64))]
    return order[kept], is_cut


def _staircase(ordered: Floats) -> Int64s:
    """Of rows by their first figure those whose second is below all before."""
    least = np.minimum.accumulate(ordered[:, 1])
    below = np.concatenate([[True], ordered[1:, 1] < least[:-1]])
    return np.flatnonzero(below)


def _fronts(ordered: Floats) -> Int64s:
    """The same for any number of figures: the first row left is kept, what it undercuts goes."""
    left = np.arange(len(ordered))
    kept = []
    while len(left):
        first = left[0]
        kept.append(first)
        left = left[np.any(ordered[left] < ordered[first], axis=1)]
    return np.array(kept, np.int64)
