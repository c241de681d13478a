"""Convolutions and pools as plain sums and maxima over windows, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def windows(
    maps: Array,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[int],
    border: float = 0.0,
) -> Array:
    """A view ``(n, channels, rows, columns, *kernel)`` of ``maps`` ``(n, channels, height, width)``.

    ``pads``: top, left, bottom, right, filled with ``border``. Works for any number of spatial
    dimensions: ``pads`` are all beginnings, then all ends. Raises ``ValueError`` where no window fits.
    """
    count = len(kernel)
    around = [(pads[i], pads[i + count]) for i in range(count)]
    padded = np.pad(maps, [(0, 0), (0, 0), *around], constant_values=border)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    axes = tuple(range(2, 2 + count))
    found = np.lib.stride_tricks.sliding_window_view(padded, reach, axis=axes)
    steps = tuple(slice(None, None, s) for s in strides)
    inner = tuple(slice(None, None, d) for d in dilations)
    return found[(slice(None), slice(None), *steps, *inner)]


def maxima(
    maps: Array,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[int],
) -> Array:
    """The greatest of each window; the border never counts."""
    axes = tuple(range(-len(kernel), 0))
    return np.asarray(windows(maps, kernel, strides, dilations, pads, -np.inf).max(axis=axes))


def means(
    maps: Array,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[int],
) -> Array:
    """The mean of what each window holds of the map itself, without the border."""
    axes = tuple(range(-len(kernel), 0))
    inside = windows(np.ones((1, 1, *maps.shape[2:])), kernel, strides, dilations, pads)
    total = windows(maps, kernel, strides, dilations, pads).sum(axis=axes)
    return np.asarray(total / inside.sum(axis=axes))


def convolved(
    maps: Array,
    weights: Array,
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[int],
    groups: int = 1,
    border: float = 0.0,
) -> Array:
    """``maps`` ``(n, in, ...)`` with ``weights`` ``(out, in / groups, *kernel)``: ``(n, out, ...)``."""
    count = weights.ndim - 2
    if (
        maps.ndim != count + 2
        or maps.shape[1] != weights.shape[1] * groups
        or len(weights) % groups
    ):
        raise ValueError(f"weights {list(weights.shape)} in {groups} groups on {list(maps.shape)}")
    found = windows(maps, weights.shape[2:], strides, dilations, pads, border)
    taken = [1, *range(2 + count, 2 + 2 * count)]
    parts = []
    for part, rows in zip(
        np.split(found, groups, axis=1), np.split(weights, groups, axis=0), strict=True
    ):
        parts.append(np.tensordot(part, rows, axes=(taken, list(range(1, rows.ndim)))))
    return np.moveaxis(np.concatenate(parts, axis=-1), -1, 1)


def same_pads(
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    more_at_end: bool = True,
) -> list[int]:
    """Pads for ceil(size / stride) windows a dimension; an odd one more at the end, or in front."""
    totals = [
        max(0, (-(-size // s) - 1) * s + (k - 1) * d + 1 - size)
        for size, k, s, d in zip(sizes, kernel, strides, dilations, strict=True)
    ]
    small, large = [t // 2 for t in totals], [t - t // 2 for t in totals]
    return [*small, *large] if more_at_end else [*large, *small]
