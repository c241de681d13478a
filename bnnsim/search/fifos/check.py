"""FIFO depths held against the reference: the SimPy executor must see the same cycles."""

from __future__ import annotations

from collections.abc import Callable

from bnnsim.design.design import Design
from bnnsim.search.fifos.sizing import FifoSizing
from bnnsim.spec.streaming.architecture import StreamingArchitecture
from bnnsim.timing.streaming.compiled_executor import run_compiled
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy

CHECK_FRAMES = 4
CHECK_WORDS = 1_000_000
"""Words that the check may move; a frame is always checked."""


class ExecutorsDifferError(Exception):
    """The compiled and the SimPy executor disagree: a defect of this package."""


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
) -> int:
    """Simulate the sized design by SimPy and compare; how many frames that was, at most four.

    Raises :class:`~bnnsim.timing.streaming.result.DeadlockError` where it locks up and
    :class:`ExecutorsDifferError` where a frame ends in another cycle than the compiled executor says.
    """
    timing = build_timing(design.graph).with_depths(sizing.depth_words)
    words = sum(stream.words for stream in design.graph.streams)
    frames = max(1, min(CHECK_FRAMES, CHECK_WORDS // words))
    reference = run_simpy(timing, frames, progress=progress)
    compiled = run_compiled(timing, frames).result
    if tuple(reference.frame_end_cycles) != tuple(compiled.frame_end_cycles):
        raise ExecutorsDifferError(
            f"SimPy ends frames in cycles {reference.frame_end_cycles}, "
            f"the compiled executor in {compiled.frame_end_cycles}"
        )
    return frames
