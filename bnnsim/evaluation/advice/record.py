"""Advice that was tried, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_SHOWN = 6
"""Changes of a kind that are named where nothing helps."""


@dataclass(frozen=True)
class SpecChange:
    """One entry of an architecture, changed."""

    key: str
    """The entry, such as layers.conv2.pe."""
    before: str
    """What it says, or the default that holds; empty where nothing does."""
    after: str
    """What it would say."""

    text: str
    """As a few words: pe 16 -> 32 of conv2."""


@dataclass(frozen=True)
class Advice:
    """A changed design, and what it brings: it was built, timed and costed as this one is."""

    changes: tuple[SpecChange, ...]
    """What is changed; all of it together."""
    initiation_interval_cycles: int
    """The interval between frames then."""
    throughput_fps: float
    """Frames a second then."""
    more: Mapping[str, int]
    """By resource, how much more it takes (less where negative); what stays is left out."""
    exceeds: tuple[str, ...]
    """Budgets that it exceeds; empty where it fits."""
    then_limits: str
    """What limits then."""
    text: str
    """All of it in a sentence."""


@dataclass(frozen=True)
class AdviceReport:
    """What was found by trying other designs; they are no part of this one's run."""

    advice: tuple[Advice, ...]
    """What helps, designs within the budget first; empty where nothing that was tried does."""
    designs_built: int
    """Changed designs that the checks of specs were asked about."""
    designs_timed: int
    """Changed designs that were timed."""
    tried: tuple[str, ...]
    """The changes that were tried, each once, those included that cannot be or bring nothing."""
    refused: tuple[str, ...] = ()
    """Those of `tried` that the checks of specs refuse."""
    undecided: tuple[str, ...] = ()
    """Those of `tried` whose designs get stuck, show no proven interval soon, or were not timed."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The advice in sentences, or that there is none."""
        if self.advice:
            return tuple(advice.text for advice in self.advice)
        others = (*self.refused, *self.undecided)
        parts = [
            _some("tried and no faster", [name for name in self.tried if name not in others]),
            _some("not decided (stuck, no interval proven, or too many to time)", self.undecided),
            _some("refused by the checks", self.refused),
        ]
        shown = "; ".join(filter(None, parts)) or "there was nothing to try"
        return (f"none: nothing that was tried makes it faster ({shown})",)


def _some(title: str, names: Sequence[str]) -> str:
    more = f", {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return f"{title}: {', '.join(names[:MOST_SHOWN])}{more}" if names else ""
