"""What waits in steady state: seen in the run that proves it, by going on with its own machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bnnsim.timing.streaming.compiled.ended_run import end_run
from bnnsim.timing.streaming.compiled.kernels import records as k
from bnnsim.timing.streaming.compiled.layout import MachineOptions
from bnnsim.timing.streaming.compiled.machine import Machine
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.steady_state.record import SteadyState

MORE_PERIODS = 8
"""Periods run at most beyond the frames that the proof took."""
ENOUGH_FRAMES, ENOUGH_WORDS = 1000, 200_000
"""Frames in which FIFOs may fill where they are quickly run: so many, or that many reads and writes."""
KEPT_BYTES = 1 << 25
"""Memory for copies of a machine at earlier frame limits; the oldest go first."""


@dataclass(frozen=True)
class Watched:
    """A pipeline a period into its steady state.

    ``frames``: those in which FIFOs were watched. ``stalled`` ``(units,)``: cycles a period. Of each
    channel, ``(channels,)``: ``is_full``, whether it ever was; ``writer_stalled`` and
    ``reader_stalled``, whether in the last period its writer was stalled on output by it, its reader on
    input.
    """

    frames: int
    stalled: tuple[int, ...]
    is_full: tuple[bool, ...]
    writer_stalled: tuple[bool, ...]
    reader_stalled: tuple[bool, ...]


class TrackedMachine(Machine):
    """A machine that keeps copies of itself at the frame limits that :func:`watch` may ask for."""

    def __init__(self, graph: TimingGraph, options: MachineOptions) -> None:
        super().__init__(graph, options)
        self.enough_frames = enough_frames(graph)
        self.passed: dict[int, Machine] = {}

    def run_to(self, frames: int, cycle_limit: int = k.NEVER) -> None:
        super().run_to(frames, cycle_limit)
        self._keep(self.copy())

    def copy(self) -> Machine:
        """An independent machine in the same state, which keeps nothing."""
        other = super().copy()
        del other.__dict__["passed"]
        return other

    def _keep(self, copy: Machine) -> None:
        self.passed[copy.frame_limit] = copy
        early = sorted(limit for limit in self.passed if limit <= self.enough_frames)
        for limit in early[:-1]:  # the last of these is where what follows begins
            del self.passed[limit]
        most = max(2, KEPT_BYTES // copy.event_times.nbytes)
        for limit in sorted(self.passed)[:-most]:
            del self.passed[limit]

    def at(self, frames: int) -> Machine | None:
        """The state at a frame limit, from the latest copy before; None where none is kept."""
        before = [limit for limit in self.passed if limit <= frames]
        if not before:
            return None
        if max(before) < frames:
            later = self.passed[max(before)].copy()
            later.run_to(frames)
            self._keep(later)
        return self.passed[frames]


def enough_frames(graph: TimingGraph) -> int:
    """Frames in which FIFOs may fill before one counts as never full."""
    words = sum(unit.program.words_in + unit.program.words_out for unit in graph.units)
    return max(1, min(ENOUGH_FRAMES, ENOUGH_WORDS // words))


def most_frames_watched(graph: TimingGraph, max_frames: int) -> int:
    """Frames that :func:`watch` may run where a proof was looked for within ``max_frames``."""
    return enough_frames(graph) + (MORE_PERIODS + 2) * max_frames


def watch(machine: TrackedMachine, steady: SteadyState) -> Watched | None:
    """Go on until every unit is a period into the steady state and runs grow by just the period.

    ``steady`` was proven in ``machine``'s run, which has counts. None where nothing is proven.
    """
    period, warm_up = steady.period_frames, steady.warm_up_frames
    if period is None or warm_up is None:
        return None
    frames = max(machine.enough_frames, warm_up)
    last = max(steady.frames_simulated, frames, *machine.passed) + MORE_PERIODS * period
    now = machine.at(frames)
    while True:
        frames += period
        before, now = now, machine.at(frames)
        if before is None or now is None or (now.frames_done < warm_up + period and frames < last):
            continue
        earlier, later = end_run(before), end_run(now)
        if later.cycles_total - earlier.cycles_total == steady.period_cycles or frames >= last:
            break
    stalled = (
        b.stalled_on_input + b.stalled_on_output - a.stalled_on_input - a.stalled_on_output
        for a, b in zip(earlier.units, later.units, strict=True)
    )
    return Watched(
        frames=frames,
        stalled=tuple(stalled),
        is_full=tuple(
            words >= channel.depth_words
            for words, channel in zip(later.max_occupancy_words, machine.graph.channels, strict=True)
        ),
        writer_stalled=_waited(now, "writer", period),
        reader_stalled=_waited(now, "reader", period),
    )


def _waited(
    machine: Machine, end: Literal["writer", "reader"], period_frames: int
) -> tuple[bool, ...]:
    """Per channel whether the unit at one end waited for it in its last period."""
    unit, waited = machine.channel[end], machine.channel[f"{end}_stall_frame"]
    since = machine.unit["frames_done"][unit] - period_frames
    return tuple(((unit >= 0) & (waited >= 0) & (waited >= since)).tolist())
