"""What a model does to a layer's integers before the next quantiser: one exact function a channel.

A chain is a tuple of steps; it maps an integer (a sum, a pixel) to a real number. All arithmetic is on
rationals, so a threshold derived from a chain cannot fall on the wrong side of an integer.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from bnnsim.importers.exact.rational import rounded
from bnnsim.importers.exact.smooth import SmoothKind, value_of

ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class Affine:
    """``gain * x + offset``: batch-norm, scaling factors, biases."""

    gain: Fraction = ONE
    offset: Fraction = ZERO


@dataclass(frozen=True)
class Prelu:
    """``x`` where it is positive, else ``slope * x``; a slope of 0 is ReLU."""

    slope: Fraction


@dataclass(frozen=True)
class Clip:
    """``x`` limited to ``low .. high``, either of which may be absent: HardTanh, ReLU6."""

    low: Fraction | None
    high: Fraction | None


@dataclass(frozen=True)
class Round:
    """``x`` rounded to an integer in a QONNX rounding mode, limited to ``low .. high``."""

    mode: str
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Sign:
    """-1, 0 or +1: ONNX's Sign, whose sign of zero is zero."""


@dataclass(frozen=True)
class AtLeastZero:
    """1 where ``x >= 0`` (``strict``: ``x > 0``), else 0."""

    strict: bool = False


@dataclass(frozen=True)
class Count:
    """How many of the ascending ``thresholds`` are ``<= x``."""

    thresholds: tuple[Fraction, ...]


@dataclass(frozen=True)
class Smooth:
    """Sigmoid or tanh: they rise everywhere."""

    kind: SmoothKind


@dataclass(frozen=True)
class Stairs:
    """How many of the rising ``bounds`` x reaches: ``x >= bound``, or ``x > bound`` where it says so."""

    bounds: tuple[tuple[Fraction, bool], ...]


@dataclass(frozen=True)
class Table:
    """The x-th of so many rising values."""

    values: tuple[Fraction, ...]


@dataclass(frozen=True)
class Sum:
    """The sum of several functions of one number: residual binarization's levels, and what is left."""

    chains: tuple[Chain, ...]


Step = Affine | Prelu | Clip | Round | Sign | AtLeastZero | Count | Smooth | Stairs | Table | Sum
Chain = tuple[Step, ...]
QUANTISERS = (Round, Sign, AtLeastZero, Count, Stairs)


def apply(step: Step, x: Fraction) -> Fraction:
    """One step on one number."""
    match step:
        case Affine(gain, offset):
            return gain * x + offset
        case Prelu(slope):
            return x if x > 0 else slope * x
        case Clip(low, high):
            x = x if low is None else max(x, low)
            return x if high is None else min(x, high)
        case Round(mode, lowest, highest):
            value = rounded(x, mode)
            value = value if lowest is None else max(value, lowest)
            return Fraction(value if highest is None else min(value, highest))
        case Sign():
            return Fraction((x > 0) - (x < 0))
        case AtLeastZero(strict):
            return Fraction(int(x > 0 if strict else x >= 0))
        case Count(thresholds):
            return Fraction(bisect.bisect_right(thresholds, x))
        case Smooth(kind):
            return value_of(kind, x)
        case Stairs(bounds):
            return Fraction(sum(x > bound or (x == bound and not beyond) for bound, beyond in bounds))
        case Table(values):
            return values[int(x)]
        case Sum(chains):
            return sum((evaluate(chain, x) for chain in chains), ZERO)


def evaluate(chain: Chain, x: Fraction | int) -> Fraction:
    """The chain's value at ``x``."""
    value = Fraction(x)
    for step in chain:
        value = apply(step, value)
    return value


def extended(chain: Chain, step: Step, merges_signs: bool = True) -> Chain:
    """``chain`` followed by ``step``; neighbouring affine steps become one, and so do signs of signs."""
    if isinstance(step, Affine) and chain and isinstance(chain[-1], Affine):
        last = chain[-1]
        step = Affine(last.gain * step.gain, last.offset * step.gain + step.offset)
        chain = chain[:-1]
    if merges_signs and isinstance(step, Sign) and len(chain) >= 2 and isinstance(chain[-2], Sign):
        merged = _sign_of_sign(chain[-1])
        if merged is not None:
            return (*chain[:-2], merged, Affine(Fraction(2), Fraction(-1)))
    return chain if step == Affine() else (*chain, step)


