"""Exact rationals from a model's floats: what a threshold is computed with."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

SQRT_BITS = 1024
"""Relative precision of an irrational square root. Two sides of a comparison made of a few float32
numbers and one such root differ by more than this, or not at all (a perfect square is exact)."""


def fractions_of(values: npt.ArrayLike) -> list[Fraction]:
    """Every element of an array of floats or integers, flattened, as the rational that it is.

    Raises ``ValueError`` on infinities and NaN.
    """
    array = np.asarray(values)
    flat: Iterable[Any] = array.reshape(-1).tolist()
    try:
        return [Fraction(value) for value in flat]
    except (OverflowError, TypeError):
        raise ValueError("a number that is not finite") from None


def inverse_sqrt(value: Fraction) -> Fraction:
    """``1 / sqrt(value)`` for a positive rational: exact where that is rational.

    Otherwise the result is below the true value by less than 2**-SQRT_BITS of it.
    """
    above, below = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if above * above == value.numerator and below * below == value.denominator:
        return Fraction(below, above)
    # 2**shift / sqrt(n/d) = sqrt(d * 2**(2 shift) / n), with enough bits in the integer part.
    shift = SQRT_BITS + max(0, value.numerator.bit_length() - value.denominator.bit_length()) // 2
    root = math.isqrt((value.denominator << (2 * shift)) // value.numerator)
    return Fraction(root, 1 << shift)


def rounded(value: Fraction, mode: str) -> int:
    """``value`` as an integer in one of QONNX's rounding modes.

    ROUND is half to even; UP and DOWN go away from and towards zero; HALF_UP and HALF_DOWN take a
    half away from and towards zero. Raises ``ValueError`` for another mode.
    """
    toward_zero = abs(value).__floor__()
    rest = abs(value) - toward_zero
    sign = -1 if value < 0 else 1
    half = Fraction(1, 2)
    match mode.upper():
        case "ROUND" | "HALF_EVEN":
            return round(value)
        case "FLOOR":
            return math.floor(value)
        case "CEIL":
            return math.ceil(value)
        case "UP":
            return sign * (toward_zero + (rest > 0))
        case "DOWN" | "ROUND_TO_ZERO":
            return sign * toward_zero
        case "HALF_UP":
            return sign * (toward_zero + (rest >= half))
        case "HALF_DOWN":
            return sign * (toward_zero + (rest > half))
    raise ValueError(mode)
