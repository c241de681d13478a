"""Simulation: a design's frames through its hardware, cycle by cycle and bit by bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from bnnsim.design.build import Design, build_design
from bnnsim.design.network import Network
from bnnsim.spec.architecture import Architecture, EngineArchitecture
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import Loaded, read_architecture, read_workload
from bnnsim.spec.workload import Workload
from bnnsim.timing.graph import TimingGraph, build_timing
from bnnsim.timing.result import TimingResult

if TYPE_CHECKING:
    from bnnsim.functional.parameters import Parameters
    from bnnsim.timing.actor import Datapath, Watcher

IntArray = npt.NDArray[np.integer]
Progress = Callable[[int, int], None]
ExecutorName = Literal["simpy", "compiled"]


@dataclass(frozen=True)
class UnitReport:
    """Where one unit's cycles went; the four add up to ``cycles_total``."""

    name: str
    kind: str
    busy_cycles: int
    """Cycles with a step that read or wrote a word."""
    stalled_on_input_cycles: int
    stalled_on_output_cycles: int
    idle_cycles: int
    """Steps without a word (an MVAU that works on its buffered vector), draining, nothing to do."""


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


@dataclass(frozen=True)
class Simulation:
    """What a simulation found.

    ``cycles_total`` counts from the cycle in which the source may first emit to the one in which the
    sink takes the last word; ``latency_cycles`` is that count for one frame in an empty pipeline;
    ``initiation_interval_cycles`` the spacing of frames at the sink once it is steady (None, with
    ``initiation_interval_basis`` saying why, where that is not proven). ``bit_exact`` is True where
    every word of every layer equalled the functional executor's, None where only times were simulated.
    ``counted_frames`` are the frames that the unit and FIFO counts cover.
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

    @property
    def latency_us(self) -> float:
        return self.latency_cycles / self.clock_mhz

    @property
    def throughput_fps(self) -> float | None:
        """Frames a second once steady."""
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
        from dataclasses import asdict

        return {
            **asdict(self),
            "latency_us": self.latency_us,
            "throughput_fps": self.throughput_fps,
            "accuracy": self.accuracy,
        }


@dataclass(frozen=True)
class Stimulus:
    """What a bit-exact run works on: parameters, frames as elements, and their labels."""

    parameters: Parameters
    frames: IntArray
    labels: tuple[int, ...] | None


def load_design(
    architecture: str | Path | Loaded[Architecture] | Architecture,
    workload: str | Path | Loaded[Workload] | Workload,
) -> tuple[Design, Path | None]:
    """A design from names, paths or specs, and the folder its workload's files are relative to.

    Raises :class:`~bnnsim.spec.SpecError` with all faults of both files and of their fit.
    """
    arch = read_architecture(architecture) if isinstance(architecture, str | Path) else architecture
    work = read_workload(workload) if isinstance(workload, str | Path) else workload
    design = build_design(arch, work)
    path = work.path if isinstance(work, Loaded) else None
    return design, path.parent if path else None


def simulate(
    architecture: str | Path | Loaded[Architecture] | Architecture,
    workload: str | Path | Loaded[Workload] | Workload,
    *,
    images: Sequence[str | Path] | IntArray | None = None,
    frames: int | None = None,
    timing_only: bool = False,
    weights_seed: int | None = None,
    executor: ExecutorName | None = None,
    watcher: Watcher | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Simulate ``workload`` on ``architecture`` (shipped names, paths or specs).

    ``images`` are files (.npz with ``images_u8`` and ``labels``, .npy, pictures) or an array of pixels
    ``(n, ...)`` uint8; default: the workload's own. ``frames`` takes the first so many of them, over
    again where there are fewer; default: all, or one without images. ``weights_seed`` draws weights
    (and images where there are none) for a workload without any. ``timing_only`` leaves the bits out;
    ``executor`` is then ``compiled`` unless said otherwise; bit-exact runs are SimPy's.

    Raises :class:`~bnnsim.spec.SpecError` for what the user gave wrong,
    :class:`~bnnsim.timing.result.DeadlockError` where a FIFO is too shallow, and
    :class:`~bnnsim.datapath.build.BitMismatchError` where hardware and network differ in a bit.
    """
    if frames is not None and frames < 1:
        raise InputError("--frames", "a number >= 1", str(frames))
    arch = read_architecture(architecture) if isinstance(architecture, str | Path) else architecture
    if isinstance(arch.spec if isinstance(arch, Loaded) else arch, EngineArchitecture):
        return _engine(arch, workload, images, frames, timing_only, weights_seed, executor, progress)
    design, folder = load_design(arch, workload)
    if executor == "compiled" and not timing_only:
        raise InputError("--executor", "simpy for a bit-exact run (or --timing-only)", "compiled")
    stimulus: Stimulus | None = None
    basis = "timing only, as asked"
    if not timing_only:
        stimulus, basis = stimulate(design.network, folder, images, frames, weights_seed)
    elif images is not None:
        raise InputError("--images", "no images with --timing-only", "images")
    if stimulus is None:
        return _timing_only(design, frames or 1, executor or "compiled", basis, watcher, progress)
    if any(node.output.type.is_residual for node in design.network.nodes.values()):
        raise InputError(
            design.network.workload.name,
            "--timing-only: in which order a stream carries the levels of residual activations is "
            "known for its cycles only",
            "a bit-exact run",
        )
    return _bit_exact(design, stimulus, watcher, progress)


