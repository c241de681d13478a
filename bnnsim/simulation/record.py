"""What a simulation found, under one name and unit each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bnnsim.design.memory_map import MemoryMap
from bnnsim.design.streaming.units import UnitKind
from bnnsim.files.schema_version import versioned
from bnnsim.notebook.picture import Picture, Series
from bnnsim.notebook.table import Row, Table, answer_html
from bnnsim.timing.bottleneck import Bottleneck
from bnnsim.timing.engine.result import EngineUnitKind
from bnnsim.timing.engine.spending import Spending

MOST_BARS = 24
"""Bars of a picture at most: the busiest units."""
_PARTS = {
    "busy": "busy_cycles",
    "waits for words": "stalled_on_input_cycles",
    "waits for room": "stalled_on_output_cycles",
    "idle": "idle_cycles",
}


@dataclass(frozen=True)
class UnitReport:
    """Where one unit's cycles went; the four add up to the simulation's ``counted_cycles``."""

    name: str
    """The layer and what the unit is to it, such as conv1.mvau; an engine's array, stage or mover."""
    kind: UnitKind | EngineUnitKind
    """What the unit is: mvau, window, pool, ...; array, stage, mover, ... of an engine."""
    busy_cycles: int
    """Cycles with a step that read or wrote a word."""
    stalled_on_input_cycles: int
    """Cycles in which a step waited for a word (the unit is starved)."""
    stalled_on_output_cycles: int
    """Cycles in which a step waited for room in a FIFO (the unit is back-pressured)."""
    idle_cycles: int
    """Steps without a word (an MVAU that works on its buffered vector), a pipeline that empties, nothing
    to do."""


@dataclass(frozen=True)
class FifoReport:
    """One stream and the most words it held at the end of any cycle."""

    name: str
    """The stream: its writer, ->, its reader."""
    depth_words: int
    """Words the FIFO can hold."""
    width_bits: int
    """Bits of a word."""
    max_occupancy_words: int
    """The most words it held; the FIFO was full where this is its depth."""


@dataclass(frozen=True)
class LayerReport:
    """Where the cycles of one layer's turn on an engine went, over all frames; they add up to its time.

    Transfers that run beside the arrays are not counted here but as their mover's busy cycles; waiting
    for them is ``stall_cycles``.
    """

    name: str
    """The layer that leads the turn."""
    array: str
    """The array it runs on; empty for what no array executes."""
    host_calls: int
    """Calls by the host processor."""
    compute_cycles: int
    """An array at work."""
    stage_cycles: int
    """Units before and behind the array, in sequence with it."""
    weight_load_cycles: int
    """Weights on their way in while nothing else works."""
    activation_load_cycles: int
    """Inputs on their way in while nothing else works."""
    activation_store_cycles: int
    """Outputs on their way out while nothing else works."""
    host_cycles: int
    """The host's calls."""
    stall_cycles: int
    """Waiting for a transfer that runs beside the arrays."""
    weight_stall_cycles: int
    """Of `stall_cycles`, waiting for weights or thresholds."""
    activation_stall_cycles: int
    """Of `stall_cycles`, waiting for the image or a map on its way in."""
    store_stall_cycles: int
    """Of `stall_cycles`, waiting for a map or results on their way out."""
    overhead_cycles: int
    """Cycles in which no unit works, as the architecture states them."""

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
class OutputReport:
    """What one of a network's several outputs gave."""

    name: str
    """The layer."""
    shape: tuple[int, ...]
    """Channels, height and width of a frame's values."""
    scores: tuple[tuple[int, ...], ...]
    """Its values, by frame, then by element: channel, row, column."""