def joined(first: Chain, second: Chain, merges_signs: bool = True) -> Chain:
    """``first`` followed by ``second``, each step as :func:`extended` adds it."""
    for step in second:
        first = extended(first, step, merges_signs)
    return first


def _alike(join: Callable[[int, bool], Chain], count: int) -> tuple[Chain, ...]:
    """The channels' chains with signs of signs merged, where that leaves all with the same quantisers.

    A batch norm between two signs may turn one channel's sign round and hold another's still.
    """
    merged = tuple(join(channel, True) for channel in range(count))
    if len({tuple(type(s) for s in chain if isinstance(s, QUANTISERS)) for chain in merged}) <= 1:
        return merged
    return tuple(join(channel, False) for channel in range(count))


def _sign_of_sign(between: Step) -> AtLeastZero | None:
    """Larq's sign(sign(x) + 0.1) is one comparison: which one, if it is one."""
    values = [apply(Sign(), apply(between, Fraction(x))) for x in (-1, 0, 1)]
    if values[0] == -1 and values[2] == 1 and values[1]:
        return AtLeastZero(strict=values[1] < 0)
    return None


def direction(chain: Chain) -> int:
    """+1 where the chain never falls, -1 where it never rises, 0 where it may do both."""
    result = 1
    for step in chain:
        if isinstance(step, Affine) and step.gain < 0:
            result = -result
        if isinstance(step, Prelu) and step.slope < 0:
            return 0
    return result


def as_affine(chain: Chain) -> Affine | None:
    """The chain as one affine step, None where it is more."""
    if not chain:
        return Affine()
    return chain[0] if len(chain) == 1 and isinstance(chain[0], Affine) else None


@dataclass(frozen=True)
class ChannelFunction:
    """One chain for all channels, or one a channel."""

    chains: tuple[Chain, ...] = ((),)

    @property
    def is_shared(self) -> bool:
        return len(self.chains) == 1

    @cached_property
    def simplest(self) -> ChannelFunction:
        """With one chain where all are equal."""
        first = self.chains[0]
        return self if any(chain != first for chain in self.chains) else ChannelFunction((first,))

    def of(self, channel: int) -> Chain:
        """The chain of one channel."""
        return self.chains[0 if self.is_shared else channel]

    def then(self, steps: Sequence[Step]) -> ChannelFunction:
        """Followed by a step for all channels, or one a channel."""
        count = max(len(self.chains), len(steps))

        def join(c: int, merges_signs: bool) -> Chain:
            return extended(self.of(c), steps[0] if len(steps) == 1 else steps[c], merges_signs)

        return ChannelFunction(_alike(join, count))

    def before(self, other: ChannelFunction) -> ChannelFunction:
        """Followed by ``other``; one of the two may differ between channels."""
        count = max(len(self.chains), len(other.chains))
        chains = _alike(lambda c, merges_signs: joined(self.of(c), other.of(c), merges_signs), count)
        return ChannelFunction(chains).simplest

    def affine(self) -> tuple[Affine, ...] | None:
        """One affine step for each chain, None where some chain is more than that."""
        found = [as_affine(chain) for chain in self.chains]
        return None if None in found else tuple(step for step in found if step is not None)

    def shared_affine(self) -> Affine | None:
        """The one affine step that all channels share, None where there is no such step."""
        steps = self.simplest.affine()
        return steps[0] if steps is not None and len(steps) == 1 else None

    @cached_property
    def quantiser_position(self) -> int:
        """Position of the last quantiser in the chains; -1 where there is none."""
        chain = self.chains[0]
        found = [i for i, step in enumerate(chain) if isinstance(step, QUANTISERS)]
        return found[-1] if found else -1

    @cached_property
    def sum_position(self) -> int:
        """Position of the first sum in the chains; -1 where there is none."""
        return next((i for i, step in enumerate(self.chains[0]) if isinstance(step, Sum)), -1)

    def split(self) -> tuple[ChannelFunction, ChannelFunction]:
        """Up to and with the last quantiser (whose values are integers), and what follows it."""
        heads, tails = [], []
        for chain in self.chains:
            found = [i for i, step in enumerate(chain) if isinstance(step, QUANTISERS)]
            cut = found[-1] + 1 if found else 0
            heads.append(chain[:cut])
            tails.append(chain[cut:])
        return ChannelFunction(tuple(heads)), ChannelFunction(tuple(tails))
