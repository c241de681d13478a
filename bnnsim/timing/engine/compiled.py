"""The fast executor of engines: a closed form where nothing overlaps, else a compiled event loop.

Equal to the SimPy executor in every number. Without double buffers the controller does one thing after
the other and finds every port free, so a frame takes the sum over its loop nest. With them a loop over
the agents (controller first, then the movers) always does the operation that can be done earliest; in a
cycle all that needs no port goes first, then the agents in order, as the ports decide.
"""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.arrays.jit import njit
from bnnsim.design.engine.program import EngineProgram
from bnnsim.timing.engine.account import frame_account, frame_busy, frame_cycles, report_units
from bnnsim.timing.engine.result import STALLS, EngineTiming
from bnnsim.timing.engine.schedule import has_double
from bnnsim.timing.engine.tables import TableBuilder, Tables

MAX_GAP = 1 << 62
"""Cycles that no gap between frames has."""


def run_engine_compiled(program: EngineProgram, frames: int) -> EngineTiming:
    """Run ``frames`` frames without events."""
    parts = frame_account(program, frames)
    stalled: dict[str, int] = {}
    if not has_double(program):
        ends = _one_after_the_other(program, frames)
    else:
        tables = TableBuilder().build(program)
        ends, part_stalls, waited, mover_stalls = _run_tables(tables, frames)
        for part, stalls in zip(parts, part_stalls, strict=True):
            for kind, stall in zip(STALLS, stalls, strict=True):
                part.book(kind, int(stall))
        stalled = {name: int(waited[i]) for i, name in enumerate(tables.inline)}
        for mover, cycles in zip(tables.movers, mover_stalls, strict=True):
            stalled[mover.name] = stalled.get(mover.name, 0) + int(cycles)
    total = int(ends[-1])
    units = report_units(program, frame_busy(program), frames, total, stalled)
    return EngineTiming(frames, total, tuple(int(e) for e in ends), tuple(parts), tuple(units))


def frame_ends(program: EngineProgram, frames: int, builder: TableBuilder | None = None) -> list[int]:
    """The cycles after which each of ``frames`` frames is complete, and nothing else of the run.

    A ``builder`` has the tables of parts that programs timed before have in common with this one.
    """
    if not has_double(program):
        ends = _one_after_the_other(program, frames)
    else:
        ends = _run_tables((builder or TableBuilder()).build(program), frames)[0]
    return [int(end) for end in ends]


def frame_ends_below(
    program: EngineProgram, frames: int, builder: TableBuilder, gap: int
) -> list[int] | None:
    """As :func:`frame_ends`; None as soon as a frame but the first two ends ``gap`` cycles after the one
    before it, or later, the last frame left out."""
    ends = _run_tables(builder.build(program), frames, gap)[0]
    return [int(end) for end in ends] if ends[-1] >= 0 else None


def _one_after_the_other(program: EngineProgram, frames: int) -> Int64s:
    return frame_cycles(program) * np.arange(1, frames + 1)


def _run_tables(
    tables: Tables, frames: int, gap: int = MAX_GAP
) -> tuple[Int64s, Int64s, Int64s, Int64s]:
    names = max(1, len(tables.inline))
    done = np.cumsum(tables.controller[:, 2])  # a frame ends no sooner than its controller is done
    left = done[-1] - done if len(done) else done
    sizes = frames, tables.parts, tables.ports, names
    return _run(tables.controller, tables.jobs, tables.starts, *sizes, gap, left)


