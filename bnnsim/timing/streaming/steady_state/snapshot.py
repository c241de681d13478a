"""Snapshots: all that what comes next depends on, behind a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.records import has_both_ends
from bnnsim.timing.streaming.solver.solver import Solver


@dataclass(frozen=True)
class Snapshot:
    """The state that sources' ``frames`` lead to.

    ``window``: the number of the one that comes next. ``ended_frames``: those that any sink has ended.
    ``words``: cycles and what else there is, where the solver's tables say. ``places`` ``(4, units)``:
    words read, words written, words that entered a pipeline, and steps done. ``is_whole``: whether there
    were no more words in any channel than a snapshot has room for.
    """

    frames: int
    window: int
    ended_frames: int
    words: Int64s
    places: Int64s
    is_whole: bool


def take_snapshot(solver: Solver) -> Snapshot:
    """The snapshot behind the window that was solved."""
    at, channel = solver.state.end, solver.state.channel
    held = channel["held"] + channel["written"] - channel["read"]
    return Snapshot(
        frames=solver.source_frames,
        window=solver.window + 1,
        ended_frames=solver.begun_frames,
        words=solver.snapshot(),
        places=np.array([at["reads"], at["writes"], at["entered"], at["step"]]),
        is_whole=not (has_both_ends(channel) & (held > channel["snapshot_held"])).any(),
    )
