"""Simulation of engines: the same report as for streaming accelerators, and cycles by layer."""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.design.design import EngineDesign
from bnnsim.design.engine.memory_map import memory_map
from bnnsim.design.engine.program import EngineProgram
from bnnsim.design.network.network import Network
from bnnsim.simulation.options import ExecutorName, Progress, RunOptions
from bnnsim.simulation.predictions import class_predictions
from bnnsim.simulation.prefix import prefix_outputs
from bnnsim.simulation.record import LayerReport, OutputReport, Simulation, UnitReport
from bnnsim.simulation.stimulus import Stimulus, TimingOnly
from bnnsim.timing.engine.bottleneck import find_engine_bottleneck
from bnnsim.timing.engine.observer import EngineObserver
from bnnsim.timing.engine.result import EngineTiming
from bnnsim.timing.engine.spending import find_spending
from bnnsim.timing.engine.steady_state import steady_interval as program_interval
from bnnsim.timing.prefix import whole_program


def simulate_engine(
    design: EngineDesign,
    stimulus: Stimulus | TimingOnly,
    options: RunOptions,
    observer: EngineObserver | None = None,
) -> Simulation:
    """Cycles of an engine's frames, and with a stimulus its bits in the engine's own tile order.

    An ``observer`` is shown the run, which is SimPy's then.
    """
    labels = None
    outputs: tuple[OutputReport, ...] = ()
    if isinstance(stimulus, Stimulus):
        outputs, labels = _outputs(design, stimulus, options.progress), stimulus.labels
        frames = len(stimulus.frames)
        basis = "every element of every layer equals the functional executor's" + stimulus.repeats
    else:
        frames, basis = options.frames or 1, stimulus.reason
    scores = outputs[0].scores if outputs else None
    executor: ExecutorName = options.executor or ("compiled" if scores is None else "simpy")
    program = whole_program(design)
    timing = _run(program, frames, "simpy" if observer else executor, observer)
    interval, latency, reason = program_interval(program)
    workload = design.network.workload
    return Simulation(
        arch=design.architecture.name,
        workload=workload.name,
        frames=frames,
        clock_mhz=design.architecture.clock_mhz,
        executor=executor,
        cycles_total=timing.cycles_total,
        latency_cycles=latency,
        initiation_interval_cycles=interval,
        initiation_interval_basis=reason,
        counted_frames=frames,
        counted_cycles=timing.cycles_total,
        frames_simulated=frames,
        frames_basis="every frame was simulated",
        bit_exact=None if scores is None else True,
        bit_exact_basis=basis,
        predictions=None if scores is None else class_predictions(design.network, np.array(scores)),
        scores=scores,
        outputs=outputs if len(outputs) > 1 else (),
        labels=labels,
        images=stimulus.images if isinstance(stimulus, Stimulus) else None,
        classes=tuple(workload.classes) if workload.classes else None,
        units=tuple(
            UnitReport(unit.name, unit.kind, unit.busy, unit.stalled, 0, unit.idle)
            for unit in timing.units
        ),
        fifos=(),
        layers=_layers(program, timing),
        outside=tuple(str(entry) for entry in design.architecture.outside),
        bottleneck=find_engine_bottleneck(program, interval),
        spending=find_spending(design, program, interval),
        memory_map=memory_map(design.architecture, design.network, design.program),
    )


def steady_interval(design: EngineDesign) -> tuple[int | None, int, str]:
    """Cycles between frames once they are equally spaced, those of one frame alone, and why."""
    return program_interval(whole_program(design))


def _run(
    program: EngineProgram, frames: int, executor: ExecutorName, observer: EngineObserver | None
) -> EngineTiming:
    if executor == "simpy":
        from bnnsim.timing.engine.reference import run_engine_simpy

        return run_engine_simpy(program, frames, observer=observer)
    from bnnsim.timing.engine.compiled import run_engine_compiled

    return run_engine_compiled(program, frames)


def _layers(program: EngineProgram, timing: EngineTiming) -> tuple[LayerReport, ...]:
    parts = {part.name: part for part in program.parts}
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
            weight_stall_cycles=account.weight_stall_cycles,
            activation_stall_cycles=account.activation_stall_cycles,
            store_stall_cycles=account.store_stall_cycles,
            overhead_cycles=account.overhead_cycles,
        )
        for account in timing.parts
    )


def _outputs(
    design: EngineDesign, stimulus: Stimulus, progress: Progress | None
) -> tuple[OutputReport, ...]:
    """What the engine puts out, by output; every layer compared with the reference."""
    from bnnsim.datapath.engine.frame import run_engine_frame

    network = design.network
    parameters = stimulus.parameters.by_layer()
    found: dict[str, list[tuple[int, ...]]] = {name: [] for name in network.outputs}
    for number, frame in enumerate(stimulus.frames):
        values = frame.astype(np.int64)
        if network.input.type.is_bipolar:
            values = values * 2 - 1
        reference = stimulus.outputs_of(number)
        given = prefix_outputs(design, stimulus, number, reference)
        result = run_engine_frame(design, parameters, values, given)
        for name in (name for name in network.nodes if name in result.outputs):
            _compare(network, name, number, reference[name], result.outputs[name])
        for name, rows in found.items():
            rows.append(tuple(result.outputs[name].reshape(-1).tolist()))
        if progress is not None:
            progress(number + 1, len(stimulus.frames))
    return tuple(
        OutputReport(name, network.tensor(name).shape, tuple(rows)) for name, rows in found.items()
    )


def _compare(
    network: Network,
    name: str,
    frame: int,
    reference: Integers,
    found: Integers,
) -> None:
    from bnnsim.datapath.mismatch import BitMismatchError

    if network.nodes[name].output.type.is_bipolar:
        found = (found + 1) // 2
    wrong = np.argwhere(reference != found)
    if wrong.size:
        channel, row, column = (int(i) for i in wrong[0])
        at = (channel, row, column)
        raise BitMismatchError(
            name, frame, row, column, channel, int(reference[at]), int(found[at])
        )
