"""Sweeps over the units until no cycle changes, and the step to the next window."""

from __future__ import annotations

from bnnsim.arrays import Int64s
from bnnsim.timing.streaming.solver.kernels.account import count_occupancy, note_window
from bnnsim.timing.streaming.solver.kernels.bound import run_bound
from bnnsim.timing.streaming.solver.kernels.elastic import run_elastic
from bnnsim.timing.streaming.solver.kernels.flushing import run_flushing
from bnnsim.timing.streaming.solver.kernels.freezing import run_freezing
from bnnsim.timing.streaming.solver.kernels.jit import entry, inner, part
from bnnsim.timing.streaming.solver.kernels.ports import open_ports, spread_reads, spread_writes
from bnnsim.timing.streaming.solver.kernels.ready import note_ready
from bnnsim.timing.streaming.solver.kernels.records import (
    AGAIN,
    BOUND,
    ELASTIC,
    EVALUATIONS,
    FLUSHING,
    IS_CROWDED,
    LAST_EVENT,
    LONG_AGO,
    NEVER,
    NEXT,
    PROGRESS,
    WORDS_MOVED,
    Limits,
    Place,
    State,
)


@entry
def solve(s: State, limits: Limits, which: int, dirty: Int64s, report: Int64s) -> bool:
    """Solve a window, at first for the units in ``dirty``; False where that takes too many sweeps.

    ``report`` ``(REPORT,)`` is filled. ``dirty`` ``(units,)`` holds zeros and ones.
    """
    return _solve(s, limits, which, dirty, report, False)


@entry
def solve_with_bounds(s: State, limits: Limits, which: int, dirty: Int64s, report: Int64s) -> bool:
    """The same where bounds may stand for flushing pipelines: apart, as few need them compiled."""
    return _solve(s, limits, which, dirty, report, True)


@part
def _solve(
    s: State, limits: Limits, which: int, dirty: Int64s, report: Int64s, has_bounds: bool
) -> bool:
    if which == NEXT:
        _begin_window(s, limits)
    elif which == AGAIN:
        _reset_window(s, limits)
    if limits.more_frames:
        _set_goals(s, limits)
    report[EVALUATIONS] = 0
    if not _sweep(s, limits, dirty, report, has_bounds):
        return False
    report[LAST_EVENT] = note_window(s, limits.window)
    if limits.has_counts:
        count_occupancy(s, False)
    report[IS_CROWDED] = _is_crowded(s)
    moved, steps = 0, 0
    for u in range(len(s.unit)):
        at = s.end[u]
        moved += at.reads + at.writes
        steps += at.step + at.entered
    report[WORDS_MOVED], report[PROGRESS] = moved, moved + steps
    return True


@part
def _sweep(s: State, limits: Limits, dirty: Int64s, report: Int64s, has_bounds: bool) -> bool:
    """To and fro over the units in ``dirty`` until none is left."""
    units = len(s.unit)
    sweep = 0
    while report[EVALUATIONS] <= limits.most_evaluations:
        found = False
        for i in range(units):
            u = i if sweep % 2 == 0 else units - 1 - i
            if dirty[u]:
                dirty[u] = 0
                found = True
                report[EVALUATIONS] += 1
                _evaluate(s, u, limits, dirty, has_bounds)
        if not found:
            return True
        sweep += 1
    return False


@inner
def _is_crowded(s: State) -> bool:
    for c in range(len(s.channel)):
        channel = s.channel[c]
        if channel.writer >= 0 and channel.reader >= 0:
            held = channel.held + channel.written - channel.read
            room = channel.writes_to - channel.writes_from
            if channel.old_writes + held + channel.most > room:
                return True
    return False


@inner
def _set_goals(s: State, limits: Limits) -> None:
    """Allow every unit some frames more."""
    more, frames = limits.more_frames, limits.frames
    for u in range(len(s.unit)):
        unit, start = s.unit[u], s.start[u]
        if unit.kind == ELASTIC:
            unit.goal = min(start.reads + more * unit.words_in, frames * unit.words_in)
            unit.goal_writes = min(start.writes + more * unit.words_out, frames * unit.words_out)
        else:
            unit.goal = start.step + 1 + more * unit.steps + unit.stages
            if start.step < 0:
                unit.goal += unit.once_ticks


