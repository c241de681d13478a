"""Sigmoid and tanh between rationals: their inverse decides a comparison exactly.

At a rational other than where they cross zero both inverses are irrational, so no rational input lies
on a threshold: one that is known to :data:`BITS` behind the point decides every comparison.
"""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction
from typing import Literal

SmoothKind = Literal["sigmoid", "tanh"]
BITS = 512
_CONTEXT = decimal.Context(prec=200)
_SATURATED = 400
"""Beyond it the result is 1 (or the least) up to 173 digits."""


def value_of(kind: SmoothKind, x: Fraction) -> Fraction:
    """The function at ``x``, to some 190 digits."""
    bounded = max(Fraction(-_SATURATED), min(Fraction(_SATURATED), x))
    turned = bounded if kind == "sigmoid" else 2 * bounded
    power = _CONTEXT.exp(_CONTEXT.minus(_decimal(turned)))
    share = 1 / (1 + Fraction(power))
    return share if kind == "sigmoid" else 2 * share - 1


def power_of_e(x: Fraction) -> Fraction:
    """e to the power of ``x``, to some 190 digits."""
    return Fraction(_CONTEXT.exp(_decimal(x)))


def range_of(kind: SmoothKind) -> tuple[int, int]:
    """The limits that the function never reaches."""
    return (0, 1) if kind == "sigmoid" else (-1, 1)


def inverse_of(kind: SmoothKind, y: Fraction) -> tuple[int, bool]:
    """The input that gives ``y``, over ``2**BITS``, and whether that is exact; else it is rounded down.

    ``y`` lies within :func:`range_of`.
    """
    share = y if kind == "sigmoid" else (y + 1) / 2
    if share == Fraction(1, 2):
        return 0, True
    logarithm = _CONTEXT.ln(_decimal(share / (1 - share)))
    found = Fraction(logarithm) if kind == "sigmoid" else Fraction(logarithm) / 2
    return (found * (1 << BITS)).__floor__(), False


def _decimal(value: Fraction) -> Decimal:
    return _CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))
