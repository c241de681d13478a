"""A design's figures without its bits: what a search judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from bnnsim.cost.known_sizes import KnownSizes
from bnnsim.cost.power import estimate_power, frame_energy_uj
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.usage import RESOURCES, Resources
from bnnsim.design.design import Design, EngineDesign
from bnnsim.evaluation.activity import design_activity
from bnnsim.simulation.engine import steady_interval
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.steady_state.api import MAX_FRAMES, steady_state


@dataclass(frozen=True)
class DesignFigures:
    """A design's figures without its bits: what a search judges.

    ``figures`` by name; ``violations`` by budget, the amount over it (at most 0 where it holds);
    ``reasons`` why a figure is missing. ``interval`` is the steady interval in cycles as it is, where
    the figure is rounded up; None where none is proven.
    """

    figures: Mapping[str, float]
    violations: Mapping[str, float]
    reasons: Mapping[str, str]
    interval: Fraction | None


def figures_of(
    design: Design | EngineDesign, max_frames: int = MAX_FRAMES, known: KnownSizes | None = None
) -> DesignFigures:
    """Everything a search asks of a design, by exact timing and the cost models.

    A pipeline's steady state is looked for within ``max_frames`` frames; ``known`` has sizes of units of
    others (:mod:`bnnsim.cost.known_sizes`). Raises
    :class:`~bnnsim.timing.streaming.result.DeadlockError` where a FIFO is too shallow.
    """
    if isinstance(design, EngineDesign):
        interval, latency, reason = steady_interval(design)
        exact = None if interval is None else Fraction(interval)
        fifo_bits = 0
    else:
        steady = steady_state(build_timing(design.graph), fast=True, max_frames=max_frames)
        interval, latency = steady.initiation_interval_cycles, steady.latency_cycles
        reason, exact = steady.reason, steady.interval
        fifo_bits = sum(s.depth_words * s.width_bits for s in design.graph.streams)
    resources = estimate_resources(design, known=known)
    total = resources.total
    clock_mhz = design.architecture.clock_mhz
    figures: dict[str, float] = {name: getattr(total, name) for name in RESOURCES}
    figures |= {
        "clock_mhz": clock_mhz,
        "latency_cycles": latency,
        "latency_us": latency / clock_mhz,
        "fifo_bits": fifo_bits,
    }
    reasons = {}
    if interval is None:
        names = ("throughput_fps", "initiation_interval_cycles", "power_w", "energy_per_frame_uj")
        reasons = dict.fromkeys((*names, "fps_per_w", "fps_per_klut"), reason)
    else:
        figures |= _rates(design, resources, interval)
    budget = design.budget
    violations = {
        name: figures[name] - allowed
        for name in (*RESOURCES, "power_w")
        if (allowed := getattr(budget, name)) is not None and name in figures
    }
    return DesignFigures(figures, violations, reasons, exact)


def _rates(design: Design | EngineDesign, resources: Resources, interval: int) -> dict[str, float]:
    clock_mhz = design.architecture.clock_mhz
    activity = design_activity(design, interval)
    processor = design.architecture.processor
    power = estimate_power(resources, clock_mhz, activity, processor=processor)
    fps = clock_mhz * 1e6 / interval
    lut = resources.total.lut
    return {
        "initiation_interval_cycles": interval,
        "throughput_fps": fps,
        "power_w": power.chip_w,
        "energy_per_frame_uj": frame_energy_uj(power.chip_w, interval, clock_mhz),
        "fps_per_w": fps / power.chip_w,
        "fps_per_klut": fps / (lut / 1000) if lut else 0.0,
    }