@part
def _reset_window(s: State, limits: Limits) -> None:
    """Forget what is known of the window."""
    for c in range(len(s.channel)):
        channel = s.channel[c]
        channel.written = 0
        if channel.reader >= 0:
            at, end, ready = channel.reads_at + channel.old_reads, channel.reads_to, channel.ready_at
            _forget(s.cycles, at, end)
            _forget(s.cycles, at + ready, end + ready)
            channel.read = 0 if limits.is_careful else NEVER
    for u in range(len(s.unit)):
        s.end[u] = s.start[u]
        _copy_pipe(s, u, 3 * (s.unit[u].pipe_mask + 1), 0)


@part
def _evaluate(s: State, u: int, limits: Limits, dirty: Int64s, has_bounds: bool) -> None:
    unit = s.unit[u]
    read, written = 0, 0
    if limits.is_careful:
        read, written = s.end[u].reads - s.start[u].reads, s.end[u].writes - s.start[u].writes
    ports = open_ports(s, u, read, written)
    kind = unit.kind
    if kind == ELASTIC:
        reads, writes, read_change, write_change = run_elastic(s, u, limits, ports)
    elif kind == FLUSHING:
        reads, writes, read_change, write_change = run_flushing(s, u, limits, ports)
    elif has_bounds and kind == BOUND:
        reads, writes, read_change, write_change = run_bound(s, u, limits, ports)
    else:
        reads, writes, read_change, write_change = run_freezing(s, u, limits, ports)
    if has_bounds and unit.is_behind_bound:
        read_change |= note_ready(s, u, limits, ports, reads, writes)
    spread_reads(s, u, limits, ports, reads, read_change, dirty)
    spread_writes(s, u, limits, ports, writes, write_change, dirty)


@part
def _begin_window(s: State, limits: Limits) -> None:
    """Begin the window behind the one that was solved."""
    for u in range(len(s.unit)):
        s.end[u].waited = 0
        s.start[u] = s.end[u]
        _copy_pipe(s, u, 0, 3 * (s.unit[u].pipe_mask + 1))
    for c in range(len(s.channel)):
        channel = s.channel[c]
        passed = channel.read if channel.reader >= 0 else channel.written
        held = channel.held + channel.written - passed
        if channel.writer < 0:
            held = 0
        channel.writes_at += passed
        channel.reads_at += passed
        channel.held = held
        channel.written = 0
        channel.read = NEVER if channel.reader >= 0 and not limits.is_careful else 0
        kept = channel.old_writes + held
        if channel.writes_at + kept + channel.most > channel.writes_to:
            _move(s.cycles, channel.writes_at, channel.writes_from, kept)
            channel.writes_at = channel.writes_from
        if channel.reads_at + channel.old_reads + channel.most > channel.reads_to:
            at, to, kept = channel.reads_at, channel.reads_from, channel.old_reads
            _move(s.cycles, at, to, kept)
            end = min(channel.reads_to, at + kept)
            _forget(s.cycles, to + kept, end)
            if channel.ready_at:
                ready = channel.ready_at
                _move(s.cycles, at + ready, to + ready, kept)
                _forget(s.cycles, to + kept + ready, end + ready)
            channel.reads_at = channel.reads_from


@inner
def _copy_pipe(s: State, u: int, to: int, source: int) -> None:
    """The words in a pipeline from one of its two copies to the other: the start's is at 0."""
    unit = s.unit[u]
    if unit.kind == FLUSHING or unit.kind == BOUND:
        for i in range(3 * (unit.pipe_mask + 1)):
            s.pipes[unit.pipe + to + i] = s.pipes[unit.pipe + source + i]


@inner
def _move(cycles: Int64s, at: int, to: int, count: int) -> None:
    for i in range(count):
        cycles[Place(to + i)] = cycles[Place(at + i)]


@inner
def _forget(cycles: Int64s, at: int, end: int) -> None:
    """Guess that there is room; of words that are not there yet nobody asks."""
    for i in range(at, end):
        cycles[Place(i)] = LONG_AGO
