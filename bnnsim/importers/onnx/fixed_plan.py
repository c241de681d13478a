"""A function of real values as layers in fixed point can compute it: affine steps between kinks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from bnnsim.importers.exact.channel_function import ONE, Affine, Chain, Clip, Prelu, Smooth
from bnnsim.importers.onnx.graph import Operator

KinkKind = Literal["slope", "low", "high"]


@dataclass(frozen=True)
class Kink:
    """What stands between two affine steps: a PReLU's slopes, or the lowest or highest values.

    Channels may have numbers of their own; None where a channel passes unchanged.
    """

    kind: KinkKind
    values: tuple[Fraction | None, ...]

    def behind(self, channel: int, ends: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
        """What it makes of everything between two ends, as ends again."""
        value, low, high = self.values[channel], min(ends), max(ends)
        if value is None:
            return ends
        if self.kind == "slope":
            bent = tuple(x if x > 0 else value * x for x in (low, high))
            return (*bent, Fraction(0)) if low < 0 < high else bent
        limit = max if self.kind == "low" else min
        return limit(low, value), limit(high, value)

    def scaled(self, gains: Sequence[Fraction]) -> Kink:
        """The kink behind positive ``gains`` that have moved in front of it."""
        if self.kind == "slope":
            return self
        pairs = zip(self.values, gains, strict=True)
        return Kink(self.kind, tuple(None if value is None else value * gain for value, gain in pairs))


@dataclass(frozen=True)
class FixedPlan:
    """``affines[0]``, ``kinks[0]``, ``affines[1]`` ...: one affine more than kinks, each a step a
    channel. Gains behind a kink that are positive have moved in front of it."""

    affines: tuple[tuple[Affine, ...], ...]
    kinks: tuple[Kink, ...] = ()

    @property
    def channels(self) -> int:
        return len(self.affines[0])

    @property
    def last(self) -> tuple[Affine, ...]:
        """The affine steps behind the last kink."""
        return self.affines[-1]

    def reach(self, bounds: tuple[int, int]) -> Fraction:
        """The greatest magnitude that any step makes of integers within ``bounds``."""
        ends = [tuple(Fraction(one) for one in bounds)] * self.channels
        most = Fraction(0)
        for position, steps in enumerate(self.affines):
            ends = [
                tuple(step.gain * x + step.offset for x in pair)
                for step, pair in zip(steps, ends, strict=True)
            ]
            if position < len(self.kinks) or any(step.gain != 1 for step in steps) or not position:
                most = max(most, *(abs(x) for pair in ends for x in pair))
            if position < len(self.kinks):
                kink = self.kinks[position]
                ends = [kink.behind(c, pair) for c, pair in enumerate(ends)]
                most = max(most, *(abs(x) for pair in ends for x in pair))
        return most


def fixed_plan(operator: Operator, chains: Sequence[Chain]) -> FixedPlan:
    """The plan of ``chains``, one a channel, which hold no quantiser.

    Channels that joined from several places have different kinks: where one lacks a kink of others it
    passes it unchanged.
    """
    smooth = next((s.kind for chain in chains for s in chain if isinstance(s, Smooth)), None)
    if smooth is not None:
        raise operator.fault(f"a sign or another quantiser behind a {smooth}", "its real values")
    affines, kinks = _aligned([_parted(chain) for chain in chains])
    for i in reversed(range(len(kinks))):
        behind = affines[i + 1]
        if any(step.gain < 0 for step in behind):
            continue
        affines[i] = [
            Affine(step.gain * after.gain, step.offset * after.gain)
            for step, after in zip(affines[i], behind, strict=True)
        ]
        kinks[i] = kinks[i].scaled([after.gain for after in behind])
        affines[i + 1] = [Affine(ONE, after.offset) for after in behind]
    return FixedPlan(tuple(tuple(steps) for steps in affines), tuple(kinks))


_Parts = tuple[list[Affine], list[tuple[KinkKind, Fraction]]]
"""A channel's affine steps, and the kinks between them: one fewer."""


def _parted(chain: Chain) -> _Parts:
    affines: list[Affine] = [Affine()]
    kinks: list[tuple[KinkKind, Fraction]] = []
    for step in chain:
        if isinstance(step, Affine):
            last = affines[-1]
            gain, offset = last.gain * step.gain, last.offset * step.gain + step.offset
            affines[-1] = Affine(gain, offset)
            continue
        assert isinstance(step, Prelu | Clip), step
        for kind, value in _kinks_of(step):
            kinks.append((kind, value))
            affines.append(Affine())
    return affines, kinks


def _kinks_of(step: Prelu | Clip) -> list[tuple[KinkKind, Fraction]]:
    if isinstance(step, Prelu):
        return [("slope", step.slope)]
    limits: list[tuple[KinkKind, Fraction | None]] = [("low", step.low), ("high", step.high)]
    return [(kind, value) for kind, value in limits if value is not None]


def _aligned(parts: Sequence[_Parts]) -> tuple[list[list[Affine]], list[Kink]]:
    """All channels' steps beside each other, kinks of one kind a place.

    The next place is for the kind that comes next in the channel with the most kinks left.
    """
    at = [0] * len(parts)
    affines = [[steps[0] for steps, _ in parts]]
    kinks: list[Kink] = []
    while True:
        left = [len(own) - i for (_, own), i in zip(parts, at, strict=True)]
        longest = left.index(max(left))
        if not left[longest]:
            return affines, kinks
        kind = parts[longest][1][at[longest]][0]
        values: list[Fraction | None] = []
        behind = []
        for channel, (steps, own) in enumerate(parts):
            has_it = left[channel] > 0 and own[at[channel]][0] == kind
            values.append(own[at[channel]][1] if has_it else None)
            at[channel] += has_it
            behind.append(steps[at[channel]] if has_it else Affine())
        kinks.append(Kink(kind, tuple(values)))
        affines.append(behind)
