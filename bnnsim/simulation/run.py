"""Simulation: a design's frames through its hardware, cycle by cycle and bit by bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnnsim.design.design import Design, EngineDesign
from bnnsim.simulation.engine import simulate_engine
from bnnsim.simulation.load import ArchitectureSource, WorkloadSource, load_design
from bnnsim.simulation.options import ExecutorName, Images, Progress, RunOptions
from bnnsim.simulation.record import Simulation
from bnnsim.simulation.stimulus import Stimulus, TimingOnly, stimulate
from bnnsim.simulation.streaming import simulate_streaming

if TYPE_CHECKING:
    from bnnsim.timing.streaming.reference.actor import Observer


def simulate(
    architecture: ArchitectureSource,
    workload: WorkloadSource,
    *,
    images: Images | None = None,
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
    ``executor`` is then ``compiled`` unless said otherwise; bit-exact runs are SimPy's. ``observer`` is
    shown every word and step of a pipeline in SimPy.

    Raises :class:`~bnnsim.spec.faults.SpecError` for what the user gave wrong,
    :class:`~bnnsim.timing.streaming.result.DeadlockError` where a FIFO is too shallow, and
    :class:`~bnnsim.datapath.mismatch.BitMismatchError` where hardware and network differ in a bit.
    """
    options = RunOptions(images, frames, timing_only, weights_seed, executor, progress)
    design, folder = load_design(architecture, workload)
    return simulate_design(design, stimulate(design, folder, options), options, observer)


def simulate_design(
    design: Design | EngineDesign,
    stimulus: Stimulus | TimingOnly,
    options: RunOptions,
    observer: Observer | None = None,
) -> Simulation:
    """Simulate a design that is built, on what :func:`~bnnsim.simulation.stimulus.stimulate` found.

    A stimulus keeps what the network puts out for its frames, for whoever comes after. Raises as
    :func:`simulate` does of the hardware.
    """
    if isinstance(design, Design):
        return simulate_streaming(design, stimulus, options, observer)
    return simulate_engine(design, stimulus, options)
