"""A pipeline with FIFOs that keep the pace of its slowest unit: quickly, for searches of many designs."""

from __future__ import annotations

import math

from bnnsim.design.design import Design
from bnnsim.search.fifos.costs import FifoCosts
from bnnsim.search.fifos.shrinking import stream_kinds
from bnnsim.search.fifos.sizing import enough_depths, timing_to_size
from bnnsim.search.fifos.trials import DepthTrials
from bnnsim.timing.streaming.bottleneck import unlimited_interval
from bnnsim.timing.streaming.programs.graph import TimingGraph
from bnnsim.timing.streaming.steady_state.api import frame_words

TIMINGS = 6
"""Exact timings that a design may take: its own depths, what one run says, and caps of that."""
CAPS_WORDS = (32, 128)
"""Depths that FIFOs outside branches are tried with."""
CAPPED_FRAME_WORDS = 1 << 20
"""Words a frame beyond which a search has no time for that."""


def paced_depths(design: Design) -> dict[str, int]:
    """By stream no fewer words than ``design`` has, so many that the slowest unit alone sets the pace;
    the design's own where those do, or where none are proven to.

    Raises :class:`~bnnsim.spec.faults.InputError` where frames are too large.
    """
    given = {stream.name: stream.depth_words for stream in design.graph.streams}
    timing = timing_to_size(design)
    cycles = math.ceil(unlimited_interval(timing))
    trials = DepthTrials(timing, FifoCosts(design, "bram"), cycles, most_timings=TIMINGS)
    has_branches = any("branch" in kind for kind in stream_kinds(design.graph).values())
    if not has_branches and trials.keeps(given):
        return given
    found = capped_depths(design, timing, trials, CAPPED_FRAME_WORDS) or given
    return {name: max(words, found[name]) for name, words in given.items()}


def capped_depths(
    design: Design, timing: TimingGraph, trials: DepthTrials, most_frame_words: int
) -> dict[str, int] | None:
    """Depths that keep the target of ``trials``: enough; outside branches capped if that keeps it too,
    and if a frame has no more than ``most_frame_words``.

    None where none are proven to. For frames that are too large to time dozens of depths.
    """
    enough = enough_depths(timing, tuple(stream.name for stream in design.graph.streams), trials)
    if enough is None:
        return None
    kinds = stream_kinds(design.graph)
    for most in CAPS_WORDS if frame_words(timing) <= most_frame_words else ():
        capped = {
            name: depth if "branch" in kinds[name] else min(depth, most)
            for name, depth in enough.items()
        }
        if trials.keeps(capped):
            return capped
    return enough
