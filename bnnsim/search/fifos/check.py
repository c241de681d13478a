"""FIFO depths held against the reference: the SimPy executor must see the same cycles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bnnsim.design.design import Design
from bnnsim.search.fifos.sizing import FifoSizing
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy

CHECK_FRAMES = 4


class ExecutorsDifferError(Exception):
    """The compiled and the SimPy executor disagree: a defect of this package."""


@dataclass(frozen=True)
class SizingCheck:
    """The architecture with the new depths, simulated by both executors for ``frames`` frames."""

    architecture: StreamingArchitecture
    frames: int


def with_depths(design: Design, sizing: FifoSizing) -> StreamingArchitecture:
    """The design's architecture with every stream's depth said by name."""
    spec = design.architecture
    layers = {
        name: hardware.model_copy(update={"out_fifo_words": None})
        for name, hardware in spec.layers.items()
    }
    return spec.model_copy(
        update={
            "name": f"{spec.name}-fifos",
            "layers": layers,
            "frame_source": spec.frame_source.model_copy(update={"out_fifo_words": None}),
            "fifo_words": {
                name: depth
                for name, depth in sizing.depth_words.items()
                if depth != spec.defaults.fifo_words
            },
        }
    )


def check_sizing(
    design: Design, sizing: FifoSizing, progress: Callable[[int, int], None] | None = None
) -> SizingCheck:
    """Simulate the sized design by SimPy.

    Raises :class:`~bnnsim.timing.streaming.result.DeadlockError` where it locks up and
    :class:`ExecutorsDifferError` where a frame ends in another cycle than the compiled executor says.
    """
    timing = build_timing(design.graph).with_depths(sizing.depth_words)
    reference = run_simpy(timing, CHECK_FRAMES, progress=progress)
    compiled = run_compiled(timing, CHECK_FRAMES).result
    if reference.frame_end_cycles != compiled.frame_end_cycles:
        raise ExecutorsDifferError(
            f"SimPy ends frames in cycles {reference.frame_end_cycles}, "
            f"the compiled executor in {compiled.frame_end_cycles}"
        )
    return SizingCheck(with_depths(design, sizing), CHECK_FRAMES)
