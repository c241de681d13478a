"""What an executor reports of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class UnitCycles:
    """Where one unit's cycles went; the four add up to the run's cycles.

    ``busy``: a step that read or wrote a word. ``stalled_on_input``: starved, a step due that finds no
    word. ``stalled_on_output``: back-pressured, a word due to leave that finds no room. ``idle``: a step
    that did neither, a pipeline that empties, or nothing to do.
    """

    busy: int
    stalled_on_input: int
    stalled_on_output: int
    idle: int


@dataclass(frozen=True)
class TimingResult:
    """A run of ``frames`` frames; positions are those of the timing graph.

    ``cycles_total`` counts from the cycle in which the source may first act to the one in which the last
    frame ends; ``frame_end_cycles`` are the cycles in which frames end: with the last word that a sink
    takes of it, the last of the sinks where there are several.
    """

    frames: int
    cycles_total: int
    frame_end_cycles: Sequence[int]
    units: tuple[UnitCycles, ...]
    max_occupancy_words: tuple[int, ...]


_ROOM, _WORD = "room in ", "a word in "


class DeadlockError(Exception):
    """No unit can ever act again and a sink still waits.

    ``cycle`` is the last in which anything moved; ``waiting`` maps unit names to what they wait for;
    ``occupancy`` maps FIFO names to (words, depth). The message names two units that bar each other and
    counts the others.
    """

    def __init__(
        self, cycle: int, waiting: dict[str, str], occupancy: dict[str, tuple[int, int]]
    ) -> None:
        self.cycle = cycle
        self.waiting = waiting
        self.occupancy = occupancy
        shown = _cause(waiting, occupancy)
        more = len(waiting) - len(shown)
        others = f"; {more} more {'units wait' if more > 1 else 'unit waits'}" if more > 0 else ""
        text = ", while ".join(shown.values()) or "no unit can act"
        super().__init__(f"deadlock: nothing moves after cycle {cycle}: {text}{others}")


def _cause(
    waiting: dict[str, str], occupancy: dict[str, tuple[int, int]]
) -> dict[str, str]:
    """Two units that bar each other, in words by name: one waits for room in a full FIFO, and the one
    behind it for a word from elsewhere. The first of each where no name of a FIFO tells who reads it."""
    rooms = {unit: what for unit, what in waiting.items() if what.startswith(_ROOM)}
    words = {unit: what for unit, what in waiting.items() if what.startswith(_WORD)}
    pair = [*list(rooms)[:1], *list(words)[:1]]
    for unit, what in rooms.items():
        readers = [name.rpartition("->")[2] for name in what.removeprefix(_ROOM).split(", ")]
        behind = [reader for reader in readers if reader in words]
        if behind:
            pair = [unit, behind[0]]
            break
    return {unit: f"{unit} waits for {_filled(waiting[unit], occupancy)}" for unit in pair}


def _filled(what: str, occupancy: dict[str, tuple[int, int]]) -> str:
    """What a unit waits for, with the fill of its first FIFO and how many more there are."""
    start = _ROOM if what.startswith(_ROOM) else _WORD
    first, *others = what.removeprefix(start).split(", ")
    words, depth = occupancy.get(first, (0, 0))
    more = f" and {len(others)} more" if others else ""
    return f"{start}{first} ({words} of {depth} words){more}"
