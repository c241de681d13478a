"""A timing result and its bits as one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bnnsim.design.design import Design
from bnnsim.simulation.record import FifoReport, Simulation, UnitReport
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.result import TimingResult

if TYPE_CHECKING:
    from bnnsim.timing.streaming.compiled_run import CompiledRun


def report(
    design: Design,
    timing: TimingGraph,
    result: TimingResult,
    *,
    executor: str,
    bit_exact: bool | None,
    basis: str,
    scores: npt.NDArray[np.int64] | None = None,
    labels: tuple[int, ...] | None = None,
    compiled: CompiledRun | None = None,
) -> Simulation:
    """The record of a run of ``result.frames`` frames; ``scores`` ``(frames, elements)`` of the sink.

    ``compiled`` is the compiled executor's run, where it was that one's.

    Latency and initiation interval are the design's, whatever the length of the run.
    """
    from bnnsim.timing.streaming.bottleneck import find_bottleneck
    from bnnsim.timing.streaming.steady_state.api import steady_state

    steady = compiled.steady_state if compiled else None
    if steady is None:
        steady = steady_state(timing)
    if result.frames == 1:
        latency_cycles = result.cycles_total
    else:
        latency_cycles = steady.latency_cycles
    unit_of = {unit.name: unit for unit in design.graph.units}
    units = tuple(
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
    fifos = tuple(
        FifoReport(stream.name, stream.depth_words, stream.width_bits, words)
        for stream, words in zip(design.graph.streams, result.max_occupancy_words, strict=False)
    )
    workload = design.network.workload
    # Scores beyond the last named class are padding rows of the matrix.
    classed = None if scores is None else scores[:, : len(workload.classes or ()) or None]
    predictions = None if classed is None else tuple(int(p) for p in classed.argmax(axis=1))
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
        counted_frames=compiled.counted_frames if compiled else result.frames,
        counted_cycles=compiled.counted_cycles if compiled else result.cycles_total,
        frames_simulated=compiled.frames_simulated if compiled else result.frames,
        frames_basis=compiled.reason if compiled else "every frame was simulated",
        bit_exact=bit_exact,
        bit_exact_basis=basis,
        predictions=predictions,
        scores=None if scores is None else tuple(tuple(int(v) for v in row) for row in scores),
        labels=labels,
        classes=tuple(workload.classes) if workload.classes else None,
        units=units,
        fifos=fifos,
        period_frames=steady.period_frames,
        period_cycles=steady.period_cycles,
        bottleneck=find_bottleneck(timing, steady),
    )
