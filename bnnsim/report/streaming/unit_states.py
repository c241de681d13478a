"""What a unit was doing in every cycle, from the events that a simulation shows its observer."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from bnnsim.timing.streaming.programs.graph import TimingGraph, TimingUnit
from bnnsim.timing.streaming.programs.program import Lockstep
from bnnsim.timing.streaming.result import UnitCycles


class State(IntEnum):
    """One unit in one cycle.

    ``COMPUTING`` is what the simulation's account calls idle and is work all the same: a step of a
    matrix unit on the vector it has buffered, without a word in or out. ``UNKNOWN``: the recording
    ended while the unit was between two events.
    """

    IDLE = 0
    BUSY = 1
    COMPUTING = 2
    STALLED_ON_INPUT = 3
    STALLED_ON_OUTPUT = 4
    UNKNOWN = 5


STATE_TEXT = {
    State.IDLE: "idle",
    State.BUSY: "busy",
    State.COMPUTING: "computing",
    State.STALLED_ON_INPUT: "stalled on input",
    State.STALLED_ON_OUTPUT: "stalled on output",
    State.UNKNOWN: "not recorded",
}

Emit = Callable[[int, int, State], None]
"""(start cycle, end cycle, state): the state held in start <= cycle < end."""


class StateTracker:
    """Turns one unit's steps and stalls into segments without gaps, equal neighbours merged.

    ``emit`` gets each segment once it is over; they come in the order of the cycles.
    """

    def __init__(self, computes_inside: bool, emit: Emit) -> None:
        self._between = State.COMPUTING if computes_inside else State.IDLE
        self._emit = emit
        self._state = State.IDLE
        self._start = 0
        self._end = 0
        self._has_stepped = False
        self._stalled = {State.STALLED_ON_INPUT: 0, State.STALLED_ON_OUTPUT: 0}

    def stepped(self, cycle: int) -> None:
        """The unit did a step with a word in ``cycle``."""
        self._fill(cycle)
        self._add(cycle + 1, State.BUSY)
        self._has_stepped = True

    def stalled(self, side: str, start_cycle: int, end_cycle: int) -> None:
        """The unit was stalled on ``input`` or ``output`` in start <= cycle < end."""
        self._fill(start_cycle)
        state = State.STALLED_ON_INPUT if side == "input" else State.STALLED_ON_OUTPUT
        self._stalled[state] += end_cycle - start_cycle
        self._add(end_cycle, state)

    def finish(self, total: int, account: UnitCycles | None) -> None:
        """Close the last segment at cycle ``total``.

        A stall that is still on when a run ends is in its ``account`` only; without one the rest is
        unknown.
        """
        if account is None:
            self._add(total, State.UNKNOWN)
        else:
            open_input = account.stalled_on_input - self._stalled[State.STALLED_ON_INPUT]
            open_output = account.stalled_on_output - self._stalled[State.STALLED_ON_OUTPUT]
            self._add(total - open_input - open_output, State.IDLE)
            self._add(total - open_output, State.STALLED_ON_INPUT)
            self._add(total, State.STALLED_ON_OUTPUT)
        if self._end > self._start:
            self._emit(self._start, self._end, self._state)

    def _fill(self, until: int) -> None:
        self._add(until, self._between if self._has_stepped else State.IDLE)

    def _add(self, end: int, state: State) -> None:
        if end <= self._end:
            return
        if state is not self._state:
            if self._end > self._start:
                self._emit(self._start, self._end, self._state)
            self._start = self._end
            self._state = state
        self._end = end


def computes_inside(unit: TimingUnit) -> bool:
    """Whether the steps without words between a unit's first and last step are work."""
    return isinstance(unit.program, Lockstep) and unit.program.inner_steps > 0


def shown_units(graph: TimingGraph) -> list[int]:
    """Positions of the units that a design has; register slices belong to their unit."""
    return [i for i, unit in enumerate(graph.units) if not unit.part_of]
