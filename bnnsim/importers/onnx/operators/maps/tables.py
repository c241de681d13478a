"""Functions of real values in a table: sigmoids and tanhs that no quantiser follows, square roots."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from bnnsim.importers.exact.channel_function import Smooth
from bnnsim.importers.exact.rational import inverse_sqrt
from bnnsim.importers.exact.smooth import value_of
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.spec.value_type import ValueType

WORD_BITS = 24
"""Of a table's values: as many as a float32 has."""


@dataclass(frozen=True)
class Curve:
    """A function with what bounds the error of its table.

    ``value`` at a number; outside of ``low`` .. ``high`` it is as at the end, at most ``beyond`` off;
    ``slope``: the steepest; ``bend``: the greatest second derivative from a number on.
    """

    name: str
    value: Callable[[Fraction], Fraction]
    slope: Fraction
    bend: Callable[[Fraction], Fraction]
    low: Fraction | None = None
    high: Fraction | None = None
    beyond: Fraction = Fraction(0)
    pieces: int = 1 << 10


def smooth_curve(step: Smooth) -> Curve:
    """Sigmoid and tanh: their greatest second derivatives are 1 / (6 sqrt 3) and 4 / (3 sqrt 3)."""
    is_tanh = step.kind == "tanh"
    end = Fraction(9 if is_tanh else 17)
    return Curve(
        step.kind,
        lambda x: value_of(step.kind, x),
        Fraction(1) if is_tanh else Fraction(1, 4),
        lambda _: Fraction(77, 100) if is_tanh else Fraction(97, 1000),
        -end,
        end,
        abs(value_of(step.kind, Fraction(1000)) - value_of(step.kind, end)),
    )


def inverse_root(offset: Fraction) -> Curve:
    """``1 / sqrt(x + offset)`` of numbers from 0 on."""
    steepest = inverse_sqrt(offset) ** 3 / 2
    return Curve(
        "1 / sqrt",
        lambda x: inverse_sqrt(x + offset),
        steepest,
        lambda x: inverse_sqrt(x + offset) ** 5 * 3 / 4,
        low=Fraction(0),
        pieces=1 << 12,
    )


def append_table(state: Lowering, base: str, unit: Fraction, curve: Curve) -> tuple[str, Fraction]:
    """The layer that puts out ``curve`` of the integers of ``base`` times ``unit``, and its unit.

    The error is what straight pieces leave (the step squared times the bend, over 8, and no more than a
    piece rises), a rounding of the values and one between them. All curves rise or fall everywhere.
    """
    key = ("table", base, unit, curve.name, curve.low, curve.slope)
    if key not in state.made:
        state.made[key] = _appended(state, base, unit, curve)
    made: tuple[str, Fraction] = state.made[key]
    return made


def _appended(state: Lowering, base: str, unit: Fraction, curve: Curve) -> tuple[str, Fraction]:
    draft = state.draft
    low, high = draft.bounds_of(base)
    low = low if curve.low is None else max(low, math.floor(curve.low / unit))
    high = max(low, high if curve.high is None else min(high, math.ceil(curve.high / unit)))
    shift = max(0, (high - low).bit_length() - (curve.pieces.bit_length() - 1))
    pieces = max(1, -(-(high - low + 1) // (1 << shift)))
    reals = [curve.value((low + (piece << shift)) * unit) for piece in range(pieces + 1)]
    reach = max(abs(real) for real in reals)
    point = max(0, WORD_BITS - 1 - math.floor(reach + 1).bit_length())
    word = ValueType("fixed", WORD_BITS, min(point, WORD_BITS))
    out_unit = Fraction(1, 1 << word.fraction_bits)
    values = [round(real / out_unit) for real in reals]
    step = unit * (1 << shift)
    rises = max(abs(b - a) for a, b in pairwise(reals))
    pieces_off = min(step * step * curve.bend(low * unit) / 8, rises) if shift else Fraction(0)
    layer = draft.append("lookup", [base], draft.shape_of(base), min(values), max(values))
    layer.activation = word
    layer.options = {"low": low, "shift_bits": shift, "segments": pieces}
    layer.arrays = {"values": np.array(values, np.int64)}
    end = curve.beyond + (curve.slope * unit if shift else 0)
    layer.error_steps = 1 + max(pieces_off, end) / out_unit
    layer.steepness = curve.slope * unit / out_unit
    layer.reach = reach
    off = float(draft.error_of(layer.name) * out_unit)
    state.notes.append(
        f"{layer.name}: {curve.name} in {pieces} straight pieces, {word}, at most {off:.3g} off"
    )
    return layer.name, out_unit
