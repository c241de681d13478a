"""QONNX's and FINN's operators, from their specification: plain functions on arrays.

https://github.com/fastmachinelearning/qonnx/tree/main/docs/qonnx-custom-ops. Scales, zero points and
bit widths are arrays that broadcast against the values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ROUNDINGS: Mapping[str, Callable[[Array], Array]] = {
    "ROUND": np.rint,
    "HALF_EVEN": np.rint,
    "FLOOR": np.floor,
    "CEIL": np.ceil,
    "UP": lambda x: np.copysign(np.ceil(np.abs(x)), x),
    "DOWN": np.trunc,
    "ROUND_TO_ZERO": np.trunc,
    "HALF_UP": lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x),
    "HALF_DOWN": lambda x: np.copysign(np.ceil(np.abs(x) - 0.5), x),
}


def limits(bits: Array, signed: bool, narrow: bool) -> tuple[Array, Array]:
    """The least and the greatest integer; ``narrow`` leaves one out."""
    if signed:
        return -(2.0 ** (bits - 1)) + narrow, 2.0 ** (bits - 1) - 1
    return np.zeros_like(bits, np.float64), 2.0**bits - 1 - narrow


def quant(
    x: Array, scale: Array, zero: Array, bits: Array, signed: bool, narrow: bool, mode: str
) -> Array:
    """``(round(clip(x / scale + zero)) - zero) * scale``; one signed bit is a sign, +1 on 0."""
    levels = x / scale + zero
    if signed and np.all(bits == 1):
        return (np.where(levels >= 0, 1.0, -1.0) - zero) * scale
    low, high = limits(np.asarray(bits, np.float64), signed, narrow)
    return (ROUNDINGS[mode](np.clip(levels, low, high)) - zero) * scale


def is_on_quant_step(
    x: Array, scale: Array, zero: Array, bits: Array, signed: bool, mode: str
) -> Array:
    """Where ``x`` lies exactly between two levels (on the second, for modes that go one way)."""
    levels = x / scale + zero
    if signed and np.all(bits == 1):
        return np.asarray(levels == 0)
    fraction = levels - np.floor(levels)
    halves = mode in ("ROUND", "HALF_EVEN", "HALF_UP", "HALF_DOWN")
    return np.asarray(fraction == (0.5 if halves else 0.0))


def bipolar_quant(x: Array, scale: Array) -> Array:
    """``scale`` where ``x`` is at least 0, else ``-scale``."""
    return np.where(x >= 0, scale, -scale)


def truncated(
    x: Array, scale: Array, zero: Array, in_bits: Array, out_bits: Array, mode: str
) -> Array:
    """Trunc, first version: the lowest bits dropped, the scale kept."""
    integers = np.rint(x / scale + zero) / 2.0 ** (in_bits - out_bits)
    return (ROUNDINGS[mode](integers) - zero) * scale


def truncated_to(
    x: Array,
    scale: Array,
    zero: Array,
    out_scale: Array,
    out_bits: Array,
    signed: bool,
    narrow: bool,
    mode: str,
) -> Array:
    """Trunc, second version: onto the grid of ``out_scale``, clipped to ``out_bits``."""
    factor = 2.0 ** np.rint(np.log2(out_scale / scale))
    low, high = limits(np.asarray(out_bits, np.float64), signed, narrow)
    integers = np.clip(np.rint(x / scale + zero) / factor, low, high)
    return (ROUNDINGS[mode](integers) - zero / factor) * out_scale


def multi_threshold(x: Array, thresholds: Array, axis: int, scale: float, bias: float) -> Array:
    """``scale`` times how many of its channel's thresholds ``x`` reaches, plus ``bias``."""
    count = np.zeros(x.shape)
    shape = [1] * x.ndim
    shape[axis] = len(thresholds)
    for column in thresholds.T:
        count += x >= column.reshape(shape)
    return count * scale + bias


def is_on_threshold(x: Array, thresholds: Array, axis: int) -> Array:
    """Where ``x`` equals one of its channel's thresholds."""
    found = np.zeros(x.shape, bool)
    shape = [1] * x.ndim
    shape[axis] = len(thresholds)
    for column in thresholds.T:
        found |= x == column.reshape(shape)
    return found


def _lying(values: Array, axis: int, rank: int) -> Array:
    """One number as it is, several along ``axis`` of a tensor of that rank."""
    if values.size < 2:
        return np.asarray(values.reshape(-1)[0] if values.size else 0)
    shape = [1] * rank
    shape[axis] = -1
    return values.reshape(shape)


def quantize_linear(x: Array, scale: Array, zero: Array, axis: int, low: int, high: int) -> Array:
    """ONNX's: halves to even, the zero point added, then limited to the type's integers."""
    rounded = np.rint(x / _lying(scale, axis, x.ndim)) + _lying(zero, axis, x.ndim)
    return np.asarray(np.clip(rounded, low, high))


def dequantize_linear(x: Array, scale: Array, zero: Array, axis: int) -> Array:
    """ONNX's: what an integer stands for."""
    integers = x.astype(np.float64) - _lying(zero, axis, x.ndim).astype(np.float64)
    return np.asarray(integers * _lying(scale, axis, x.ndim))


def xnor_popcount(x: Array, weights: Array) -> Array:
    """How many of the bits {0, 1} of ``x`` ``(..., k)`` and of ``weights`` ``(k, out)`` are equal."""
    return np.asarray(x @ weights + (1 - x) @ (1 - weights))
