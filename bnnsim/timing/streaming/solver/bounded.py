"""A solver that goes on with bounds in place of flushing pipelines."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from bnnsim.timing.streaming.solver.kernels import records as k
from bnnsim.timing.streaming.solver.solver import Solver


def with_bounds(solver: Solver, units: Collection[int]) -> Solver:
    """A solver in the state of ``solver``, with the bound of
    :mod:`bnnsim.timing.streaming.solver.kernels.bound` for the flushing ``units``.

    It counts nothing and logs nothing. To go on raises
    :class:`~bnnsim.timing.streaming.solver.solver.UnsettledError` where the bounds' cycles do not settle.

    Readers behind the bounds count as ready for what they have read when they read it.
    """
    bounded = solver.copy()
    bounded.counts, bounded.logs, bounded.has_bounds = None, {}, True
    s = bounded.state
    stretches = [s.cycles]
    place = len(s.cycles)
    for u in units:
        at = s.end[u]
        s.unit[u].kind = k.BOUND
        idle_steps = at.local_tick - (at.cycle - at.frozen)  # behind the last that touches a word
        at.local_tick, at.frozen = at.cycle + idle_steps, 0
        at.free = k.LONG_AGO
        for port in solver.graph.units[u].outputs:
            row = s.channel[port]
            if not row.is_bounded:
                continue
            freed_by = row.reads_at + row.old_reads - row.depth + row.held + row.written - 1
            at.free = max(int(at.free), int(s.cycles[freed_by]) + 1)
            if row.depth > row.lag:
                reads = s.cycles[row.reads_from : row.reads_to]
                row.ready_at = place - row.reads_from
                s.unit[row.reader].is_behind_bound = 1
                stretches.append(reads)
                place += len(reads)
    bounded.hold(s._replace(cycles=np.concatenate(stretches)))
    return bounded
