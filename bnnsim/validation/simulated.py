"""What this tool says of a published system, quantity by quantity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from bnnsim.cost.resources import estimate_resources
from bnnsim.cost.usage import RESOURCES, Resources
from bnnsim.design.design import Design, EngineDesign
from bnnsim.evaluation import OPERATIONS_PER_MAC, Evaluation, assess
from bnnsim.simulation import LayerReport, RunOptions, Simulation, TimingOnly, simulate_design
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.programs.program import Lockstep, Program
from bnnsim.validation.published import Result
from bnnsim.validation.systems import SimulatedSystem

COMPARABLE_BASES = ("programmable_logic", "chip", "rise", "plug")
_COMPUTE = ("compute_cycles", "stage_cycles", "overhead_cycles")
_TRANSFER = ("weight_load_cycles", "activation_load_cycles", "activation_store_cycles")


@dataclass(frozen=True, eq=False)
class SystemValues:
    """The simulated values of one system; each is worked out when it is first asked for."""

    entry: SimulatedSystem

    @property
    def design(self) -> Design | EngineDesign:
        return self.entry.design

    @cached_property
    def resources(self) -> Resources:
        return estimate_resources(self.design)

    @cached_property
    def simulation(self) -> Simulation:
        return self.run(1)

    @cached_property
    def evaluation(self) -> Evaluation:
        """With the default activity: no published system comes with its weights and images."""
        return assess(self.design, self.simulation)

    @lru_cache(maxsize=8)  # noqa: B019 - as long-lived as the systems themselves
    def run(self, frames: int) -> Simulation:
        """A timing-only run of ``frames`` frames."""
        options = RunOptions(frames=frames, timing_only=True)
        return simulate_design(self.design, TimingOnly(), options)

    def value(self, result: Result) -> float | None:
        """The simulated counterpart of a reported number; None where there is none.

        Power on a basis that is not stated gets the chip's, which is not comparable.
        """
        quantity = result.quantity
        if quantity == "power_w":
            return self._power(result)
        if quantity in RESOURCES or quantity == "lut_logic":
            # What was placed fits: constants without a block became LUTs.
            moves = quantity in ("lut", "lut_logic", "alm")
            moved = sum(capped.moved_lut for capped in self.resources.capped) if moves else 0
            return float(getattr(self.resources.total, quantity) + moved)
        if quantity == "initiation_interval_cycles" and result.layer is not None:
            return self._layer_steps(result.layer)
        if quantity == "cycles_total":
            return self.run(result.frames or 1).cycles_total
        if quantity in ("compute_cycles", "transfer_cycles"):
            names = _COMPUTE if quantity == "compute_cycles" else _TRANSFER
            return _layer_cycles(self.simulation.layers, names)
        found = _OF_SIMULATION.get(quantity)
        return found(self) if found else None

    def _power(self, result: Result) -> float | None:
        by = self.entry.system.simulated_by
        if result.basis == "plug":
            board = by.board if by else None
            return self.evaluation.power.of_basis("plug", board) if board else None
        basis = result.basis if result.basis in COMPARABLE_BASES else "chip"
        rate_fps = result.rate_fps
        if rate_fps is None:
            return self.evaluation.power.of_basis(basis)
        most = self.simulation.throughput_fps
        possible = rate_fps if most is None else min(rate_fps, most)
        return assess(self.design, self.simulation, rate_fps=possible).power.of_basis(basis)

    def _layer_steps(self, layer: str) -> float | None:
        """Cycles a frame of the layer's slowest unit, were it never kept waiting."""
        if isinstance(self.design, EngineDesign):
            return None
        layers = {unit.name: unit.layer for unit in self.design.graph.units}
        timing = build_timing(self.design.graph)
        steps = [
            _frame_steps(unit.program)
            for unit in timing.units
            if layers.get(unit.part_of or unit.name) == layer
        ]
        return max(steps, default=None)


def _frame_steps(program: Program) -> int:
    if isinstance(program, Lockstep):
        return program.steps
    return max(program.words_in, program.words_out)


def _layer_cycles(layers: tuple[LayerReport, ...], names: tuple[str, ...]) -> int | None:
    if not layers:
        return None
    cycles: list[int] = [getattr(layer, name) for layer in layers for name in names]
    return sum(cycles)


def _fps(values: SystemValues) -> float | None:
    return values.simulation.throughput_fps


def _gops(values: SystemValues) -> float | None:
    fps = _fps(values)
    return None if fps is None else fps * values.design.network.macs * OPERATIONS_PER_MAC / 1e9


_OF_SIMULATION: dict[str, Callable[[SystemValues], float | None]] = {
    "throughput_fps": _fps,
    "throughput_gops": _gops,
    "latency_us": lambda values: values.simulation.latency_us,
    "latency_cycles": lambda values: values.simulation.latency_cycles,
    "initiation_interval_cycles": lambda values: values.simulation.initiation_interval_cycles,
}
