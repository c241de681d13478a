"""Sweeps over the units until a frame is a schedule that repeats with the period."""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.jit import entry, inner, part
from bnnsim.timing.streaming.solver.kernels.records import LONG_AGO
from bnnsim.timing.streaming.solver.steady.kernels.elastic import run_elastic
from bnnsim.timing.streaming.solver.steady.kernels.flushing import run_flushing
from bnnsim.timing.streaming.solver.steady.kernels.freezing import run_freezing, tell_freezing
from bnnsim.timing.streaming.solver.steady.kernels.ports import (
    gather,
    gather_free,
    gather_others,
    spread,
    spread_ready,
)
from bnnsim.timing.streaming.solver.steady.kernels.records import (
    ELASTIC,
    FLUSHING,
    FREEZING,
    GOES_ON,
    MOST_WORDS,
    SETTLED,
    STUCK,
    WORK_WORDS,
    Pace,
    State,
)


@entry
def forget(s: State) -> None:
    """Guess all cycles from below."""
    for i in range(len(s.cycles)):
        s.cycles[i] = LONG_AGO
    for u in range(len(s.unit)):
        unit = s.unit[u]
        unit.last = unit.last_left = unit.last_free = LONG_AGO


@entry
def sweep(s: State, pace: Pace, dirty: Int64s, work: Int64s, first: int, end: int) -> int:
    """Sweeps ``first`` to before ``end``, to and fro over the units in ``dirty``.

    ``SETTLED`` once none is left: all cycles satisfy all equations. ``STUCK`` where a unit is by itself,
    and ``GOES_ON`` where there are more sweeps to do. ``work`` (``WORK_WORDS``, ``MOST_WORDS``) counts
    the words of the units that are found again; no more than one sweep is done behind the most.
    """
    units = len(s.unit)
    for number in range(first, end):
        found = False
        for i in range(units):
            u = i if number % 2 == 0 else units - 1 - i
            if dirty[u]:
                dirty[u] = 0
                found = True
                work[WORK_WORDS] += s.unit[u].words_in + s.unit[u].words_out
                if not _evaluate(s, u, pace, dirty):
                    dirty[u] = 1
                    return STUCK
        if not found:
            return SETTLED
        if work[WORK_WORDS] > work[MOST_WORDS]:
            return GOES_ON
    return GOES_ON


@part
def _evaluate(s: State, u: int, pace: Pace, dirty: Int64s) -> bool:
    """Find the unit's frame again; False where it is stuck by itself."""
    unit = s.unit[u]
    gather(s, u, pace)
    if unit.kind == FLUSHING and unit.stages > 1:
        gather_free(s, u, pace)
    if unit.kind == FREEZING:
        run_freezing(s, u, pace)
    elif not unit.tells_ready and not _run(s, u, unit.first_input, pace, dirty):
        return False
    if not tell_ready(s, u, pace, unit.last, unit.last_left, unit.last_free, dirty):
        return False
    spread(s, u, pace, dirty)
    return True


@inner
def tell_ready(
    s: State, u: int, pace: Pace, last: int, last_left: int, last_free: int, dirty: Int64s
) -> bool:
    """Tell the bounds before the unit since when it was ready for their words; False where it is stuck.

    ``last`` and so on: how the frame before ended, as far as it was known before this evaluation.
    """
    unit = s.unit[u]
    if unit.tells_ready:
        for p in range(unit.first_input, unit.end_input):
            if s.channel[s.words[p]].ready_at != s.channel[s.words[p]].reads_at:
                gather_others(s, u, p, pace)
                if unit.kind == FREEZING:
                    tell_freezing(s, u, p, pace)
                else:
                    unit.last, unit.last_left, unit.last_free = last, last_left, last_free
                    if not _run(s, u, p, pace, dirty):
                        return False
                spread_ready(s, u, p, pace, dirty)
    return True


@inner
def _run(s: State, u: int, port: int, pace: Pace, dirty: Int64s) -> bool:
    """The frame, also, with ``port`` of an input, since when the unit was ready for its words."""
    if s.unit[u].kind == ELASTIC:
        return run_elastic(s, u, port, pace, dirty)
    run_flushing(s, u, port, pace, dirty)
    return True
