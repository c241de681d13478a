"""Simulation of pipelines: cycles by either executor, bits word by word through SimPy."""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.design.design import Design
from bnnsim.design.streaming.datapath import Datapath
from bnnsim.simulation.options import RunOptions
from bnnsim.simulation.record import FifoReport, Simulation, UnitReport
from bnnsim.simulation.stimulus import Stimulus, TimingOnly
from bnnsim.timing.streaming.bottleneck import find_bottleneck
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.compiled_run import CompiledRun
from bnnsim.timing.streaming.programs.graph import TimingGraph, build_timing
from bnnsim.timing.streaming.reference.actor import Observer
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import TimingResult


def simulate_streaming(
    design: Design,
    stimulus: Stimulus | TimingOnly,
    options: RunOptions,
    observer: Observer | None = None,
) -> Simulation:
    """A pipeline's frames, with a stimulus every word of every layer held against the network's."""
    timing = build_timing(design.graph)
    if isinstance(stimulus, TimingOnly):
        frames = options.frames or 1
        if options.executor != "simpy":
            run = run_compiled(timing, frames, with_steady_state=True)
            return _record(design, timing, run.result, stimulus, run, is_compiled=True)
        result = run_simpy(timing, frames, None, observer, options.progress)
        return _record(design, timing, result, stimulus, _settled(timing))
    datapaths = datapaths_for(design, stimulus)
    count = len(stimulus.frames)
    result = run_simpy(timing, count, datapaths, observer, options.progress)
    words = _sink_words(datapaths, timing)
    return _record(design, timing, result, stimulus, _settled(timing), _scores(design, words, count))


def _settled(timing: TimingGraph) -> CompiledRun:
    """What only the compiled executor tells: one run to the steady state, beside SimPy's."""
    return run_compiled(timing, 1, with_steady_state=True)


def datapaths_for(design: Design, stimulus: Stimulus) -> dict[str, Datapath]:
    """Datapaths of one run by unit name, checked against the functional executor."""
    from bnnsim.datapath.streaming.build import build_datapaths

    return dict(
        build_datapaths(
            design.graph,
            stimulus.frames,
            stimulus.parameters.weights,
            stimulus.parameters.thresholds,
            stimulus.activations.outputs,
            stimulus.parameters.values,
        )
    )


def _sink_words(datapaths: dict[str, Datapath], timing: TimingGraph) -> list[int]:
    from bnnsim.datapath.streaming.units import SinkDatapath

    sink = datapaths[timing.units[timing.sink].name]
    assert isinstance(sink, SinkDatapath)
    return sink.words


def _scores(design: Design, words: list[int], frames: int) -> Int64s:
    """Scores ``(frames, elements)`` from the sink's words."""
    from bnnsim.datapath.streaming.build import sink_values

    return sink_values(design.graph, design.network, words, frames).reshape(frames, -1)


def _record(
    design: Design,
    timing: TimingGraph,
    result: TimingResult,
    stimulus: Stimulus | TimingOnly,
    settled: CompiledRun,
    scores: Int64s | None = None,
    is_compiled: bool = False,
) -> Simulation:
    """The record of a run of ``result.frames`` frames; ``scores`` ``(frames, elements)`` of the sink.

    Latency, initiation interval and bottleneck are the design's, whatever the length of the run; they
    come from ``settled``, a run of the compiled executor that went on to the steady state: the run
    itself, if it ``is_compiled``.
    """
    steady = settled.steady_state
    assert steady is not None
    compiled = settled if is_compiled else None
    workload = design.network.workload
    if isinstance(stimulus, Stimulus):
        basis = "every word of every layer equals the functional executor's" + stimulus.repeats
        labels = stimulus.labels
    else:
        basis, labels = stimulus.reason, None
    # Scores beyond the last named class are padding rows of the matrix.
    classed = None if scores is None else scores[:, : len(workload.classes or ()) or None]
    return Simulation(
        arch=design.architecture.name,
        workload=workload.name,
        frames=result.frames,
        clock_mhz=design.architecture.clock_mhz,
        executor="compiled" if compiled else "simpy",
        cycles_total=result.cycles_total,
        latency_cycles=result.cycles_total if result.frames == 1 else steady.latency_cycles,
        initiation_interval_cycles=steady.initiation_interval_cycles,
        initiation_interval_basis=steady.reason,
        counted_frames=compiled.counted_frames if compiled else result.frames,
        counted_cycles=compiled.counted_cycles if compiled else result.cycles_total,
        frames_simulated=compiled.frames_simulated if compiled else result.frames,
        frames_basis=compiled.reason if compiled else "every frame was simulated",
        bit_exact=None if scores is None else True,
        bit_exact_basis=basis,
        predictions=None if classed is None else tuple(int(p) for p in classed.argmax(axis=1)),
        scores=None if scores is None else tuple(tuple(int(v) for v in row) for row in scores),
        labels=labels,
        classes=tuple(workload.classes) if workload.classes else None,
        units=_units(design, timing, result),
        fifos=tuple(
            FifoReport(stream.name, stream.depth_words, stream.width_bits, words)
            for stream, words in zip(design.graph.streams, result.max_occupancy_words, strict=False)
        ),
        period_frames=steady.period_frames,
        period_cycles=steady.period_cycles,
        bottleneck=find_bottleneck(timing, settled),
    )


def _units(design: Design, timing: TimingGraph, result: TimingResult) -> tuple[UnitReport, ...]:
    """Where the cycles of the design's units went; register slices are their unit's own business."""
    unit_of = design.graph.unit_by_name
    return tuple(
        UnitReport(
            unit.name,
            unit_of[unit.name].kind,
            cycles.busy,
            cycles.stalled_on_input,
            cycles.stalled_on_output,
            cycles.idle,
        )
        for unit, cycles in zip(timing.units, result.units, strict=True)
        if not unit.part_of
    )
