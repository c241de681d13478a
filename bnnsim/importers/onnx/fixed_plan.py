"""A function of real values as layers in fixed point can compute it: affine steps between kinks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from bnnsim.importers.exact.channel_function import Affine, Chain, Clip, Prelu, Smooth
from bnnsim.importers.onnx.graph import Operator

ONE = Fraction(1)


@dataclass(frozen=True)
class Kink:
    """What stands between two affine steps, each channel with its own numbers: PReLUs (``slopes``)
    or limits (``lows`` and ``highs``, of which one kind may be absent)."""

    slopes: tuple[Fraction, ...] = ()
    lows: tuple[Fraction, ...] = ()
    highs: tuple[Fraction, ...] = ()


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
                ends = [_behind(kink, c, pair) for c, pair in enumerate(ends)]
                most = max(most, *(abs(x) for pair in ends for x in pair))
        return most

    @property
    def steepest(self) -> Fraction:
        """How many times an error of the integers a result may be off, at most."""
        found = []
        for c in range(self.channels):
            steepness = ONE
            for position, steps in enumerate(self.affines):
                steepness *= abs(steps[c].gain)
                if position < len(self.kinks) and self.kinks[position].slopes:
                    steepness *= max(ONE, abs(self.kinks[position].slopes[c]))
            found.append(steepness)
        return max(found)


def _behind(kink: Kink, channel: int, ends: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """What a kink makes of everything between two ends, as ends again."""
    low, high = min(ends), max(ends)
    if kink.slopes:
        slope = kink.slopes[channel]
        values = [x if x > 0 else slope * x for x in (low, high)]
        return (*values, Fraction(0)) if low < 0 < high else tuple(values)
    if kink.lows:
        low, high = max(low, kink.lows[channel]), max(high, kink.lows[channel])
    if kink.highs:
        low, high = min(low, kink.highs[channel]), min(high, kink.highs[channel])
    return low, high


def fixed_plan(operator: Operator, chains: Sequence[Chain]) -> FixedPlan:
    """The plan of ``chains``, one a channel, which hold no quantiser.

    Raises :class:`InputError` where channels have kinks of different kinds.
    """
    smooth = next((s.kind for chain in chains for s in chain if isinstance(s, Smooth)), None)
    if smooth is not None:
        raise operator.fault(f"a sign or another quantiser behind a {smooth}", "its real values")
    parts = [_parted(chain) for chain in chains]
    shapes = {tuple(_kind(kink) for kink in kinks) for _, kinks in parts}
    if len(shapes) > 1:
        raise operator.fault(
            "the same kinks (PReLU, limits) in every channel", "some that differ"
        )
    count = len(parts[0][1])
    affines = [[affines[i] for affines, _ in parts] for i in range(count + 1)]
    kinks = [_gathered([kinks[i] for _, kinks in parts]) for i in range(count)]
    for i in reversed(range(count)):
        behind = affines[i + 1]
        if any(step.gain < 0 for step in behind):
            continue
        affines[i] = [
            Affine(step.gain * after.gain, step.offset * after.gain)
            for step, after in zip(affines[i], behind, strict=True)
        ]
        kinks[i] = _scaled(kinks[i], [after.gain for after in behind])
        affines[i + 1] = [Affine(ONE, after.offset) for after in behind]
    return FixedPlan(tuple(tuple(steps) for steps in affines), tuple(kinks))


def _parted(chain: Chain) -> tuple[list[Affine], list[Prelu | Clip]]:
    affines, kinks = [Affine()], []
    for step in chain:
        if isinstance(step, Affine):
            last = affines[-1]
            gain, offset = last.gain * step.gain, last.offset * step.gain + step.offset
            affines[-1] = Affine(gain, offset)
        elif isinstance(step, Prelu) or (isinstance(step, Clip) and step != Clip(None, None)):
            kinks.append(step)
            affines.append(Affine())
        else:
            assert isinstance(step, Clip), step
    return affines, kinks


def _kind(kink: Prelu | Clip) -> tuple[bool, ...]:
    if isinstance(kink, Prelu):
        return (True,)
    return kink.low is not None, kink.high is not None


def _gathered(kinks: Sequence[Prelu | Clip]) -> Kink:
    """The channels' kinks, all of one kind."""
    slopes = [one.slope for one in kinks if isinstance(one, Prelu)]
    lows = [one.low for one in kinks if isinstance(one, Clip) and one.low is not None]
    highs = [one.high for one in kinks if isinstance(one, Clip) and one.high is not None]
    return Kink(tuple(slopes), tuple(lows), tuple(highs))


def _scaled(kink: Kink, gains: Sequence[Fraction]) -> Kink:
    """The kink behind a gain that has moved in front of it."""

    def times(values: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
        return tuple(v * g for v, g in zip(values, gains, strict=True)) if values else ()

    return replace(kink, lows=times(kink.lows), highs=times(kink.highs))
