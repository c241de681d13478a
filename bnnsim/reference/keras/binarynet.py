"""Layers of BinaryNet and TernaryNet in Keras, which stand in no package: plain functions on arrays.

The definitions are those of https://github.com/DingKe/nn_playground (binary_ops, ternary_ops).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bnnsim.reference.graph import Array

KINDS = ("BinaryConv2D", "BinaryDense", "TernaryConv2D", "TernaryDense")
STEPS: Mapping[str, tuple[float, ...]] = {
    "binarytanh": (0.0,),
    "binarysigmoid": (0.0,),
    "ternarytanh": (-0.5, 0.5),
}
"""Activation functions: the numbers above which they are one level higher."""


def stepped(word: str, x: Array) -> Array:
    """What an activation function of :data:`STEPS` gives."""
    above = sum((x > step).astype(np.float64) for step in STEPS[word])
    return np.asarray({"binarytanh": 2 * above - 1, "binarysigmoid": above}.get(word, above - 1))


def rounded_kernel(kind: str, height: float, stored: Array) -> Array:
    """The kernel that a layer multiplies with, computed in float32 as Keras does."""
    one = np.float32(height)
    w = stored.astype(np.float32) / one
    if kind.startswith("Ternary"):
        return np.asarray(((w > 0.5) * 1.0 - (w <= -0.5)) * one, np.float64)
    bits = np.rint(np.minimum(np.maximum(np.float32(0.5) * w + np.float32(0.5), 0), 1))
    return np.asarray((2 * bits - 1) * one, np.float64)
