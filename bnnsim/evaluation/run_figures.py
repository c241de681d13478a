"""What a run found, by its own names, on the record of a design with its costs."""

from __future__ import annotations

from bnnsim.design.memory_map import MemoryMap
from bnnsim.simulation import Simulation
from bnnsim.simulation.record import FifoReport, LayerReport, OutputReport, UnitReport
from bnnsim.timing.bottleneck import Bottleneck
from bnnsim.timing.engine.spending import Spending


class RunFigures:
    """The figures of :class:`~bnnsim.simulation.Simulation`, which says what each is."""

    simulation: Simulation

    @property
    def arch(self) -> str:
        return self.simulation.arch

    @property
    def workload(self) -> str:
        return self.simulation.workload

    @property
    def frames(self) -> int:
        return self.simulation.frames

    @property
    def clock_mhz(self) -> float:
        return self.simulation.clock_mhz

    @property
    def executor(self) -> str:
        return self.simulation.executor

    @property
    def cycles_total(self) -> int:
        return self.simulation.cycles_total

    @property
    def latency_cycles(self) -> int:
        return self.simulation.latency_cycles

    @property
    def initiation_interval_cycles(self) -> int | None:
        return self.simulation.initiation_interval_cycles

    @property
    def initiation_interval_basis(self) -> str:
        return self.simulation.initiation_interval_basis

    @property
    def counted_frames(self) -> int:
        return self.simulation.counted_frames

    @property
    def counted_cycles(self) -> int:
        return self.simulation.counted_cycles

    @property
    def frames_simulated(self) -> int:
        return self.simulation.frames_simulated

    @property
    def frames_basis(self) -> str:
        return self.simulation.frames_basis

    @property
    def bit_exact(self) -> bool | None:
        return self.simulation.bit_exact

    @property
    def bit_exact_basis(self) -> str:
        return self.simulation.bit_exact_basis

    @property
    def predictions(self) -> tuple[int, ...] | None:
        return self.simulation.predictions

    @property
    def scores(self) -> tuple[tuple[int, ...], ...] | None:
        return self.simulation.scores

    @property
    def labels(self) -> tuple[int, ...] | None:
        return self.simulation.labels

    @property
    def images(self) -> int | None:
        return self.simulation.images

    @property
    def classes(self) -> tuple[str, ...] | None:
        return self.simulation.classes

    @property
    def units(self) -> tuple[UnitReport, ...]:
        return self.simulation.units

    @property
    def fifos(self) -> tuple[FifoReport, ...]:
        return self.simulation.fifos

    @property
    def layers(self) -> tuple[LayerReport, ...]:
        return self.simulation.layers

    @property
    def period_frames(self) -> int | None:
        return self.simulation.period_frames

    @property
    def period_cycles(self) -> int | None:
        return self.simulation.period_cycles

    @property
    def bottleneck(self) -> Bottleneck | None:
        return self.simulation.bottleneck

    @property
    def spending(self) -> Spending | None:
        return self.simulation.spending

    @property
    def memory_map(self) -> MemoryMap | None:
        return self.simulation.memory_map

    @property
    def outputs(self) -> tuple[OutputReport, ...]:
        return self.simulation.outputs

    @property
    def outside(self) -> tuple[str, ...]:
        return self.simulation.outside

    @property
    def latency_us(self) -> float:
        return self.simulation.latency_us

    @property
    def throughput_fps(self) -> float | None:
        return self.simulation.throughput_fps

    @property
    def accuracy(self) -> float | None:
        return self.simulation.accuracy
