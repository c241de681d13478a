"""Kernels of signs that come again and again: each once, and a number for each pair of channels."""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Int64s, Integers


def codebook_of(weights: Integers) -> tuple[Integers, Int64s]:
    """The different kernels ``(count, taps)`` in rising order, and which each is ``(out, in / groups)``.

    ``weights``: ``(out, in / groups, kernel height, kernel width)``; a tap's place is row by row.
    """
    out, channels = weights.shape[:2]
    kernels = np.asarray(weights).reshape(out * channels, -1)
    book, numbers = np.unique(kernels, axis=0, return_inverse=True)
    return book, numbers.reshape(out, channels).astype(np.int64)
