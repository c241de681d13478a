"""Weights and thresholds in the order in which the compiled kernels read them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnnsim.arrays import Integers
from bnnsim.functional.tensors.packing import WORD_BITS
from bnnsim.spec.workload import Compare


def column_matrix(weights: Integers, groups: int) -> Integers:
    """Weights as one matrix a group, columns in the order (kernel row, kernel column, channel).

    ``weights``: ``(out, in_channels / groups, kernel_height, kernel_width)`` or ``(out, in)``.
    Returns ``(groups, out / groups, columns)``.
    """
    if weights.ndim == 4:
        weights = weights.transpose(0, 2, 3, 1)
    rows = weights.shape[0]
    return weights.reshape(groups, rows // groups, -1)


def tiled_weights(matrix: Integers, multiple: int = 1) -> Integers:
    """Rows in blocks of 64, lane by lane: ``(groups, rows, columns)`` to ``(groups * blocks, columns,
    64)``, columns filled up to a ``multiple``. Lanes without a row and columns that fill up are zero;
    each group starts a new block.
    """
    groups, rows, columns = matrix.shape
    blocks, whole = -(-rows // WORD_BITS), rows // WORD_BITS
    lanes = np.zeros((groups, blocks, -(-columns // multiple) * multiple, WORD_BITS), matrix.dtype)
    full = matrix[:, : whole * WORD_BITS].reshape(groups, whole, WORD_BITS, columns)
    lanes[:, :whole, :columns] = full.transpose(0, 1, 3, 2)
    if whole < blocks:
        lanes[:, whole, :columns, : rows % WORD_BITS] = matrix[:, whole * WORD_BITS :].transpose(0, 2, 1)
    return lanes.reshape(groups * blocks, -1, WORD_BITS)


def integer_thresholds(
    thresholds: NDArray[np.int64], compare: Compare, lowest: int, highest: int
) -> NDArray[np.int64]:
    """The least sum on which each threshold fires, whatever the comparison.

    A sum lies in ``lowest .. highest``; the result in ``lowest .. highest + 1``, where the last means
    never. ``thresholds`` may hold any int64.
    """
    if compare == ">":
        return np.clip(thresholds, lowest - 1, highest) + 1
    return np.clip(thresholds, lowest, highest + 1)
