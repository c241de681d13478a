"""Simulation of pipelines: cycles by either executor, bits word by word."""

from __future__ import annotations

import numpy as np

from bnnsim.datapath.streaming.toggles import ToggleCounter
from bnnsim.design.design import Design
from bnnsim.design.streaming.datapath import Datapath
from bnnsim.simulation.dataflow import run_dataflow
from bnnsim.simulation.options import RunOptions
from bnnsim.simulation.predictions import class_predictions
from bnnsim.simulation.record import FifoReport, OutputReport, Simulation, UnitReport
from bnnsim.simulation.stimulus import Stimulus, TimingOnly
from bnnsim.spec.bounds import MAX_WATCHED_WORDS
from bnnsim.spec.faults import InputError
from bnnsim.timing.streaming.bottleneck import find_bottleneck
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.compiled_run import CompiledRun
from bnnsim.timing.streaming.programs.graph import TimingGraph, build_timing
from bnnsim.timing.streaming.reference.actor import Observer
from bnnsim.timing.streaming.reference.executor import run_simpy
from bnnsim.timing.streaming.result import TimingResult

MOST_SIMPY_WORDS = 1 << 22
"""Words of a run with bits that are SimPy's unless said otherwise: more would take minutes."""


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
        _check_words(timing, frames)
        result = run_simpy(timing, frames, None, observer, options.progress)
        return _record(design, timing, result, stimulus, _settled(timing))
    count = len(stimulus.frames)
    _check_words(timing, count)
    if _is_compiled(timing, count, options, observer):
        run = run_compiled(timing, count, with_steady_state=True)
        datapaths = datapaths_for(design, stimulus)
        run_dataflow(timing, datapaths, count, observer, options.progress)
        outputs = _outputs(design, datapaths, count)
        return _record(design, timing, run.result, stimulus, run, outputs, is_compiled=True)
    datapaths = datapaths_for(design, stimulus)
    result = run_simpy(timing, count, datapaths, observer, options.progress)
    outputs = _outputs(design, datapaths, count)
    return _record(design, timing, result, stimulus, _settled(timing), outputs)


def _is_compiled(
    timing: TimingGraph, frames: int, options: RunOptions, observer: Observer | None
) -> bool:
    """Whether the compiled executor counts the cycles of a run with bits: where that is wanted, or where
    SimPy would take minutes, and nobody looks on who has to see cycles."""
    if observer is not None and not isinstance(observer, ToggleCounter):
        return False
    if options.executor is None:
        return frames * _frame_words(timing) > MOST_SIMPY_WORDS
    return options.executor == "compiled"


def _settled(timing: TimingGraph) -> CompiledRun:
    """What only the compiled executor tells: one run to the steady state, beside SimPy's."""
    return run_compiled(timing, 1, with_steady_state=True)


def _check_words(timing: TimingGraph, frames: int) -> None:
    """Refuse more words than can be run through one by one."""
    words = _frame_words(timing)
    if frames * words > MAX_WATCHED_WORDS:
        expected = f"frames of at most {MAX_WATCHED_WORDS} words in all, taken one by one"
        got = f"{frames} of {words} (--timing-only takes any number)"
        raise InputError("--frames", expected, got)


def _frame_words(timing: TimingGraph) -> int:
    """Words that all units read and write for a frame."""
    return sum(
        unit.program.words_in * len(unit.inputs) + unit.program.words_out * len(unit.outputs)
        for unit in timing.units
    )


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


def _outputs(design: Design, datapaths: dict[str, Datapath], frames: int) -> tuple[OutputReport, ...]:
    """What the sinks took, in the order of the network's outputs."""
    from bnnsim.datapath.streaming.build import sink_values

    found = sink_values(design.graph, design.network, datapaths, frames)
    return tuple(
        OutputReport(
            name,
            design.network.tensor(name).shape,
            tuple(tuple(row) for row in values.reshape(frames, -1).tolist()),
        )
        for name, values in found.items()
    )


def _record(
    design: Design,
    timing: TimingGraph,
    result: TimingResult,
    stimulus: Stimulus | TimingOnly,
    settled: CompiledRun,
    outputs: tuple[OutputReport, ...] = (),
    is_compiled: bool = False,
) -> Simulation:
    """The record of a run of ``result.frames`` frames; ``outputs`` where it had bits.

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
        if compiled:
            basis += "; cycles are the compiled executor's"
        labels = stimulus.labels
    else:
        basis, labels = stimulus.reason, None
    scores = outputs[0].scores if outputs else None
    predictions = None if scores is None else class_predictions(design.network, np.array(scores))
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
        predictions=predictions,
        scores=scores,
        outputs=outputs if len(outputs) > 1 else (),
        labels=labels,
        images=stimulus.images if isinstance(stimulus, Stimulus) else None,
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
