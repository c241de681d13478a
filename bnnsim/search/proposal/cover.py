"""How much of what can be dominated a point dominates: counted on drawn samples of losses."""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Floats, Words

SAMPLES = 4096
NEAR_SHARE = 0.5
"""Of the samples, those close behind single points; the others are even over the box."""
NEAREST = 3.0
"""Decades of the box that the close ones are spread over."""


class Cover:
    """Samples of losses; a point's mask says which of them it dominates."""

    def __init__(self, front: Floats, draw: np.random.Generator) -> None:
        best, worst = front.min(axis=0), front.max(axis=0)
        span = np.where(worst > best, worst - best, np.abs(worst) * 0.01 + 1e-12)
        corner = worst + 0.05 * span
        near = int(SAMPLES * NEAR_SHARE)
        even = best + (corner - best) * draw.random((SAMPLES - near, front.shape[1]))
        owners = front[draw.integers(len(front), size=near)]
        reach = 10 ** (-NEAREST * draw.random((near, front.shape[1])))
        self._samples = np.concatenate([even, owners + (corner - owners) * reach])

    def masks(self, losses: Floats) -> Words:
        """Which samples each row of ``losses`` dominates, as bits ``(points, words)``."""
        found = np.ones((len(losses), SAMPLES), bool)
        for column in range(losses.shape[1]):
            found &= losses[:, column, None] <= self._samples[None, :, column]
        masks: Words = np.packbits(found, axis=1).view(np.uint64)
        return masks


def gains(masks: Words, covered: Words) -> Words:
    """How many samples each mask has that are not ``covered`` yet."""
    counts: Words = np.bitwise_count(masks & ~covered).sum(axis=1, dtype=np.uint64)
    return counts
