"""Evaluation: timing, bits and cost of a design in one record."""

from __future__ import annotations

import math

from bnnsim.cost.clock import estimate_clock
from bnnsim.cost.error_bars import structure_kind
from bnnsim.cost.power import FrameEnergy, Power, energy_per_frame, estimate_power
from bnnsim.cost.resources import estimate_resources
from bnnsim.datapath.streaming.toggles import ToggleCounter
from bnnsim.design.design import Design, EngineDesign
from bnnsim.evaluation.activity import design_activity
from bnnsim.evaluation.advice.advise import with_advice
from bnnsim.evaluation.engine import engine_energy, engine_toggles
from bnnsim.evaluation.record import Evaluation, Toggles
from bnnsim.evaluation.wide_words import wide_words
from bnnsim.simulation import (
    ExecutorName,
    Images,
    Progress,
    RunOptions,
    Simulation,
    Stimulus,
    TimingOnly,
    load_design,
    simulate_design,
    stimulate,
)
from bnnsim.simulation.load import ArchitectureSource, WorkloadSource
from bnnsim.spec.faults import InputError


def evaluate(
    architecture: ArchitectureSource,
    workload: WorkloadSource,
    *,
    images: Images | None = None,
    frames: int | None = None,
    timing_only: bool = False,
    weights_seed: int | None = None,
    executor: ExecutorName | None = None,
    progress: Progress | None = None,
    advise: bool = False,
    rate_fps: float | None = None,
) -> Evaluation:
    """Simulate a design and estimate what it costs.

    A bit-exact run measures the switching activity for the power; a timing-only run assumes random
    data at the design's rate.

    Args:
        architecture: a shipped name, a YAML file or a spec.
        workload: likewise.
        images: as :func:`bnnsim.simulate` takes them.
        frames: how many of the images; default: all, or one without images.
        timing_only: leave the bits out.
        weights_seed: draws weights for a workload without any.
        executor: ``compiled`` or ``simpy``.
        progress: is called with the frames done and those in all.
        advise: try other designs, and say what would make this one faster.
        rate_fps: frames a second that are asked of it, for watts and energy; default: its throughput.

    Returns:
        The simulation with resources, power, energy, a clock estimate and every budget exceeded.

    Raises:
        SpecError: what the user gave cannot be used; every fault at once.
        DeadlockError: a FIFO is too shallow (``bnnsim.timing.streaming.result``).
        BitMismatchError: hardware and network differ in a bit (``bnnsim.datapath.mismatch``).

    Example:
        >>> from bnnsim import evaluate
        >>> found = evaluate("pynq-cnv", "cnv", timing_only=True)
        >>> found.resources.total.lut, found.resources.total.bram18
        (30616, 246)
    """
    options = RunOptions(images, frames, timing_only, weights_seed, executor, progress)
    design, folder = load_design(architecture, workload)
    stimulus = stimulate(design, folder, options)
    evaluation = evaluate_design(design, stimulus, options, rate_fps)
    return with_advice(design, evaluation) if advise else evaluation


def evaluate_design(
    design: Design | EngineDesign,
    stimulus: Stimulus | TimingOnly,
    options: RunOptions,
    rate_fps: float | None = None,
) -> Evaluation:
    """:func:`evaluate` for a design that is built; errors as ``simulate_design``'s."""
    if isinstance(stimulus, TimingOnly):
        return assess(design, simulate_design(design, stimulus, options), rate_fps=rate_fps)
    if isinstance(design, Design):
        counter = ToggleCounter(design.graph)
        simulation = simulate_design(design, stimulus, options, counter)
        return assess(design, simulation, counter.count(simulation.frames), rate_fps)
    toggles = engine_toggles(design, stimulus)  # first: the simulation then takes its activations
    simulation = simulate_design(design, stimulus, options)
    return assess(design, simulation, toggles, rate_fps)


def assess(
    design: Design | EngineDesign,
    simulation: Simulation,
    toggles: Toggles | None = None,
    rate_fps: float | None = None,
) -> Evaluation:
    """The costs of a simulated design, with measured activity where there is some.

    Watts and energy are of ``rate_fps`` frames a second; default: as many as it can.
    Raises :class:`InputError` for a rate that it cannot keep.
    """
    resources = estimate_resources(design)
    clock_mhz = design.architecture.clock_mhz
    # Without a proven interval every frame is taken to be on its own.
    least = simulation.initiation_interval_cycles or simulation.latency_cycles
    interval = _interval_at(rate_fps, clock_mhz, least)
    activity = design_activity(design, interval, toggles)
    power = estimate_power(resources, clock_mhz, activity, processor=design.architecture.processor)
    is_known = rate_fps is not None or simulation.initiation_interval_cycles is not None
    return Evaluation(
        simulation=simulation,
        resources=resources,
        power=power,
        clock=estimate_clock(design),
        energy=_energy(design, simulation, power, interval) if is_known else None,
        rate_fps=clock_mhz * 1e6 / interval,
        structure_kind=structure_kind(design),
        wide_words=wide_words(design),
        macs=design.network.macs,
        toggles=toggles,
        power_budget_w=design.budget.power_w,
    )


def _interval_at(rate_fps: float | None, clock_mhz: float, least_cycles: int) -> float:
    """Cycles between frames at a rate, no fewer than the design needs."""
    if rate_fps is None:
        return least_cycles
    most = clock_mhz * 1e6 / least_cycles
    # What a table prints is rounded: six digits of the throughput are the throughput.
    if not (math.isfinite(rate_fps) and 0 < rate_fps <= most * (1 + 1e-5)):
        raise InputError("--rate", f"frames a second above 0 and at most {most:.6g}", repr(rate_fps))
    return max(clock_mhz * 1e6 / rate_fps, float(least_cycles))


def _energy(
    design: Design | EngineDesign, simulation: Simulation, power: Power, interval_cycles: float
) -> FrameEnergy:
    if isinstance(design, EngineDesign):
        turns = {layer.name: layer.turn_cycles for layer in simulation.layers}
        return engine_energy(design, power, turns, interval_cycles)
    return energy_per_frame(power, interval_cycles)