@dataclass(frozen=True)
class Simulation(Table):
    """What a simulation found.

    Counts of units, FIFOs and layers are those of a run of ``counted_frames`` frames. Rows are units.

    Example:
        >>> from bnnsim import simulate
        >>> run = simulate("digits-7z020", "digits", frames=3)
        >>> run.bit_exact, run.predictions, run.labels
        (True, (7, 6, 3), (7, 6, 3))
    """

    arch: str
    """The architecture's name."""
    workload: str
    """The workload's name."""
    frames: int
    """Frames of the run."""
    clock_mhz: float
    """The architecture's clock."""
    executor: str
    """Who counted the cycles: simpy or compiled."""
    cycles_total: int
    """From the cycle in which the source may first emit to the one in which the sink (the last of
    several) takes the last word."""
    latency_cycles: int
    """The same count for one frame in an empty pipeline."""
    initiation_interval_cycles: int | None
    """Spacing of frames at the sinks in steady state, rounded up; null where that is not proven."""
    initiation_interval_basis: str
    """How the interval is known, or why it is not."""
    counted_frames: int
    """Frames that the counts of units, FIFOs and layers are of: all, except where the sinks are proven
    steady while FIFOs before them still fill."""
    counted_cycles: int
    """Cycles of a run of so many frames."""
    frames_simulated: int
    """Frames that were simulated to know all this."""
    frames_basis: str
    """By which argument the other frames are known."""
    bit_exact: bool | None
    """true where every word of every layer equalled the functional executor's; null where only times
    were simulated."""
    bit_exact_basis: str
    """What was compared, or why nothing was."""
    predictions: tuple[int, ...] | None
    """The class with the highest score, a frame; null without bits, and where the output is a map."""
    scores: tuple[tuple[int, ...], ...] | None
    """What the (first) output layer put out, by frame, then by element; null without bits."""
    labels: tuple[int, ...] | None
    """The right class, a frame; null where the images have no labels, and without bits."""
    images: int | None
    """Different images that the frames show: further frames show them over again; null without images."""
    classes: tuple[str, ...] | None
    """Names of the classes; null where the workload has none."""
    units: tuple[UnitReport, ...]
    """Where the cycles of each unit went, in the network's order."""
    fifos: tuple[FifoReport, ...]
    """How full each stream was, in the network's order; empty for an engine."""
    layers: tuple[LayerReport, ...] = ()
    """Where the cycles of each layer's turn went, in their order; empty for a pipeline."""
    period_frames: int | None = None
    """Frames of a period in steady state; null for an engine, and where no interval is proven."""
    period_cycles: int | None = None
    """Cycles in which so many frames leave; null for an engine, and where no interval is proven."""
    bottleneck: Bottleneck | None = None
    """What limits the design; null where no interval is proven."""
    spending: Spending | None = None
    """Where an engine's cycles go, memory or compute, and what each twice as fast would bring; null for a
    pipeline, and where no interval is proven."""
    memory_map: MemoryMap | None = None
    """What an engine's frame brings in, keeps where and for how long, and sends out; null for a
    pipeline."""
    outputs: tuple[OutputReport, ...] = ()
    """What each output gave, in the workload's order; the key is there only where a run with bits has
    several."""
    outside: tuple[str, ...] = ()
    """What an engine neither brings nor keeps, with the reason: no figure contains it."""

    @property
    def latency_us(self) -> float:
        """``latency_cycles`` at the clock."""
        return self.latency_cycles / self.clock_mhz

    @property
    def throughput_fps(self) -> float | None:
        """Frames a second once steady; null where no interval is proven."""
        if self.period_frames is not None and self.period_cycles is not None:
            return self.clock_mhz * 1e6 * self.period_frames / self.period_cycles
        interval = self.initiation_interval_cycles
        return None if interval is None else self.clock_mhz * 1e6 / interval

    @property
    def accuracy(self) -> float | None:
        """Share of images whose prediction equals their label, each counted once; null without labels or
        predictions."""
        if self.predictions is None or self.labels is None:
            return None
        right = [p == label for p, label in zip(self.predictions, self.labels, strict=True)]
        return sum(right[: self.images]) / len(right[: self.images])

    def __repr__(self) -> str:
        fps = self.throughput_fps
        speed = "no proven interval" if fps is None else f"{fps:,.1f} FPS"
        bits = {True: ", bit-exact", False: ", bits differ", None: ""}[self.bit_exact]
        name = f"{self.arch} x {self.workload}"
        frames = "1 frame" if self.frames == 1 else f"{self.frames:,} frames"
        return f"<Simulation {name}: {speed}, {self.latency_us:,.1f} us, {frames}{bits}>"

    def rows(self) -> list[Row]:
        """One row a unit: its name, kind and where its cycles went."""
        return [asdict(unit) for unit in self.units]

    def picture(self) -> Picture:
        """Where the cycles of the busiest units went."""
        busiest = sorted(self.units, key=lambda unit: -unit.busy_cycles)[:MOST_BARS]
        shown = [unit for unit in self.units if unit in busiest]
        names = tuple(unit.name for unit in shown)
        frames = "1 frame" if self.counted_frames == 1 else f"{self.counted_frames:,} frames"
        series = tuple(
            Series(name, names, tuple(getattr(unit, field) for unit in shown))
            for name, field in _PARTS.items()
        )
        return Picture(f"Where the cycles of {frames} went", "unit", "cycles", series, "stacked")

    def answer(self) -> list[tuple[str, str]]:
        """Names and values of what a notebook shows first."""
        fps, bottleneck = self.throughput_fps, self.bottleneck
        accuracy = self.accuracy
        return [
            ("design", f"{self.arch} x {self.workload} at {self.clock_mhz:g} MHz"),
            ("throughput", "no interval is proven" if fps is None else f"{fps:,.1f} FPS"),
            ("latency", f"{self.latency_cycles:,} cycles = {self.latency_us:,.1f} us"),
            *([] if bottleneck is None else [("bottleneck", bottleneck.unit)]),
            *([] if accuracy is None else [("accuracy", f"{accuracy:.2%}")]),
        ]

    def _repr_html_(self) -> str:
        return answer_html(self.answer(), self.picture())

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names (docs/json.md)."""
        data = asdict(self)
        if not self.outputs:
            del data["outputs"]
        return versioned(
            {
                **data,
                "latency_us": self.latency_us,
                "throughput_fps": self.throughput_fps,
                "accuracy": self.accuracy,
            }
        )