@njit(cache=True, nogil=True)
def _run(
    table: Int64s,
    jobs: Int64s,
    starts: Int64s,
    frames: int,
    parts: int,
    ports: int,
    names: int,
    gap: int,
    left: Int64s,
) -> tuple[Int64s, Int64s, Int64s, Int64s]:
    movers = len(starts) - 1
    longest = 0
    for m in range(movers):
        longest = max(longest, starts[m + 1] - starts[m])
    arrival = np.full((movers, longest * frames), -1, np.int64)
    finish = np.full((movers, longest * frames), -1, np.int64)
    turn = np.full(parts * frames, -1, np.int64)
    arrived = np.zeros(movers, np.int64)
    moved = np.zeros(movers, np.int64)
    clock = np.zeros(movers + 1, np.int64)
    burst = np.full(movers, -1, np.int64)
    entries = starts[:movers].copy()
    turns_before = np.zeros(movers, np.int64)
    port_free = np.zeros(ports, np.int64)
    ends = np.full(frames, -1, np.int64)
    part_stall = np.zeros((parts, 3), np.int64)
    waited = np.zeros(names, np.int64)
    mover_stall = np.zeros(movers, np.int64)
    row, frame, part, turns = 0, 0, 0, 0
    while frame < frames:
        best, best_ready, best_port = -1, 0, 0
        # what the controller could do, and from when on
        code, argument = table[row, 0], table[row, 1]
        ready, needs_port = clock[0], 0
        if code == 1:
            needs_port = 1
        elif code == 3:
            job = arrived[argument] - 1
            ready = -1 if moved[argument] <= job else max(ready, finish[argument, job])
        elif code == 4:
            job = arrived[argument]
            if job > 0:
                ready = -1 if moved[argument] < job else max(ready, finish[argument, job - 1])
        elif code == 6:
            for m in range(movers):
                if jobs[starts[m], 5] == 0 and arrived[m] > 0 and ready >= 0:
                    late = moved[m] < arrived[m]
                    ready = -1 if late else max(ready, finish[m, arrived[m] - 1])
        if ready >= 0:
            best, best_ready, best_port = 0, ready, needs_port
        for m in range(movers):
            number = moved[m]
            if turns_before[m] >= parts * frames:
                continue
            ready, needs_port = clock[m + 1], 1
            if burst[m] < 0:
                needs_port = 0
                entry = entries[m]
                if jobs[entry, 5] == 0:
                    ready = -1 if arrived[m] <= number else max(ready, arrival[m, number])
                elif number >= 2:
                    ready = -1 if arrived[m] < number else max(ready, arrival[m, number - 1])
                if jobs[entry, 4] >= 0 and ready >= 0:
                    wanted = turns_before[m] + jobs[entry, 4]
                    ready = -1 if turns <= wanted else max(ready, turn[wanted])
            if ready < 0:
                continue
            earlier = ready < best_ready or (ready == best_ready and needs_port < best_port)
            if best < 0 or earlier:
                best, best_ready, best_port = m + 1, ready, needs_port
        if best == 0:
            if code == 0:
                clock[0] += table[row, 2]
            elif code == 1:
                start = max(clock[0], port_free[argument])
                part_stall[part, table[row, 4]] += start - clock[0]
                waited[table[row, 3]] += start - clock[0]
                clock[0] = start + table[row, 2]
                port_free[argument] = clock[0]
            elif code == 2:
                arrival[argument, arrived[argument]] = clock[0]
                arrived[argument] += 1
            elif code == 5:
                part = argument
                turn[turns] = clock[0]
                turns += 1
            else:
                part_stall[part, table[row, 4]] += best_ready - clock[0]
                clock[0] = best_ready
                if code == 4:
                    arrival[argument, arrived[argument]] = clock[0]
                    arrived[argument] += 1
            if 2 <= frame < frames - 1 and clock[0] + left[row] - ends[frame - 1] >= gap:
                break
            row += 1
            if row == len(table):
                row = 0
                ends[frame] = clock[0]
                frame += 1
            continue
        m = best - 1
        entry = entries[m]
        if burst[m] < 0:
            clock[best] = best_ready
            burst[m] = 0
            continue
        port = jobs[entry, 0]
        start = max(clock[best], port_free[port])
        mover_stall[m] += start - clock[best]
        last = burst[m] == jobs[entry, 1] - 1
        clock[best] = start + (jobs[entry, 3] if last else jobs[entry, 2])
        port_free[port] = clock[best]
        burst[m] += 1
        if last:
            finish[m, moved[m]] = clock[best]
            moved[m] += 1
            burst[m] = -1
            entries[m] += 1
            if entries[m] == starts[m + 1]:
                entries[m] = starts[m]
                turns_before[m] += parts
    return ends, part_stall, waited, mover_stall
