"""What a simulation found, under one name and unit each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bnnsim.design.streaming.units import UnitKind
from bnnsim.timing.engine.result import EngineUnitKind
from bnnsim.timing.streaming.bottleneck import Bottleneck


@dataclass(frozen=True)
class UnitReport:
    """Where one unit's cycles went; the four add up to the simulation's ``counted_cycles``."""

    name: str
    kind: UnitKind | EngineUnitKind
    busy_cycles: int
    """Cycles with a step that read or wrote a word."""
    stalled_on_input_cycles: int
    stalled_on_output_cycles: int
    idle_cycles: int
    """Steps without a word (an MVAU that works on its buffered vector), a pipeline that empties, nothing
    to do."""


@dataclass(frozen=True)
class FifoReport:
    """One stream and the most words it held at the end of any cycle."""

    name: str
    depth_words: int
    width_bits: int
    max_occupancy_words: int


@dataclass(frozen=True)
class LayerReport:
    """Where the cycles of one layer's turn on an engine went, over all frames; they add up to its time.

    Transfers that run beside the arrays are not counted here but as their mover's busy cycles; waiting
    for them is ``stall_cycles``. ``stage_cycles``: units before and behind the array, in sequence.
    """

    name: str
    array: str
    host_calls: int
    compute_cycles: int
    stage_cycles: int
    weight_load_cycles: int
    activation_load_cycles: int
    activation_store_cycles: int
    host_cycles: int
    stall_cycles: int
    overhead_cycles: int

    @property
    def turn_cycles(self) -> int:
        """Of the whole turn."""
        return (
            self.compute_cycles
            + self.stage_cycles
            + self.weight_load_cycles
            + self.activation_load_cycles
            + self.activation_store_cycles
            + self.host_cycles
            + self.stall_cycles
            + self.overhead_cycles
        )


@dataclass(frozen=True)
class Simulation:
    """What a simulation found.

    ``cycles_total`` counts from the cycle in which the source may first emit to the one in which the
    sink takes the last word; ``latency_cycles`` is that count for one frame in an empty pipeline;
    ``initiation_interval_cycles`` the spacing of frames at the sink once it is steady (None, with
    ``initiation_interval_basis`` saying why, where that is not proven). ``bit_exact`` is True where
    every word of every layer equalled the functional executor's, None where only times were simulated.
    The unit and FIFO counts are those of a run of ``counted_frames`` frames and ``counted_cycles``
    cycles: of all frames, except where the sink is proven steady while FIFOs before it still fill.
    ``frames_simulated`` frames were simulated to know all this (``frames_basis`` says by which argument).
    In steady state ``period_frames`` frames leave every ``period_cycles`` cycles.
    """

    arch: str
    workload: str
    frames: int
    clock_mhz: float
    executor: str
    cycles_total: int
    latency_cycles: int
    initiation_interval_cycles: int | None
    initiation_interval_basis: str
    counted_frames: int
    counted_cycles: int
    frames_simulated: int
    frames_basis: str
    bit_exact: bool | None
    bit_exact_basis: str
    predictions: tuple[int, ...] | None
    scores: tuple[tuple[int, ...], ...] | None
    labels: tuple[int, ...] | None
    classes: tuple[str, ...] | None
    units: tuple[UnitReport, ...]
    fifos: tuple[FifoReport, ...]
    layers: tuple[LayerReport, ...] = ()
    """Engines only."""
    period_frames: int | None = None
    period_cycles: int | None = None
    bottleneck: Bottleneck | None = None
    """Streaming designs only, where the interval is proven."""

    @property
    def latency_us(self) -> float:
        return self.latency_cycles / self.clock_mhz

    @property
    def throughput_fps(self) -> float | None:
        """Frames a second once steady."""
        if self.period_frames is not None and self.period_cycles is not None:
            return self.clock_mhz * 1e6 * self.period_frames / self.period_cycles
        interval = self.initiation_interval_cycles
        return None if interval is None else self.clock_mhz * 1e6 / interval

    @property
    def accuracy(self) -> float | None:
        """Share of predictions that equal their label."""
        if self.predictions is None or self.labels is None:
            return None
        right = sum(p == label for p, label in zip(self.predictions, self.labels, strict=True))
        return right / len(self.labels)

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names."""
        return {
            **asdict(self),
            "latency_us": self.latency_us,
            "throughput_fps": self.throughput_fps,
            "accuracy": self.accuracy,
        }
