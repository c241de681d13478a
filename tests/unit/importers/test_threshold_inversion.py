"""Thresholds in closed form against the slow definition: every integer tried, in the order of the steps.

Rounding modes are the standard library's ``decimal``.
"""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bnnsim.importers.exact.channel_function import (
    Affine,
    AtLeastZero,
    Clip,
    Count,
    Prelu,
    Round,
    Sign,
)
from bnnsim.importers.exact.inversion import least_inputs

_MODES = {
    "ROUND": decimal.ROUND_HALF_EVEN,
    "HALF_EVEN": decimal.ROUND_HALF_EVEN,
    "FLOOR": decimal.ROUND_FLOOR,
    "CEIL": decimal.ROUND_CEILING,
    "UP": decimal.ROUND_UP,
    "DOWN": decimal.ROUND_DOWN,
    "ROUND_TO_ZERO": decimal.ROUND_DOWN,
    "HALF_UP": decimal.ROUND_HALF_UP,
    "HALF_DOWN": decimal.ROUND_HALF_DOWN,
}
_LOW, _HIGH = -20, 20


def _value(steps, x):
    """The steps on a number, each written out; quarters and eighths are exact in decimal."""
    for step in steps:
        match step:
            case Affine(gain, offset):
                x = gain * x + offset
            case Prelu(slope):
                x = x if x >= 0 else slope * x
            case Clip(low, high):
                x = min(max(x, low), high)
            case Round(mode, low, high):
                exact = Decimal(x.numerator) / Decimal(x.denominator)
                x = Fraction(int(exact.quantize(Decimal(1), rounding=_MODES[mode])))
                x = min(max(x, low), high)
            case Sign():
                x = Fraction(0 if x == 0 else 1 if x > 0 else -1)
            case AtLeastZero(strict):
                x = Fraction(x > 0 if strict else x >= 0)
            case Count(thresholds):
                x = Fraction(sum(one <= x for one in thresholds))
    return x


def _slow(steps, levels):
    """For each level the first integer that reaches it, counted up from the least."""
    reached = [_value(steps, Fraction(n)) for n in range(_LOW, _HIGH + 1)]
    return [next((_LOW + i for i, v in enumerate(reached) if v >= level), _HIGH + 1) for level in levels]


_eighths = st.integers(-40, 40).map(lambda n: Fraction(n, 8))
_gains = st.sampled_from([Fraction(n, 8) for n in (-16, -12, -8, -4, -2, -1, 0, 1, 2, 3, 4, 8, 12, 16)])
_ordered = st.tuples(st.integers(-9, 3), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair)))
_steps = st.one_of(
    st.builds(Affine, _gains, _eighths),
    st.builds(Prelu, st.sampled_from([Fraction(0), Fraction(1, 4), Fraction(1, 2), Fraction(2)])),
    _ordered.map(lambda pair: Clip(Fraction(pair[0], 2), Fraction(pair[1], 2))),
    st.tuples(st.sampled_from(sorted(_MODES)), _ordered).map(lambda found: Round(found[0], *found[1])),
    st.just(Sign()),
    st.builds(AtLeastZero, st.booleans()),
    st.lists(_eighths, min_size=1, max_size=5).map(lambda found: Count(tuple(sorted(found)))),
)


@settings(max_examples=300)
@given(st.lists(_steps, min_size=1, max_size=6).map(tuple))
@example((Affine(Fraction(1, 2), Fraction(-1, 2)), Round("ROUND", -8, 7)))
@example((Affine(Fraction(-1, 2)), Round("HALF_UP", -8, 7), Affine(Fraction(-1, 4))))
@example((Affine(Fraction(-1)), Sign(), Affine(Fraction(-1)), Sign()))
def test_thresholds_are_those_that_trying_every_integer_finds(steps):
    falls = sum(isinstance(step, Affine) and step.gain < 0 for step in steps) % 2
    if falls:
        steps = (Affine(Fraction(-1)), *steps)
    levels = range(-9, 10)
    assert least_inputs(steps, levels, _LOW, _HIGH) == _slow(steps, levels)


@pytest.mark.parametrize("mode", sorted(_MODES))
def test_every_rounding_mode_is_right_at_every_tie(mode):
    steps = (Affine(Fraction(1, 4), Fraction(1, 8)), Affine(Fraction(2)), Round(mode, -9, 9))
    assert least_inputs(steps, range(-9, 10), _LOW, _HIGH) == _slow(steps, range(-9, 10))
    halves = (Affine(Fraction(1, 2)), Round(mode, -9, 9))
    assert least_inputs(halves, range(-9, 10), _LOW, _HIGH) == _slow(halves, range(-9, 10))


def test_falling_chain_is_no_thresholds():
    with pytest.raises(ValueError, match="never falls"):
        least_inputs((Affine(Fraction(-1)),), [0], _LOW, _HIGH)
    with pytest.raises(ValueError, match="never falls"):
        least_inputs((Prelu(Fraction(-1)),), [0], _LOW, _HIGH)
