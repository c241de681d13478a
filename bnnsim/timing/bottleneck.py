"""What limits a design of either kind, as one record: terminal, JSON, page and Python show this one."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

MOST_FIFOS_NAMED = 4
"""In a sentence; of longer circuits the ends are."""


@dataclass(frozen=True)
class Circuit:
    """Events each of which waits for the one before, the first for the last: what sets a pipeline's
    pace."""

    units: tuple[str, ...]
    """The units that it goes through, in its order; the first is upstream of the others."""
    fifos: tuple[str, ...]
    """The FIFOs that it crosses, in its order; none where a unit sets the pace alone."""
    way: str
    """How it goes: a -> fifo -> b where b waits for words, b <- fifo <- a where a waits for room
    only."""
    cycles: int
    """By how many cycles at least each of its events is later than the same one that many frames
    before."""
    frames: int
    """The frames that it takes to come round."""
    waits_for_words: int = 0
    """How often it waits in a FIFO for a word."""
    waits_for_room: int = 0
    """How often it waits in a FIFO for room."""

    @property
    def ratio(self) -> Fraction:
        """Cycles a frame: no schedule of the pipeline is faster."""
        return Fraction(self.cycles, self.frames)

    @property
    def short_way(self) -> str:
        """The way, without its middle where it is long."""
        names = self.way.split(" ")
        if len(self.fifos) <= MOST_FIFOS_NAMED:
            return self.way
        return f"{' '.join(names[:5])} ... {' '.join(names[-5:])} ({len(self.fifos)} FIFOs)"


@dataclass(frozen=True)
class Bottleneck:
    """What limits a design in steady state.

    Units of an engine are its arrays, stages, ports, the host and the overhead. Cycles that are
    fractions, where several frames make a period, are rounded up.
    """

    limited_by: Literal["unit", "fifos"]
    """unit where the slowest unit limits, fifos where FIFOs make the interval longer than that."""
    unit: str
    """The slowest unit by itself, the first of several; of an engine the one without whose work frames
    would follow each other fastest."""
    unit_cycles: int
    """What it needs a frame, with words always there and room for all it makes; of an engine, at
    work."""
    equally_slow: tuple[str, ...]
    """The others that need as many; of an engine those that count as much."""
    stalled_cycles: int
    """Of the interval, in which the unit waits for a word or for room; of an engine, for its turn."""
    interval_cycles: int
    """The interval between frames."""
    unlimited_interval_cycles: int
    """What the interval would be without any FIFO limit."""
    full_before: tuple[str, ...]
    """FIFOs on the way to the unit, nearest first, that have been full."""
    empty_after: tuple[str, ...]
    """FIFOs behind the unit, nearest first, that have never been full and whose reader waits for a word
    in every period."""
    blocking: tuple[str, ...]
    """Where FIFOs limit: those that have been full and whose writers wait for room in every period."""
    frames_seen: int
    """Frames in which FIFOs were watched; one that takes longer to fill is not full yet."""
    text: str
    """All of it in a sentence."""
    without_unit_cycles: int | None = None
    """The interval of an engine if the unit, and those that count as much, took no time; null for a
    pipeline."""
    pace: Circuit | None = None
    """Of a pipeline the circuit that sets its pace; null for an engine, where none is found that is as
    slow as the interval, and for FIFOs that limit frames of more than 2^22 words."""

    @property
    def limiting_units(self) -> tuple[str, ...]:
        """The units that limit, all of them; empty where FIFOs do."""
        return (self.unit, *self.equally_slow) if self.limited_by == "unit" else ()

    @property
    def what_limits(self) -> str:
        """What limits, by name: all the units, or the FIFOs."""
        return listed(self.limiting_units) or f"FIFOs {listed(self.blocking)}".strip()


def listed(names: tuple[str, ...], most: int | None = None) -> str:
    """The first ``most`` names, and how many more there are; all of them where nothing is said."""
    shown, more = names[:most], len(names[most:]) if most is not None else 0
    if more:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
