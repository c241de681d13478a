"""The packed matrix product on its own, outside any network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnnsim.functional.kernels.slices import run_slices
from bnnsim.functional.kernels.weighted import LANES, TILE, Epilogue, Window, packed_layer
from bnnsim.functional.tensors.packing import tail_mask, words_for
from bnnsim.functional.tensors.tiled_weights import tiled_weights

_SLICE = 200_000_000
"""Multiply-accumulates of about 0.2 ms, just worth another thread's while."""


def xnor_popcount_matmul(
    a: NDArray[np.uint64], b: NDArray[np.uint64], bits: int, threads: int = 1
) -> NDArray[np.int32]:
    """How many of ``bits`` bits match between each row of ``a`` and each row of ``b``.

    ``a``: packed uint64 ``(m, ceil(bits / 64))``, ``b``: ``(n, ceil(bits / 64))``, least significant
    bit first, tails ignored. Returns int32 ``(m, n)``; the product of the {-1,+1} vectors is twice
    that minus ``bits``.
    """
    words = words_for(bits)
    if a.shape[1] != words or b.shape[1] != words:
        raise ValueError(f"{bits} bits are {words} words, got {a.shape[1]} and {b.shape[1]}")
    rows = b.copy()
    rows[:, -1] &= tail_mask(bits)
    planes = np.ascontiguousarray(a.T).reshape(words, 1, 1, a.shape[0])
    window = Window(1, 1, 1, 1, 1, 1, 0, 0, -1, 1, a.shape[0], 1, bits, b.shape[0])
    epilogue = Epilogue(bits, 1, 0, keep_sums=True, make_bits=False, make_levels=False)
    weights = tiled_weights(rows[np.newaxis])
    matches = np.empty((b.shape[0], a.shape[0]), np.int32)
    run_slices(
        packed_layer,
        -(-a.shape[0] // TILE),
        a.shape[0] * b.shape[0] * bits // _SLICE,
        threads,
        planes,
        weights,
        np.zeros((0, weights.shape[0], LANES), np.int64),
        np.zeros((weights.shape[0], 0, LANES), np.int64),
        window,
        epilogue,
        matches,
        np.zeros((0, 0), np.uint64),
        np.zeros((0, 0), np.int32),
    )
    return matches.T