def _engine(
    architecture: Loaded[Architecture] | Architecture,
    workload: str | Path | Loaded[Workload] | Workload,
    images: Sequence[str | Path] | IntArray | None,
    frames: int | None,
    timing_only: bool,
    weights_seed: int | None,
    executor: ExecutorName | None,
    progress: Progress | None,
) -> Simulation:
    """:func:`simulate` for an engine."""
    from bnnsim.design.engine import build_engine_design
    from bnnsim.engine_simulation import simulate_engine

    work = read_workload(workload) if isinstance(workload, str | Path) else workload
    design = build_engine_design(architecture, work)
    stimulus: Stimulus | None = None
    basis = "timing only, as asked"
    if not timing_only:
        folder = work.path.parent if isinstance(work, Loaded) and work.path else None
        stimulus, basis = stimulate(design.network, folder, images, frames, weights_seed)
    elif images is not None:
        raise InputError("--images", "no images with --timing-only", "images")
    return simulate_engine(design, stimulus, frames or 1, executor, basis, progress)


def stimulate(
    network: Network,
    folder: Path | None,
    images: Sequence[str | Path] | IntArray | None,
    frames: int | None,
    weights_seed: int | None,
) -> tuple[Stimulus | None, str]:
    """Parameters and frames of a bit-exact run; None with the reason where there are none."""
    from bnnsim.functional.frames import frames_from_images, random_frames
    from bnnsim.functional.parameters import load_parameters, random_parameters
    from bnnsim.functional.pictures import load_images

    workload = network.workload
    if weights_seed is not None:
        parameters = random_parameters(network, weights_seed)
    elif workload.weights is not None:
        parameters = load_parameters(network, (folder or Path()) / workload.weights)
    elif images is not None:
        raise InputError(
            workload.name, "weights in the workload, or --weights-seed", "images but no weights"
        )
    else:
        return None, f"timing only: workload {workload.name} has no weights (--weights-seed draws some)"
    labels: IntArray | None = None
    if images is None and workload.images is not None and weights_seed is None:
        images = [(folder or Path()) / workload.images]
    if images is None:
        if weights_seed is None:
            return None, "timing only: no images given (--images) and none with the workload"
        elements = random_frames(network, frames or 1, weights_seed)
    elif isinstance(images, np.ndarray):
        elements = frames_from_images(network, images)
    else:
        pixels, labels = load_images(network, [Path(image) for image in images])
        elements = frames_from_images(network, pixels)
    if frames is not None:
        chosen = np.arange(frames) % len(elements)
        elements = elements[chosen]
        labels = None if labels is None else labels[chosen]
    shown = None if labels is None else tuple(int(label) for label in labels)
    return Stimulus(parameters, elements, shown), ""


