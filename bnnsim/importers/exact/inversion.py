"""Thresholds in closed form: a channel's function inverted step by step, for all levels at once.

Where a function never falls, the inputs that reach a level are all above some number. Walking its steps
from last to first, that number is known exactly at each of them: a rational, kept as an integer over
one denominator for all levels, and whether it belongs to the inputs itself. No search, no float.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from bnnsim.importers.exact.channel_function import (
    Affine,
    AtLeastZero,
    Chain,
    Clip,
    Count,
    Prelu,
    Round,
    Sign,
    Smooth,
    Stairs,
    Step,
    Sum,
    Table,
)
from bnnsim.importers.exact.smooth import BITS, SmoothKind, inverse_of, range_of


@dataclass(frozen=True)
class _Always:
    """Every input reaches the level."""


@dataclass(frozen=True)
class _Never:
    """No input does."""


_ALWAYS, _NEVER = _Always(), _Never()
_Bound = tuple[int, bool] | _Always | _Never
"""A numerator, and whether the input must lie beyond it (else it may equal it)."""


@dataclass(frozen=True)
class _Bounds:
    """What a step must put out for each level: a number over ``denominator`` (above 0) or more; or less,
    where ``is_upper``."""

    numbers: list[_Bound]
    denominator: int = 1
    is_upper: bool = False


def least_inputs(chain: Chain, levels: Sequence[int], low: int, high: int) -> list[int]:
    """For each level the least x in ``low .. high`` with ``chain(x) >= level``, else ``high + 1``.

    The chain never falls (direction +1). Raises ``ValueError`` for one that does.
    """
    bounds = _Bounds([(level, False) for level in levels])
    for step in reversed(chain):
        bounds = _in_front(step, bounds)
    if bounds.is_upper and any(isinstance(one, tuple) for one in bounds.numbers):
        raise ValueError("a chain that never falls")
    return [_least(one, bounds.denominator, low, high) for one in bounds.numbers]


def _least(bound: _Bound, denominator: int, low: int, high: int) -> int:
    if isinstance(bound, _Always):
        return low
    if isinstance(bound, _Never):
        return high + 1
    number, beyond = bound
    least = number // denominator + 1 if beyond else -(-number // denominator)
    return min(max(least, low), high + 1)


def _in_front(step: Step, behind: _Bounds) -> _Bounds:
    """What must come into a step so that what leaves it is within ``behind``."""
    if isinstance(step, Affine):
        return _affine(step, behind)
    denominator, above = _rising(step, behind.denominator)
    numbers: list[_Bound] = []
    for one in behind.numbers:
        if not isinstance(one, tuple):
            numbers.append(one)
        elif behind.is_upper:  # at most y: not above y
            numbers.append(_complement(above(one[0], not one[1])))
        else:
            numbers.append(above(*one))
    return _Bounds(numbers, denominator, behind.is_upper)


def _complement(bound: _Bound) -> _Bound:
    if isinstance(bound, tuple):
        return bound[0], not bound[1]
    return _NEVER if isinstance(bound, _Always) else _ALWAYS


def _affine(step: Affine, behind: _Bounds) -> _Bounds:
    """``gain * x + offset``: the bound less the offset, over the gain."""
    gain, offset = step.gain, step.offset
    if gain == 0:
        return _Bounds([_constant(offset, one, behind) for one in behind.numbers], 1, behind.is_upper)
    sign = 1 if gain > 0 else -1
    factor = sign * offset.denominator * gain.denominator
    less = sign * offset.numerator * behind.denominator * gain.denominator
    denominator = behind.denominator * offset.denominator * abs(gain.numerator)
    common = math.gcd(factor, less, denominator)
    factor, less, denominator = factor // common, less // common, denominator // common
    numbers: list[_Bound] = [
        (one[0] * factor - less, one[1]) if isinstance(one, tuple) else one for one in behind.numbers
    ]
    return _Bounds(numbers, denominator, behind.is_upper != (sign < 0))


def _constant(value: Fraction, bound: _Bound, behind: _Bounds) -> _Bound:
    if not isinstance(bound, tuple):
        return bound
    limit = Fraction(bound[0], behind.denominator)
    beyond = value < limit if behind.is_upper else value > limit
    return _ALWAYS if beyond or (value == limit and not bound[1]) else _NEVER


_Above = Callable[[int, bool], _Bound]
"""From "at least (or beyond) number / denominator comes out" to what must come in."""


def _rising(step: Step, denominator: int) -> tuple[int, _Above]:
    """The inverse of a rising step for bounds over ``denominator``, and its own denominator."""
    match step:
        case Prelu(slope):
            return _prelu(slope, denominator)
        case Clip(low, high):
            return denominator, _clip(low, high, denominator)
        case Round():
            return 2, _round(step, denominator)
        case Sign():
            return 1, lambda n, beyond: _of_sign(_least_integer(n, denominator, beyond))
        case AtLeastZero(strict):
            return 1, lambda n, beyond: _of_step(_least_integer(n, denominator, beyond), strict)
        case Count(thresholds):
            return _count(thresholds, denominator)
        case Smooth(kind):
            return 1 << BITS, lambda n, beyond: _smooth(kind, Fraction(n, denominator), beyond)
        case Stairs(bounds):
            return _stairs(bounds, denominator)
        case Affine() | Table() | Sum():
            raise AssertionError("may fall, or is taken apart before")
        case _:
            assert_never(step)


def _least_integer(number: int, denominator: int, beyond: bool) -> int:
    """The least integer that is at least (or beyond) a rational: what a quantiser must give."""
    return number // denominator + 1 if beyond else -(-number // denominator)


def _prelu(slope: Fraction, denominator: int) -> tuple[int, _Above]:
    if slope < 0:
        raise ValueError("a chain that never falls")

    def above(number: int, beyond: bool) -> _Bound:
        if number > 0 or (number == 0 and beyond):
            return number * max(slope.numerator, 1), beyond
        if slope == 0:
            return _ALWAYS
        return number * slope.denominator, beyond

    return denominator * max(slope.numerator, 1), above


def _smooth(kind: SmoothKind, limit: Fraction, beyond: bool) -> _Bound:
    low, high = range_of(kind)
    if limit <= low:
        return _ALWAYS
    if limit >= high:
        return _NEVER
    number, is_exact = inverse_of(kind, limit)
    return number, beyond or not is_exact


def _clip(low: Fraction | None, high: Fraction | None, denominator: int) -> _Above:
    def above(number: int, beyond: bool) -> _Bound:
        limit = Fraction(number, denominator) if low is not None or high is not None else Fraction(0)
        if high is not None and (high < limit or (high == limit and beyond)):
            return _NEVER
        if low is not None and (low > limit or (low == limit and not beyond)):
            return _ALWAYS
        return number, beyond

    return above


def _round(step: Round, denominator: int) -> _Above:
    mode = step.mode.upper()

    def above(number: int, beyond: bool) -> _Bound:
        least = _least_integer(number, denominator, beyond)
        if step.high is not None and least > step.high:
            return _NEVER
        if step.low is not None and least <= step.low:
            return _ALWAYS
        return _rounded_to(least, mode)

    return above


def _rounded_to(integer: int, mode: str) -> tuple[int, bool]:
    """What is rounded to ``integer`` or more, in halves. Raises ``ValueError`` for an unknown mode."""
    is_positive = integer > 0
    match mode:
        case "ROUND" | "HALF_EVEN":
            return 2 * integer - 1, integer % 2 != 0
        case "HALF_UP":
            return 2 * integer - 1, not is_positive
        case "HALF_DOWN":
            return 2 * integer - 1, is_positive
        case "FLOOR":
            return 2 * integer, False
        case "CEIL":
            return 2 * integer - 2, True
        case "UP":
            return (2 * integer - 2, True) if is_positive else (2 * integer, False)
        case "DOWN" | "ROUND_TO_ZERO":
            return (2 * integer, False) if is_positive else (2 * integer - 2, True)
    raise ValueError(mode)


def _of_sign(least: int) -> _Bound:
    if least <= -1:
        return _ALWAYS
    return (0, least == 1) if least <= 1 else _NEVER


def _of_step(least: int, strict: bool) -> _Bound:
    if least <= 0:
        return _ALWAYS
    return (0, strict) if least == 1 else _NEVER


def _count(thresholds: Sequence[Fraction], denominator: int) -> tuple[int, _Above]:
    common = math.lcm(*(one.denominator for one in thresholds))
    scaled = [one.numerator * (common // one.denominator) for one in thresholds]

    def above(number: int, beyond: bool) -> _Bound:
        least = _least_integer(number, denominator, beyond)
        if least <= 0:
            return _ALWAYS
        return (scaled[least - 1], False) if least <= len(scaled) else _NEVER

    return common, above


def _stairs(bounds: Sequence[tuple[Fraction, bool]], denominator: int) -> tuple[int, _Above]:
    common = math.lcm(*(one.denominator for one, _ in bounds))
    scaled = [one.numerator * (common // one.denominator) for one, _ in bounds]

    def above(number: int, beyond: bool) -> _Bound:
        least = _least_integer(number, denominator, beyond)
        if least <= 0:
            return _ALWAYS
        return (scaled[least - 1], bounds[least - 1][1]) if least <= len(scaled) else _NEVER

    return common, above
