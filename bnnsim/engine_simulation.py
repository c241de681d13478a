"""Simulation of engines: the same report as for streaming accelerators, and cycles by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bnnsim.design.engine import EngineDesign
from bnnsim.design.network import Network
from bnnsim.simulation import LayerReport, Simulation, Stimulus, UnitReport
from bnnsim.timing.engine_result import EngineTiming

if TYPE_CHECKING:
    from bnnsim.simulation import ExecutorName, Progress

Ints = npt.NDArray[np.int64]
STEADY_FRAMES = 4
"""Prefetching reaches two transfers ahead, so the first frame's start is the only special one."""


def simulate_engine(
    design: EngineDesign,
    stimulus: Stimulus | None,
    frames: int,
    executor: ExecutorName | None,
    basis: str,
    progress: Progress | None,
) -> Simulation:
    """Cycles of ``frames`` frames, and with a stimulus its bits in the engine's own tile order."""
    count = frames if stimulus is None else len(stimulus.frames)
    scores = None
    if stimulus is not None:
        scores = _scores(design, stimulus, progress)
        basis = "every element of every layer equals the functional executor's"
    chosen: ExecutorName = executor or ("compiled" if stimulus is None else "simpy")
    timing = _run(design, count, chosen)
    interval, _, reason = steady_interval(design)
    workload = design.network.workload
    predictions = None if scores is None else tuple(int(p) for p in scores.argmax(axis=1))
    return Simulation(
        arch=design.architecture.name,
        workload=workload.name,
        frames=count,
        clock_mhz=design.architecture.clock_mhz,
        executor=chosen,
        cycles_total=timing.cycles_total,
        latency_cycles=timing.frame_end_cycles[0],
        initiation_interval_cycles=interval,
        initiation_interval_basis=reason,
        counted_frames=count,
        bit_exact=None if scores is None else True,
        bit_exact_basis=basis,
        predictions=predictions,
        scores=None if scores is None else tuple(tuple(int(v) for v in row) for row in scores),
        labels=None if stimulus is None else stimulus.labels,
        classes=tuple(workload.classes) if workload.classes else None,
        units=tuple(
            UnitReport(unit.name, unit.kind, unit.busy, unit.stalled, 0, unit.idle)
            for unit in timing.units
        ),
        fifos=(),
        layers=_layers(design, timing),
    )


def steady_interval(design: EngineDesign) -> tuple[int | None, int, str]:
    """Cycles between frames once they are equally spaced, those of the first frame, and why."""
    ends = _run(design, STEADY_FRAMES, "compiled").frame_end_cycles
    gaps = {later - earlier for earlier, later in zip(ends[1:], ends[2:], strict=False)}
    if len(gaps) > 1:
        return None, ends[0], f"frames 2 to {STEADY_FRAMES} are not equally spaced: {sorted(gaps)} cycles"
    (gap,) = gaps
    if gap == ends[0]:
        return gap, ends[0], "a frame starts when the one before it is done"
    return gap, ends[0], "frames after the first, whose loads nothing precedes, are equally spaced"


def _run(design: EngineDesign, frames: int, executor: ExecutorName) -> EngineTiming:
    if executor == "simpy":
        from bnnsim.timing.engine_simpy import run_engine_simpy

        return run_engine_simpy(design.program, frames)
    from bnnsim.timing.engine_compiled import run_engine_compiled

    return run_engine_compiled(design.program, frames)


def _layers(design: EngineDesign, timing: EngineTiming) -> tuple[LayerReport, ...]:
    parts = {part.name: part for part in design.program.parts}
    return tuple(
        LayerReport(
            name=account.name,
            array=parts[account.name].array,
            host_calls=parts[account.name].calls * timing.frames,
            compute_cycles=account.compute_cycles,
            stage_cycles=account.stage_cycles,
            weight_load_cycles=account.weight_load_cycles,
            activation_load_cycles=account.activation_load_cycles,
            activation_store_cycles=account.activation_store_cycles,
            host_cycles=account.host_cycles,
            stall_cycles=account.stall_cycles,
            overhead_cycles=account.overhead_cycles,
        )
        for account in timing.parts
    )


def _scores(design: EngineDesign, stimulus: Stimulus, progress: Progress | None) -> Ints:
    """Scores ``(frames, outputs)`` of the engine; every layer compared with the reference."""
    from bnnsim.datapath.engine import run_engine_frame
    from bnnsim.functional.executor import execute

    network = design.network
    parameters = stimulus.parameters.by_layer()
    scores = []
    for number, frame in enumerate(stimulus.frames):
        reference = execute(network, stimulus.parameters, frame[None]).outputs
        values = frame.astype(np.int64)
        if network.input.type.is_bipolar:
            values = values * 2 - 1
        result = run_engine_frame(design, parameters, values)
        for name in network.nodes:
            _compare(network, name, number, reference[name][0], result.outputs[name])
        scores.append(result.outputs[network.output].reshape(-1))
        if progress is not None:
            progress(number + 1, len(stimulus.frames))
    return np.stack(scores)


def _compare(
    network: Network,
    name: str,
    frame: int,
    reference: npt.NDArray[np.integer],
    found: npt.NDArray[np.integer],
) -> None:
    from bnnsim.datapath.build import BitMismatchError

    if network.nodes[name].output.type.is_bipolar:
        found = (found + 1) // 2
    wrong = np.argwhere(reference != found)
    if wrong.size:
        channel, row, column = (int(i) for i in wrong[0])
        at = (channel, row, column)
        raise BitMismatchError(
            name, frame, row, column, channel, int(reference[at]), int(found[at])
        )
