"""Simulation: a design's frames through its hardware, cycle by cycle and bit by bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.design.build import build_streaming_design
from bnnsim.design.design import Design
from bnnsim.simulation.record import Simulation
from bnnsim.simulation.report import report
from bnnsim.simulation.stimulus import Stimulus, stimulate
from bnnsim.spec.architecture import Architecture
from bnnsim.spec.engine.architecture import EngineArchitecture
from bnnsim.spec.faults import InputError, near_names
from bnnsim.spec.load import Loaded, read_architecture, read_both
from bnnsim.spec.workload import Workload
from bnnsim.timing.streaming.programs.graph import build_timing

if TYPE_CHECKING:
    from bnnsim.design.streaming.datapath import Datapath
    from bnnsim.timing.streaming.reference.actor import Observer

Progress = Callable[[int, int], None]
ExecutorName = Literal["simpy", "compiled"]


def load_design(
    architecture: str | Path | Loaded[Architecture] | Architecture,
    workload: str | Path | Loaded[Workload] | Workload,
) -> tuple[Design, Path | None]:
    """A design from names, paths or specs, and the folder its workload's files are relative to.

    Raises :class:`~bnnsim.spec.SpecError` with all faults of both files and of their fit.
    """
    arch, work = read_both(architecture, workload)
    design = build_streaming_design(arch, work)
    path = work.path if isinstance(work, Loaded) else None
    return design, path.parent if path else None


def load_streaming_design(
    architecture: str | Path, workload: str | Path, place: str, reason: str
) -> tuple[Design, Path | None]:
    """As :func:`load_design`, for a command (``place``) that no engine can serve, and why."""
    arch = read_architecture(architecture)
    if isinstance(arch.spec, EngineArchitecture):
        raise InputError(place, f"a streaming accelerator ({reason})", f"the engine {arch.spec.name}")
    return load_design(arch, workload)


def simulate(
    architecture: str | Path | Loaded[Architecture] | Architecture,
    workload: str | Path | Loaded[Workload] | Workload,
    *,
    images: str | Path | Sequence[str | Path] | Integers | None = None,
    frames: int | None = None,
    timing_only: bool = False,
    weights_seed: int | None = None,
    executor: ExecutorName | None = None,
    observer: Observer | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Simulate ``workload`` on ``architecture`` (shipped names, paths or specs).

    ``images`` is a file (.npz with ``images_u8`` and ``labels``, .npy, a picture), several, or pixels
    ``(n, ...)`` uint8; default: the workload's own. ``frames`` takes the first so many of them, over
    again where there are fewer; default: all, or one without images. ``weights_seed`` draws weights
    (and images where there are none) for a workload without any. ``timing_only`` leaves the bits out;
    ``executor`` is then ``compiled`` unless said otherwise; bit-exact runs are SimPy's.

    Raises :class:`~bnnsim.spec.SpecError` for what the user gave wrong,
    :class:`~bnnsim.timing.streaming.result.DeadlockError` where a FIFO is too shallow, and
    :class:`~bnnsim.datapath.mismatch.BitMismatchError` where hardware and network differ in a bit.
    """
    check_arguments(frames, weights_seed, executor)
    if isinstance(images, str | Path):
        images = [images]
    arch, work = read_both(architecture, workload)
    if isinstance(arch.spec if isinstance(arch, Loaded) else arch, EngineArchitecture):
        return _engine(arch, work, images, frames, timing_only, weights_seed, executor, progress)
    design, folder = load_design(arch, work)
    if executor == "compiled" and not timing_only:
        raise InputError("--executor", "simpy for a bit-exact run (or --timing-only)", "compiled")
    stimulus: Stimulus | None = None
    basis = "timing only, as asked"
    if not timing_only:
        stimulus, basis = stimulate(design.network, folder, images, frames, weights_seed)
    elif images is not None:
        raise InputError("--images", "no images with --timing-only", "images")
    if stimulus is None:
        return _timing_only(design, frames or 1, executor or "compiled", basis, observer, progress)
    return _bit_exact(design, stimulus, observer, progress)


