"""Real weights as an import rounds them: by their meaning, by code that shares nothing with it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def rounded_weights(values: npt.ArrayLike, row_axes: tuple[int, ...], bits: int) -> Array:
    """``values`` on a grid of their own in every row: as many steps to both sides of 0 as two's
    complement of ``bits`` has above it, the largest magnitude of the row on the last.

    A row is what shares its indices on ``row_axes``.
    """
    reals = np.asarray(values, np.float64)
    others = tuple(i for i in range(reals.ndim) if i not in {a % reals.ndim for a in row_axes})
    largest = np.max(np.abs(reals), axis=others, keepdims=True)
    step = np.where(largest > 0, largest, 1.0) / (2.0 ** (bits - 1) - 1)
    return np.asarray(np.rint(reals / step) * step)
