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
    """Simulate ``workload`` on ``architecture``: every cycle and, where there are weights, every bit.

    Args:
        architecture: a shipped name, a YAML file or a spec.
        workload: likewise.
        images: a file (.npz with ``images_u8`` and ``labels``, .npy, a picture), several, or pixels
            ``(n, ...)`` uint8; default: the workload's own.
        frames: the first so many images, over again where there are fewer; default: all, or one
            without images.
        timing_only: leave the bits out.
        weights_seed: draws weights (and images where there are none) for a workload without any.
        executor: who counts the cycles, ``compiled`` or ``simpy``; default: ``compiled`` for times alone
            and for bits of some million words, else ``simpy``.
        observer: is shown every word and step of a pipeline in SimPy.
        progress: is called with the frames done and those in all.

    Returns:
        Cycles, predictions, and where each unit's cycles went.

    Raises:
        SpecError: what the user gave cannot be used; every fault at once.
        DeadlockError: a FIFO is too shallow (``bnnsim.timing.streaming.result``).
        BitMismatchError: hardware and network differ in a bit (``bnnsim.datapath.mismatch``).

    Example:
        >>> from bnnsim import simulate
        >>> run = simulate("pynq-cnv", "cnv", frames=3, timing_only=True)
        >>> run.cycles_total, run.initiation_interval_cycles
        (274187, 32768)
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
