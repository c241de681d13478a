"""What is known of a pipeline's steady state."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Argument = Literal["state repeats", "bottleneck saturated", "schedule repeats", "simulated", "not proven"]
"""What a figure rests on."""


@dataclass(frozen=True)
class SteadyState:
    """How often a pipeline puts out a frame once it has settled, and how long a single frame takes.

    ``period_frames`` frames leave every ``period_cycles`` cycles; both are None where ``argument`` is
    ``not proven``. ``latency_cycles`` is the run of a single frame through the empty pipeline.
    ``warm_up_frames``: the period repeats after so many frames; None where no period is
    proven, or one by a schedule, without frames. ``frames_simulated`` were run to find that out.
    ``reason`` says it in a sentence.
    """

    period_frames: int | None
    period_cycles: int | None
    latency_cycles: int
    argument: Argument
    warm_up_frames: int | None
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
