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

    ``cycles_total`` counts from the cycle in which the source may first act to the one in which the
    sink takes the last word; ``frame_end_cycles`` are the cycles in which it took each frame's last.
    """

    frames: int
    cycles_total: int
    frame_end_cycles: Sequence[int]
    units: tuple[UnitCycles, ...]
    max_occupancy_words: tuple[int, ...]


class DeadlockError(Exception):
    """No unit can ever act again and the sink still waits.

    ``cycle`` is the last in which anything moved; ``waiting`` maps unit names to what they wait for;
    ``occupancy`` maps FIFO names to (words, depth).
    """

    def __init__(
        self, cycle: int, waiting: dict[str, str], occupancy: dict[str, tuple[int, int]]
    ) -> None:
        self.cycle = cycle
        self.waiting = waiting
        self.occupancy = occupancy
        full = [f"{n} ({w} of {d} words)" for n, (w, d) in occupancy.items() if w >= d]
        empty = [n for n, (w, _) in occupancy.items() if w == 0]
        super().__init__(
            f"deadlock: nothing moves after cycle {cycle}; "
            f"full FIFOs: {', '.join(full) or 'none'}; empty FIFOs: {', '.join(empty) or 'none'}; "
            + "; ".join(f"{unit} waits for {what}" for unit, what in waiting.items())
        )
