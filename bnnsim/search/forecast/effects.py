"""What each value of each parameter does to a figure, learnt from designs that were judged.

A figure is, roughly, a product of what the parameters do and of what pairs of them do together; its
logarithm a sum. Ridge regression finds the summands; what was not seen brings nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bnnsim.arrays import Floats, Int64s

MOST_PAIRS = 600
"""Pairs of values beyond which only single values are learnt."""
PAIR_STIFFNESS = 30.0
"""How much more evidence a pair of values needs than a single one."""


class Effects:
    """The effects of parameters with so many values each (``sizes``) on ``figures`` figures at once.

    ``stiffness`` is how much evidence the effect of a value needs, in designs.
    """

    def __init__(self, sizes: Sequence[int], figures: int, stiffness: float = 0.01) -> None:
        self._starts = np.cumsum([0, *sizes])
        values = int(self._starts[-1])
        pairs = [(a, b) for a, b in itertools.combinations(range(len(sizes)), 2)]
        amounts = [sizes[a] * sizes[b] for a, b in pairs]
        self._pairs = pairs if sum(amounts) <= MOST_PAIRS else []
        self._sizes = list(sizes)
        self._pair_starts = values + np.cumsum([0, *amounts[: len(self._pairs)]])
        count = int(self._pair_starts[-1])
        needs = np.full(count, PAIR_STIFFNESS * stiffness)
        needs[:values] /= PAIR_STIFFNESS
        self._inverse = np.diag(1 / needs)
        self._counts = np.zeros(count)
        self._products = np.zeros((count, figures))
        self._sums = np.zeros(figures)
        self._designs = 0
        self._effects: Floats | None = None

    @property
    def designs(self) -> int:
        """How many designs were learnt from."""
        return self._designs

    def _places(self, points: Int64s) -> Int64s:
        """The positions of the summands of each of ``points`` ``(points, parameters)``."""
        single = points + self._starts[:-1]
        both = [
            start + points[:, a] * self._sizes[b] + points[:, b]
            for start, (a, b) in zip(self._pair_starts, self._pairs, strict=False)
        ]
        return np.concatenate([single, *[column[:, None] for column in both]], axis=1)

    def learn(self, point: Int64s, logarithms: Floats) -> None:
        """Take in one design: the logarithms of its figures."""
        places = self._places(point[None, :])[0]
        # The inverse of the squares and what one more design adds to them (Sherman and Morrison, 1950).
        reach = self._inverse[:, places].sum(axis=1)
        self._inverse -= np.outer(reach, reach) / (1 + reach[places].sum())
        self._products[places] += logarithms
        self._counts[places] += 1
        self._sums += logarithms
        self._designs += 1
        self._effects = None

    def predict(self, points: Int64s) -> Floats:
        """The logarithms ``(points, figures)`` that effects add up to; the mean where none are known."""
        mean = self._sums / max(1, self._designs)
        if self._effects is None:
            self._effects = self._inverse @ (self._products - self._counts[:, None] * mean)
        found: Floats = mean + self._effects[self._places(points)].sum(axis=1)
        return found