def check_arguments(frames: int | None, weights_seed: int | None, executor: str | None) -> None:
    """Refuse what no run can mean. Raises :class:`~bnnsim.spec.InputError`."""
    if frames is not None and (not _is_whole(frames) or frames < 1):
        raise InputError("--frames", "a number >= 1", repr(frames))
    if weights_seed is not None and (not _is_whole(weights_seed) or weights_seed < 0):
        raise InputError("--weights-seed", "a number >= 0", repr(weights_seed))
    known = get_args(ExecutorName)
    if executor is not None and executor not in known:
        near = near_names(str(executor), known)
        raise InputError("--executor", " or ".join(known), repr(executor), near)


def _is_whole(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _engine(
    architecture: Loaded[Architecture] | Architecture,
    work: Loaded[Workload] | Workload,
    images: Sequence[str | Path] | Integers | None,
    frames: int | None,
    timing_only: bool,
    weights_seed: int | None,
    executor: ExecutorName | None,
    progress: Progress | None,
) -> Simulation:
    """:func:`simulate` for an engine."""
    from bnnsim.design.build import build_engine_design
    from bnnsim.simulation.engine import simulate_engine

    design = build_engine_design(architecture, work)
    stimulus: Stimulus | None = None
    basis = "timing only, as asked"
    if not timing_only:
        folder = work.path.parent if isinstance(work, Loaded) and work.path else None
        stimulus, basis = stimulate(design.network, folder, images, frames, weights_seed)
    elif images is not None:
        raise InputError("--images", "no images with --timing-only", "images")
    return simulate_engine(design, stimulus, frames or 1, executor, basis, progress)


def datapaths_for(design: Design, stimulus: Stimulus) -> tuple[dict[str, Datapath], Any]:
    """Datapaths checked against the functional executor, and its activations."""
    from bnnsim.datapath.streaming.build import build_datapaths
    from bnnsim.functional.executor import execute

    activations = execute(design.network, stimulus.parameters, stimulus.frames)
    datapaths = build_datapaths(
        design.graph,
        stimulus.frames,
        stimulus.parameters.weights,
        stimulus.parameters.thresholds,
        activations.outputs,
        stimulus.parameters.values,
    )
    return dict(datapaths), activations


def _bit_exact(
    design: Design, stimulus: Stimulus, observer: Observer | None, progress: Progress | None
) -> Simulation:
    from bnnsim.datapath.streaming.build import sink_values
    from bnnsim.datapath.streaming.units import SinkDatapath
    from bnnsim.timing.streaming.reference.executor import run_simpy

    timing = build_timing(design.graph)
    datapaths, _ = datapaths_for(design, stimulus)
    count = len(stimulus.frames)
    result = run_simpy(timing, count, datapaths, observer, progress)
    sink = datapaths[timing.units[timing.sink].name]
    assert isinstance(sink, SinkDatapath)
    values = sink_values(design.graph, design.network, sink.words, count)
    scores = values.reshape(count, -1)
    return report(
        design,
        timing,
        result,
        executor="simpy",
        bit_exact=True,
        basis="every word of every layer equals the functional executor's" + stimulus.repeats,
        scores=scores,
        labels=stimulus.labels,
    )


def _timing_only(
    design: Design,
    frames: int,
    executor: ExecutorName,
    basis: str,
    observer: Observer | None,
    progress: Progress | None,
) -> Simulation:
    timing = build_timing(design.graph)
    if executor == "simpy":
        from bnnsim.timing.streaming.reference.executor import run_simpy

        result = run_simpy(timing, frames, None, observer, progress)
        return report(design, timing, result, executor=executor, bit_exact=None, basis=basis)
    from bnnsim.timing.streaming.compiled_executor import run_compiled

    run = run_compiled(timing, frames, with_steady_state=True)
    return report(
        design,
        timing,
        run.result,
        executor=executor,
        bit_exact=None,
        basis=basis,
        compiled=run,
    )
