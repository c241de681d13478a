"""Evaluation: timing, bits and cost of a design in one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnnsim.arrays import Integers
from bnnsim.cost.clock import ClockEstimate, estimate_clock
from bnnsim.cost.power import (
    Activity,
    FrameEnergy,
    Power,
    activity_at_rate,
    energy_per_frame,
    estimate_power,
    frame_energy_uj,
)
from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.usage import RESOURCES, Resources
from bnnsim.datapath.streaming.toggles import ToggleCount, ToggleCounter
from bnnsim.design.build import build_engine_design
from bnnsim.design.design import Design, EngineDesign
from bnnsim.design.network.network import INPUT
from bnnsim.evaluation.engine import engine_activity, engine_energy
from bnnsim.simulation import (
    LayerReport,
    Progress,
    Simulation,
    Stimulus,
    check_arguments,
    load_design,
    simulate,
    stimulate,
)
from bnnsim.simulation.engine import steady_interval
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.load import Loaded, read_both
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.steady_state.api import MAX_FRAMES, steady_state

if TYPE_CHECKING:
    from bnnsim.datapath.engine.toggles import ArrayToggles
    from bnnsim.simulation import ExecutorName

OPERATIONS_PER_MAC = 2
"""One binary multiply-accumulate counts as two operations, as in published GOPS."""
POWER_BASIS = "chip"


@dataclass(frozen=True)
class Violation:
    """A budget that a design exceeds, and by how much."""

    name: str
    used: float
    allowed: float

    @property
    def amount(self) -> float:
        return self.used - self.allowed


@dataclass(frozen=True)
class DesignFigures:
    """A design's figures without its bits: what a search judges.

    ``figures`` by name; ``violations`` by budget, the amount over it (at most 0 where it holds);
    ``reasons`` why a figure is missing.
    """

    figures: Mapping[str, float]
    violations: Mapping[str, float]
    reasons: Mapping[str, str]


@dataclass(frozen=True)
class Evaluation:
    """A simulated design with what it costs.

    ``power.activity_source`` says whether the switching activity was measured in a bit-exact run or
    is the default of random data at the design's rate.
    """

    simulation: Simulation
    resources: Resources
    power: Power
    clock: ClockEstimate
    energy: FrameEnergy | None
    macs: int
    toggles: ToggleCount | None
    power_budget_w: float | None

    @property
    def power_w(self) -> float:
        """Watts of the chip: static, dynamic and processing system."""
        return self.power.chip_w

    @property
    def energy_per_frame_uj(self) -> float | None:
        return None if self.energy is None else self.energy.total_uj

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every budget exceeded, with the amount."""
        broken = [Violation(e.resource, e.used, e.allowed) for e in self.resources.exceeded]
        budget = self.power_budget_w
        if budget is not None and self.power_w > budget:
            broken.append(Violation("power_w", self.power_w, budget))
        return tuple(broken)

    @property
    def feasible(self) -> bool:
        return not self.violations

    @property
    def tops(self) -> float | None:
        """Tera-operations a second in steady state, two a MAC."""
        fps = self.simulation.throughput_fps
        return None if fps is None else fps * self.macs * OPERATIONS_PER_MAC / 1e12

    def per(self, amount: float) -> float | None:
        """Frames a second for each of ``amount``."""
        fps = self.simulation.throughput_fps
        return None if fps is None or amount <= 0 else fps / amount

    def to_json(self) -> dict[str, Any]:
        """The simulation's JSON and the costs, under the same names as in Python."""
        total = self.resources.total
        tops = self.tops
        return {
            **self.simulation.to_json(),
            "resources": {name: getattr(total, name) for name in RESOURCES},
            "resources_by_unit": [
                {"name": u.name, "kind": u.kind, "layer": u.layer}
                | {name: getattr(u.amounts, name) for name in RESOURCES}
                for u in self.resources.units
            ],
            "utilisation": dict(self.resources.utilisation),
            "power_w": self.power_w,
            "power_basis": POWER_BASIS,
            "power_parts_w": {
                "static": self.power.static_w,
                "processing_system": self.power.processing_system_w,
                "dynamic": self.power.dynamic_w,
            },
            "activity_source": self.power.activity_source,
            "energy_per_frame_uj": self.energy_per_frame_uj,
            "energy_by_layer_uj": None if self.energy is None else dict(self.energy.by_layer),
            "tops": tops,
            "tops_per_w": None if tops is None else tops / self.power_w,
            "fps_per_w": self.per(self.power_w),
            "fps_per_klut": self.per(total.lut / 1000),
            "achievable_clock_mhz": self.clock.achievable_mhz,
            "clock_warning": self.clock.warning,
            "feasible": self.feasible,
            "violations": [asdict(v) | {"amount": v.amount} for v in self.violations],
        }


