"""Steady state: how often a pipeline puts out a frame once it has settled, proven and not guessed.

:mod:`bnnsim.timing.streaming.steady_state.repetition` says what is proven and why it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from bnnsim.timing.streaming.compiled.ended_run import deadlock, end_run
from bnnsim.timing.streaming.compiled.machine import Machine, MachineOptions
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.steady_state.search import Proof, Search

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

    Raises :class:`~bnnsim.timing.streaming.result.DeadlockError` where the pipeline gets stuck.
    """
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
        proof = search.proof()
        if proof is not None:
            return _proven(graph, proof, latency_cycles, machine.barrier)
    reason = search.comparison.obstacle or (
        f"within {max_frames} frames no state came again and no bottleneck was saturated"
    )
    return Steady(None, None, latency_cycles, "not proven", 0, machine.barrier, reason)


def _proven(graph: TimingGraph, proof: Proof, latency_cycles: int, frames_simulated: int) -> Steady:
    found = proof.repetition
    return Steady(
        period_frames=found.period_frames,
        period_cycles=found.cycles,
        latency_cycles=latency_cycles,
        argument=argument_of(proof),
        settled_frames=found.first,
        frames_simulated=proof.late.barrier if proof.late else frames_simulated,
        reason=reason_of(graph, proof),
    )


def argument_of(proof: Proof) -> Argument:
    """What a proof rests on."""
    return "bottleneck saturated" if proof.repetition.others else "state repeats"


def reason_of(graph: TimingGraph, proof: Proof) -> str:
    """A proof in a sentence."""
    found = proof.repetition
    frames = "frame" if found.period_frames == 1 else f"{found.period_frames} frames"
    if not found.others:
        return f"the state repeats with every {frames} after frame {found.first}"
    names = [graph.units[number].name for number in found.others]
    named = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return (
        f"saturated after frame {found.first}: what still changes "
        f"({len(names)} {'unit' if len(names) == 1 else 'units'}: {named}) can never hold it up again"
    )