def datapaths_for(design: Design, stimulus: Stimulus) -> tuple[dict[str, Datapath], Any]:
    """Datapaths checked against the functional executor, and its activations."""
    from bnnsim.datapath.build import build_datapaths
    from bnnsim.functional.executor import execute

    activations = execute(design.network, stimulus.parameters, stimulus.frames)
    datapaths = build_datapaths(
        design.graph,
        stimulus.frames,
        stimulus.parameters.weights,
        stimulus.parameters.thresholds,
        activations.outputs,
    )
    return dict(datapaths), activations


def _bit_exact(
    design: Design, stimulus: Stimulus, watcher: Watcher | None, progress: Progress | None
) -> Simulation:
    from bnnsim.datapath.build import sink_values
    from bnnsim.datapath.units import SinkDatapath
    from bnnsim.timing.simpy_executor import run_simpy

    timing = build_timing(design.graph)
    datapaths, _ = datapaths_for(design, stimulus)
    count = len(stimulus.frames)
    result = run_simpy(timing, count, datapaths, watcher, progress)
    sink = datapaths[timing.units[timing.sink].name]
    assert isinstance(sink, SinkDatapath)
    values = sink_values(design.graph, design.network, sink.words, count)
    scores = values.reshape(count, -1)
    return _report(
        design,
        timing,
        result,
        executor="simpy",
        bit_exact=True,
        basis="every word of every layer equals the functional executor's",
        scores=scores,
        labels=stimulus.labels,
    )


def _timing_only(
    design: Design,
    frames: int,
    executor: ExecutorName,
    basis: str,
    watcher: Watcher | None,
    progress: Progress | None,
) -> Simulation:
    timing = build_timing(design.graph)
    if executor == "simpy":
        from bnnsim.timing.simpy_executor import run_simpy

        result = run_simpy(timing, frames, None, watcher, progress)
        return _report(design, timing, result, executor=executor, bit_exact=None, basis=basis)
    from bnnsim.timing.compiled import run_compiled

    run = run_compiled(timing, frames)
    return _report(
        design,
        timing,
        run.result,
        executor=executor,
        bit_exact=None,
        basis=basis,
        counted_frames=run.counted_frames,
    )


def _report(
    design: Design,
    timing: TimingGraph,
    result: TimingResult,
    *,
    executor: str,
    bit_exact: bool | None,
    basis: str,
    scores: npt.NDArray[np.int64] | None = None,
    labels: tuple[int, ...] | None = None,
    counted_frames: int | None = None,
) -> Simulation:
    from bnnsim.timing.steady import analyse

    steady = analyse(timing)
    if result.frames == 1:
        latency_cycles = result.cycles_total
    else:
        latency_cycles = steady.latency_cycles
    named = {unit.name: unit for unit in design.graph.units}
    units = tuple(
        UnitReport(
            unit.name,
            named[unit.name].kind,
            cycles.busy,
            cycles.stalled_on_input,
            cycles.stalled_on_output,
            cycles.idle,
        )
        for unit, cycles in zip(timing.units, result.units, strict=True)
        if not unit.part_of
    )
    fifos = tuple(
        FifoReport(stream.name, stream.depth_words, stream.width_bits, words)
        for stream, words in zip(design.graph.streams, result.max_occupancy_words, strict=False)
    )
    workload = design.network.workload
    # Scores beyond the last named class are padding rows of the matrix.
    named = None if scores is None else scores[:, : len(workload.classes or ()) or None]
    predictions = None if named is None else tuple(int(p) for p in named.argmax(axis=1))
    return Simulation(
        arch=design.architecture.name,
        workload=workload.name,
        frames=result.frames,
        clock_mhz=design.architecture.clock_mhz,
        executor=executor,
        cycles_total=result.cycles_total,
        latency_cycles=latency_cycles,
        initiation_interval_cycles=steady.initiation_interval_cycles,
        initiation_interval_basis=steady.reason,
        counted_frames=counted_frames or result.frames,
        bit_exact=bit_exact,
        bit_exact_basis=basis,
        predictions=predictions,
        scores=None if scores is None else tuple(tuple(int(v) for v in row) for row in scores),
        labels=labels,
        classes=tuple(workload.classes) if workload.classes else None,
        units=units,
        fifos=fifos,
    )
