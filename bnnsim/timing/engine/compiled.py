"""The fast executor of engines: a closed form where nothing overlaps, else a compiled event loop.

Equal to the SimPy executor in every number. Without double buffers the controller does one thing after
the other and finds every port free, so a frame takes the sum over its loop nest. With them a loop over
the agents (controller first, then the movers) always does the operation that can be done earliest; in a
cycle all that needs no port goes first, then the agents in order, as the ports decide.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.arrays.jit import njit
from bnnsim.design.engine.program import (
    EngineProgram,
    Transfer,
    leaves,
    op_cycles,
    walk,
)
from bnnsim.timing.engine.account import (
    frame_account,
    frame_busy,
    frame_cycles,
    report_units,
    waited_as,
)
from bnnsim.timing.engine.result import STALLS, EngineTiming
from bnnsim.timing.engine.schedule import Schedule, build_schedule

_WORK, _BURST, _ARRIVE, _TAKE, _GIVE, _BEGIN, _END = 0, 1, 2, 3, 4, 5, 6
"""Codes of the controller's operations; the compiled loop spells them as numbers."""


def run_engine_compiled(program: EngineProgram, frames: int) -> EngineTiming:
    """Run ``frames`` frames without events."""
    schedule = build_schedule(program)
    movers = len(schedule.movers)
    if movers == 0:
        cycles = frame_cycles(program)
        ends = cycles * np.arange(1, frames + 1)
        part_stalls = np.zeros((len(program.parts), len(STALLS)), np.int64)
        waited = np.zeros((1, 64), np.int64)
        mover_stalls = np.zeros(0, np.int64)
    else:
        ends, part_stalls, waited, mover_stalls = _run(
            *_controller_table(schedule),
            *_job_table(schedule),
            frames,
            len(program.parts),
            max(1, len(program.ports)),
        )
    parts = frame_account(program, frames)
    for part, stalls in zip(parts, part_stalls, strict=True):
        for kind, stall in zip(STALLS, stalls, strict=True):
            part.book(kind, int(stall))
    inline = _inline_names(schedule)
    stalled = {name: int(waited[0, i]) for i, name in enumerate(inline)} if inline else {}
    total = int(ends[-1])
    units = report_units(
        schedule, frame_busy(program), frames, total, stalled, [int(s) for s in mover_stalls]
    )
    return EngineTiming(frames, total, tuple(int(e) for e in ends), tuple(parts), tuple(units))


def _inline_names(schedule: Schedule) -> list[str]:
    names = {
        f"{op.buffer}.{op.direction}"
        for part in schedule.program.parts
        for op in leaves(part.ops)
        if isinstance(op, Transfer) and not op.double
    }
    return sorted(names)


def _controller_table(schedule: Schedule) -> tuple[Int64s]:
    """The controller's operations of a frame: rows of (code, argument, cycles, name, what is
    waited for)."""
    ports = {name: i for i, name in enumerate(schedule.program.ports)}
    inline = {name: i for i, name in enumerate(_inline_names(schedule))}
    rows: list[tuple[int, int, int, int, int]] = []
    stores = STALLS.index("store_stall")
    for position, part in enumerate(schedule.program.parts):
        rows.append((_BEGIN, position, 0, 0, 0))
        for op in walk(part.ops):
            if not isinstance(op, Transfer):
                rows.append((_WORK, 0, op_cycles(op), 0, 0))
                continue
            cause = STALLS.index(waited_as(op))
            if not op.double:
                name, port = inline[f"{op.buffer}.{op.direction}"], ports[op.port]
                rows += [(_BURST, port, op.burst_cycles(i), name, cause) for i in range(op.bursts)]
                continue
            mover = schedule.mover_of(op)
            if op.direction == "load":
                rows += [(_ARRIVE, mover, 0, 0, 0), (_TAKE, mover, 0, 0, cause)]
            else:
                rows.append((_GIVE, mover, 0, 0, cause))
        rows.append((_END, position, 0, 0, stores))
    return (np.array(rows, np.int64).reshape(-1, 5),)


def _job_table(schedule: Schedule) -> tuple[Int64s, Int64s]:
    """Jobs of all movers: rows of (port, bursts, burst cycles, last burst's cycles, part to wait for or
    -1, is load), and where each mover's begin."""
    ports = {name: i for i, name in enumerate(schedule.program.ports)}
    rows: list[Any] = []
    starts = [0]
    for jobs in schedule.jobs:
        for job in jobs:
            t = job.transfer
            rows.append(
                (
                    ports[t.port],
                    t.bursts,
                    t.burst_cycles(0),
                    t.burst_cycles(t.bursts - 1),
                    job.part if job.waits_for_part else -1,
                    int(t.direction == "load"),
                )
            )
        starts.append(len(rows))
    return np.array(rows, np.int64).reshape(-1, 6), np.array(starts, np.int64)


@njit(cache=True, nogil=True)
def _run(
    table: Int64s, jobs: Int64s, starts: Int64s, frames: int, parts: int, ports: int
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
    port_free = np.zeros(ports, np.int64)
    ends = np.zeros(frames, np.int64)
    part_stall = np.zeros((parts, 3), np.int64)
    waited = np.zeros((1, 64), np.int64)
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
            count = starts[m + 1] - starts[m]
            number = moved[m]
            if number >= count * frames:
                continue
            ready, needs_port = clock[m + 1], 1
            if burst[m] < 0:
                needs_port = 0
                entry = starts[m] + number % count
                if jobs[entry, 5] == 0:
                    ready = -1 if arrived[m] <= number else max(ready, arrival[m, number])
                elif number >= 2:
                    ready = -1 if arrived[m] < number else max(ready, arrival[m, number - 1])
                if jobs[entry, 4] >= 0 and ready >= 0:
                    wanted = number // count * parts + jobs[entry, 4]
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
                waited[0, table[row, 3]] += start - clock[0]
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
            row += 1
            if row == len(table):
                row = 0
                ends[frame] = clock[0]
                frame += 1
            continue
        m = best - 1
        entry = starts[m] + moved[m] % (starts[m + 1] - starts[m])
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
    return ends, part_stall, waited, mover_stall
