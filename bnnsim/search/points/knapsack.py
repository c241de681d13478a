"""The multiple-choice knapsack: of each group take one item, cheapest in all, within a bound. Exact."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bnnsim.spec.faults import InputError

MOST_TABLE_CELLS = 1 << 22
"""Cells of the table beyond which the enumeration is refused."""


def cheapest_choice(
    costs: Sequence[npt.NDArray[np.float64]],
    amounts: Sequence[npt.NDArray[np.int64]],
    room: int,
) -> list[int] | None:
    """For each group the position of its item, with the least total cost and amounts of at most ``room``.

    None where nothing fits. By dynamic programming over groups and room; amounts may be negative.
    Raises :class:`InputError` where ``room`` is too large for that.
    """
    if not all(len(items) for items in costs):
        return None
    lowest = [int(items.min()) for items in amounts]
    size = min(room, sum(int(items.max()) for items in amounts)) - sum(lowest) + 1
    if size <= 0:
        return None
    if size * len(costs) > MOST_TABLE_CELLS:
        raise InputError("exact front", f"a bound of at most {MOST_TABLE_CELLS // len(costs)}", str(room))
    best = np.zeros(size)
    picks = []
    for cost, amount, low in zip(costs, amounts, lowest, strict=True):
        options = np.full((len(cost), size), np.inf)
        for row, extra in enumerate((amount - low).tolist()):
            if extra < size:
                options[row, extra:] = best[: size - extra] + cost[row]
        picks.append(options.argmin(axis=0))
        best = options.min(axis=0)
    chosen: list[int] = []
    used = size - 1
    for pick, amount, low in reversed(list(zip(picks, amounts, lowest, strict=True))):
        chosen.append(int(pick[used]))
        used -= int(amount[chosen[-1]]) - low
    return chosen[::-1]
