"""A function of steps as pieces of straight lines: where sums of quantisers of one number are stairs."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

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
    apply,
)

_MOST_PIECES = 1024
_ZERO = Fraction(0)


@dataclass(frozen=True)
class Pieces:
    """A line on each open interval between ``points``, and a value ``at`` each of them."""

    points: tuple[Fraction, ...] = ()
    at: tuple[Fraction, ...] = ()
    lines: tuple[Affine, ...] = (Affine(),)

    def value(self, x: Fraction) -> Fraction:
        place = bisect.bisect_left(self.points, x)
        if place < len(self.points) and self.points[place] == x:
            return self.at[place]
        line = self.lines[place]
        return line.gain * x + line.offset

    def line_at(self, x: Fraction) -> Affine:
        """The line of the interval that holds ``x``, which is none of the points."""
        return self.lines[bisect.bisect_left(self.points, x)]


def stairs_of(step: Sum) -> tuple[Stairs, Table] | None:
    """A sum as stairs that only rise and the value of each; None where it is none."""
    pieces = _of_step(step)
    if pieces is None or any(line.gain for line in pieces.lines):
        return None
    bounds: list[tuple[Fraction, bool]] = []
    values = [pieces.lines[0].offset]
    for point, at, line in zip(pieces.points, pieces.at, pieces.lines[1:], strict=True):
        for value, beyond in ((at, False), (line.offset, True)):
            if value < values[-1]:
                return None
            if value > values[-1]:
                bounds.append((point, beyond))
                values.append(value)
    return (Stairs(tuple(bounds)), Table(tuple(values))) if bounds else None


def _of_chain(chain: Chain) -> Pieces | None:
    found = Pieces()
    for step in chain:
        outer = _of_step(step)
        if outer is None:
            return None
        found = _composed(outer, found)
        if len(found.points) > _MOST_PIECES:
            return None
    return found


@lru_cache(maxsize=64)
def _of_step(step: Step) -> Pieces | None:
    if isinstance(step, Affine):
        return Pieces(lines=(step,))
    if isinstance(step, Sum):
        branches = [_of_chain(chain) for chain in step.chains]
        found = [one for one in branches if one is not None]
        return _added(found) if len(found) == len(branches) else None
    points = _points(step)
    if points is None or isinstance(step, Table):
        return None
    at = tuple(apply(step, point) for point in points)
    return Pieces(tuple(points), at, tuple(_line(step, x) for x in _between(points)))


def _points(step: Step) -> list[Fraction] | None:
    """Where a step is not straight; None where that is everywhere, or there is no end of them."""
    match step:
        case Sign() | AtLeastZero() | Prelu():
            return [_ZERO]
        case Count(thresholds):
            return sorted(set(thresholds))
        case Stairs(bounds):
            return sorted({point for point, _ in bounds})
        case Clip(low, high):
            return sorted({one for one in (low, high) if one is not None})
        case Round(_, low, high) if low is not None and high is not None and high - low < _MOST_PIECES:
            return [Fraction(half, 2) for half in range(2 * low - 1, 2 * high + 2)]
        case Table() | Smooth() | Round() | Affine() | Sum():
            return None


def _line(step: Step, x: Fraction) -> Affine:
    """A step's line around ``x``, where it is straight."""
    if isinstance(step, Prelu):
        return Affine() if x > 0 else Affine(step.slope)
    value = apply(step, x)
    return Affine() if isinstance(step, Clip) and value == x else Affine(_ZERO, value)


def _between(points: Iterable[Fraction]) -> list[Fraction]:
    """A number of each open interval that the points part."""
    ends = list(points)
    if not ends:
        return [_ZERO]
    middles = [(a + b) / 2 for a, b in pairwise(ends)]
    return [ends[0] - 1, *middles, ends[-1] + 1]


def _composed(outer: Pieces, inner: Pieces) -> Pieces:
    """``outer(inner(x))``."""
    points = set(inner.points)
    ends: list[Fraction | None] = [None, *inner.points, None]
    for line, low, high in zip(inner.lines, ends, ends[1:], strict=False):
        if line.gain:
            crossings = [(point - line.offset) / line.gain for point in outer.points]
            points |= {
                x for x in crossings if (low is None or x > low) and (high is None or x < high)
            }
    ordered = sorted(points)
    lines = []
    for x in _between(ordered):
        line = inner.line_at(x)
        value = line.gain * x + line.offset
        if not line.gain:
            lines.append(Affine(_ZERO, outer.value(value)))
            continue
        behind = outer.line_at(value)
        lines.append(Affine(behind.gain * line.gain, behind.gain * line.offset + behind.offset))
    return _shortest(ordered, [outer.value(inner.value(x)) for x in ordered], lines)


def _added(parts: list[Pieces]) -> Pieces:
    ordered = sorted({point for part in parts for point in part.points})
    lines = []
    for x in _between(ordered):
        along = [part.line_at(x) for part in parts]
        gain = sum((line.gain for line in along), _ZERO)
        lines.append(Affine(gain, sum((line.offset for line in along), _ZERO)))
    at = [sum((part.value(x) for part in parts), _ZERO) for x in ordered]
    return _shortest(ordered, at, lines)


def _shortest(points: list[Fraction], at: list[Fraction], lines: list[Affine]) -> Pieces:
    """Without points at which nothing changes."""
    kept = [
        i
        for i, x in enumerate(points)
        if lines[i] != lines[i + 1] or at[i] != lines[i].gain * x + lines[i].offset
    ]
    return Pieces(
        tuple(points[i] for i in kept),
        tuple(at[i] for i in kept),
        (lines[0], *(lines[i + 1] for i in kept)),
    )
