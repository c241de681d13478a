"""Steady state: how often a pipeline puts out a frame once it has settled, proven and not guessed.

:mod:`bnnsim.timing.repetition` says what is proven and why it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from bnnsim.timing.graph import TimingGraph
from bnnsim.timing.repetition import Comparison, Repetition, Snapshot

if TYPE_CHECKING:  # numba takes its time to import
    from bnnsim.timing.machine import Machine

Argument = Literal["state repeats", "bottleneck saturated", "simulated", "not proven"]

MAX_FRAMES = 4096
"""Frames within which a proof is looked for unless said otherwise."""
RUN_AHEAD_FRAMES = 256
"""Frames that the first units may be ahead of the last besides, in FIFOs that hold many small frames."""


@dataclass(frozen=True)
class Steady:
    """The steady state of a pipeline.

    ``period_frames`` frames leave every ``period_cycles`` cycles; both are None where ``argument`` is
    ``not proven``. ``latency_cycles`` is the run of a single frame through the empty pipeline.
    ``settled_frames``: the period repeats after so many frames. ``frames_simulated`` were run to find
    that out. ``reason`` says it in a sentence.
    """

    period_frames: int | None
    period_cycles: int | None
    latency_cycles: int
    argument: Argument
    settled_frames: int
    frames_simulated: int
    reason: str

    @property
    def interval(self) -> Fraction | None:
        """Cycles a frame, exactly."""
        if self.period_frames is None or self.period_cycles is None:
            return None
        return Fraction(self.period_cycles, self.period_frames)

    @property
    def initiation_interval_cycles(self) -> int | None:
        """Cycles a frame; the next whole number where a period of several frames does not divide."""
        return None if self.interval is None else -(-self.interval.numerator // self.interval.denominator)


def analyse(graph: TimingGraph, max_frames: int = MAX_FRAMES) -> Steady:
    """The steady state of ``graph``, looked for within ``max_frames`` frames.

    Raises :class:`~bnnsim.timing.result.DeadlockError` where the pipeline gets stuck.
    """
    from bnnsim.timing.ended_run import deadlock, end_run
    from bnnsim.timing.machine import Machine, MachineOptions

    most_frames = 2 * max_frames + RUN_AHEAD_FRAMES
    machine = Machine(graph, MachineOptions(most_frames, snapshots=True, counts=False))
    machine.run_to(1)
    latency_cycles = end_run(machine).cycles_total
    search = Search(machine)
    while search.frames < max_frames:
        if not search.next_frame(most_frames):
            if machine.barrier >= most_frames:
                break  # not stuck: the first units are further ahead than they may be
            raise deadlock(machine)
        repetition = search.repetition()
        if repetition is not None:
            return _proven(repetition, latency_cycles, machine.barrier)
    reason = search.comparison.obstacle or (
        f"within {max_frames} frames no state came again and no bottleneck was saturated"
    )
    return Steady(None, None, latency_cycles, "not proven", 0, machine.barrier, reason)


def _proven(repetition: Repetition, latency_cycles: int, frames_simulated: int) -> Steady:
    return Steady(
        period_frames=repetition.period_frames,
        period_cycles=repetition.cycles,
        latency_cycles=latency_cycles,
        argument=argument_of(repetition),
        settled_frames=repetition.first,
        frames_simulated=frames_simulated,
        reason=reason_of(repetition),
    )


def argument_of(repetition: Repetition) -> Argument:
    """What the proof rests on."""
    return "bottleneck saturated" if repetition.late_units else "state repeats"


def reason_of(repetition: Repetition) -> str:
    """The proof in a sentence."""
    frames = "frame" if repetition.period_frames == 1 else f"{repetition.period_frames} frames"
    if not repetition.late_units:
        return f"the state repeats with every {frames} after frame {repetition.first}"
    count = len(repetition.late_units)
    units = "unit" if count == 1 else "units"
    return (
        f"saturated after frame {repetition.first}: {count} {units} still filling FIFOs "
        f"({', '.join(repetition.late_units[:3])}{', ...' if count > 3 else ''}) can never be late again"
    )


class Search:
    """Looks for a repetition, frame by frame.

    Each state is compared with the one before, and with one kept for longer, from a frame that doubles
    whenever as many frames again have gone by: that finds any period, at the latest in twice the time.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.comparison = Comparison(machine)
        self.frames = 0
        self.now = self._before = self._kept = Snapshot(0, machine.snapshot(0))

    def next_frame(self, most_frames: int) -> bool:
        """Run until every unit has done one frame more, starting none behind ``most_frames``.

        False where that cannot be. Units run ahead of each other no further than it takes.
        """
        machine = self.machine
        if self.frames >= most_frames:
            return False
        self.frames += 1
        machine.run_to(max(machine.barrier, self.frames))
        while min(machine.frames_done, machine.ended_frames) < self.frames:
            if machine.barrier >= most_frames:
                return False
            if machine.barrier - self.frames + 2 > machine.snapshots:
                machine.keep_more_snapshots()
            moved = machine.words_moved
            machine.run_to(machine.barrier + 1)
            if machine.words_moved == moved:
                return False  # none of the units that are stuck waits for a frame to begin
        self._before = self.now
        self.now = Snapshot(self.frames, machine.snapshot(self.frames))
        if self._before.frames >= 2 * self._kept.frames:
            self._kept = self._before
        return True

    @property
    def earlier(self) -> tuple[Snapshot, ...]:
        """The states to compare the latest with."""
        return (self._before,) if self._before is self._kept else (self._before, self._kept)

    def repetition(self) -> Repetition | None:
        """The repetition that ends with the latest frame, if there is one."""
        for before in self.earlier:
            found = self.comparison.repetition(self.machine, before, self.now)
            if found is not None:
                return found
        return None

    def confirm(self, machine: Machine, found: Repetition) -> Repetition | None:
        """Whether a repetition still holds for a copy of the machine that has been run to an end."""
        before = next(state for state in self.earlier if state.frames == found.first)
        return self.comparison.repetition(machine, before, self.now)