def figures_of(design: Design | EngineDesign, max_frames: int = MAX_FRAMES) -> DesignFigures:
    """Everything a search asks of a design, by exact timing and the cost models.

    A pipeline's steady state is looked for within ``max_frames`` frames. Raises
    :class:`~bnnsim.timing.streaming.result.DeadlockError` where a FIFO is too shallow.
    """
    if isinstance(design, EngineDesign):
        interval, latency, reason = steady_interval(design)
        fifo_bits = 0
    else:
        steady = steady_state(build_timing(design.graph), fast=True, max_frames=max_frames)
        interval, latency = steady.initiation_interval_cycles, steady.latency_cycles
        reason = steady.reason
        fifo_bits = sum(s.depth_words * s.width_bits for s in design.graph.streams)
    resources = estimate_resources(design)
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
    return DesignFigures(figures, violations, reasons)


def _rates(design: Design | EngineDesign, resources: Resources, interval: int) -> dict[str, float]:
    clock_mhz = design.architecture.clock_mhz
    power = estimate_power(resources, clock_mhz, _default_activity(design, interval))
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


def evaluate(
    architecture: str | Path | Loaded[Architecture] | Architecture,
    workload: str | Path | Loaded[Workload] | Workload,
    *,
    images: str | Path | Sequence[str | Path] | Integers | None = None,
    frames: int | None = None,
    timing_only: bool = False,
    weights_seed: int | None = None,
    executor: ExecutorName | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Simulate a design and estimate what it costs; parameters and errors as ``simulate``'s.

    A bit-exact run measures the switching activity for the power; a timing-only run assumes random
    data at the design's rate.
    """
    check_arguments(frames, weights_seed, executor)
    if isinstance(images, str | Path):
        images = [images]
    arch, work = read_both(architecture, workload)
    design: Design | EngineDesign
    if isinstance(arch.spec if isinstance(arch, Loaded) else arch, EngineArchitecture):
        design = build_engine_design(arch, work)
    else:
        design, _ = load_design(arch, work)
    counts = isinstance(design, Design) and not timing_only
    counter = ToggleCounter(design.graph) if isinstance(design, Design) and counts else None
    simulation = simulate(
        arch,
        work,
        images=images,
        frames=frames,
        timing_only=timing_only,
        weights_seed=weights_seed,
        executor=executor,
        observer=counter,
        progress=progress,
    )
    if not simulation.bit_exact:
        return assess(design, simulation)
    if isinstance(design, EngineDesign):
        folder = work.path.parent if isinstance(work, Loaded) and work.path else None
        stimulus, _ = stimulate(design.network, folder, images, frames, weights_seed)
        counted = None if stimulus is None else _engine_toggles(design, stimulus)
        return assess(design, simulation, engine_toggles=counted)
    assert counter is not None
    return assess(design, simulation, counter.count(simulation.frames))


def _engine_toggles(design: EngineDesign, stimulus: Stimulus) -> dict[str, ArrayToggles]:
    """Toggles of the frames that the engine was just found to execute bit-exactly."""
    from bnnsim.datapath.engine.toggles import count_engine_toggles
    from bnnsim.functional.executor import execute

    network = design.network
    outputs = execute(network, stimulus.parameters, stimulus.frames).outputs
    elements = {INPUT: stimulus.frames, **outputs}
    types = {INPUT: network.input.type} | {name: n.output.type for name, n in network.nodes.items()}
    return count_engine_toggles(
        design,
        [
            {
                name: maps[frame].astype("int64") * 2 - 1
                if types[name].is_bipolar
                else maps[frame].astype("int64")
                for name, maps in elements.items()
            }
            for frame in range(len(stimulus.frames))
        ],
    )


def assess(
    design: Design | EngineDesign,
    simulation: Simulation,
    toggles: ToggleCount | None = None,
    engine_toggles: Mapping[str, ArrayToggles] | None = None,
) -> Evaluation:
    """The costs of a simulated design, with measured activity where there is some."""
    resources = estimate_resources(design)
    clock_mhz = design.architecture.clock_mhz
    interval = simulation.initiation_interval_cycles
    # Without a proven interval every frame is taken to be on its own.
    spacing = interval or simulation.latency_cycles
    activity = _default_activity(design, spacing)
    if toggles is not None and isinstance(design, Design):
        activity = measured_activity(design, toggles, spacing)
    elif engine_toggles and isinstance(design, EngineDesign):
        activity = engine_activity(design, spacing, engine_toggles)
    power = estimate_power(resources, clock_mhz, activity)
    return Evaluation(
        simulation=simulation,
        resources=resources,
        power=power,
        clock=estimate_clock(design),
        energy=None if interval is None else _energy(design, simulation, power, interval),
        macs=design.network.macs,
        toggles=toggles,
        power_budget_w=design.budget.power_w,
    )


def _default_activity(design: Design | EngineDesign, interval: int) -> Activity:
    if isinstance(design, EngineDesign):
        return engine_activity(design, interval)
    return activity_at_rate(design, interval)


def _energy(
    design: Design | EngineDesign, simulation: Simulation, power: Power, interval: int
) -> FrameEnergy:
    if isinstance(design, EngineDesign):
        cycles = {layer.name: _turn_cycles(layer) for layer in simulation.layers}
        return engine_energy(design, power, cycles, interval)
    return energy_per_frame(power, interval)


def _turn_cycles(layer: LayerReport) -> float:
    return (
        layer.compute_cycles
        + layer.stage_cycles
        + layer.weight_load_cycles
        + layer.activation_load_cycles
        + layer.activation_store_cycles
        + layer.host_cycles
        + layer.stall_cycles
        + layer.overhead_cycles
    )


def measured_activity(design: Design, toggles: ToggleCount, interval: int) -> Activity:
    """Toggles per bit and cycle, frames following each other every ``interval`` cycles."""
    cycles = toggles.frames * interval
    streams = {s.name: toggles.streams[s.name] / (s.width_bits * cycles) for s in design.graph.streams}
    units, memories = {}, {}
    for unit in design.graph.units:
        if unit.name in toggles.operands:
            bits = design.graph.stream_by_name[unit.inputs[0]].width_bits
            units[unit.name] = toggles.operands[unit.name] / (bits * cycles)
            memories[unit.name] = toggles.accesses[unit.name] / cycles
            continue
        touched = [design.graph.stream_by_name[name] for name in (*unit.inputs, *unit.outputs)]
        bits = sum(s.width_bits for s in touched)
        units[unit.name] = sum(toggles.streams[s.name] for s in touched) / (bits * cycles)
        memories[unit.name] = min(1.0, max(s.words for s in touched) / interval)
    return Activity(units=units, streams=streams, memories=memories, source="measured")


__all__ = ["DesignFigures", "Evaluation", "Violation", "assess", "evaluate", "figures_of"]
