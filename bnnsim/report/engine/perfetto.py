"""An engine's run as a Chrome trace, which ui.perfetto.dev opens; 1 us on its axis is one clock cycle."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from bnnsim.report.engine.log import EngineLog

FRAME, UNITS, PORTS, BUFFERS = 1, 2, 3, 4
Event = dict[str, Any]


def write_engine_perfetto(
    log: EngineLog, file: TextIO, clock_mhz: float, first: int, end: int
) -> None:
    """Write cycles ``first`` <= cycle < ``end``.

    Process "frame": the layers' turns, and what the controller does or waits for. "units": arrays, stages
    and the host at work. "ports": a slice a burst, with its payload, mover and words. "buffers": bits
    that transfers brought or wait to store, as counters.
    """
    note = {
        "time_unit": "1 us shown = 1 clock cycle",
        "clock_mhz": clock_mhz,
        "first_cycle": first,
        "end_cycle": end,
    }
    file.write(f'{{"displayTimeUnit": "ns", "otherData": {json.dumps(note)}, "traceEvents": [\n')
    separator = ""
    for event in _events(log, first, end):
        file.write(separator + json.dumps(event, separators=(",", ":")))
        separator = ",\n"
    file.write("\n]}\n")


def _events(log: EngineLog, first: int, end: int) -> Iterator[Event]:
    parts = log.program.parts
    yield from _process(FRAME, "frame (1 us = 1 cycle)")
    yield from _thread(FRAME, 1, "turns")
    turns = ((one.start, one.end, parts[one.part].name, {"frame": one.frame}) for one in log.turns())
    yield from _slices(FRAME, 1, turns, first, end)
    yield from _thread(FRAME, 2, "controller")
    did = ((one.start, one.end, one.activity, {"turn": parts[one.part].name}) for one in log.controller())
    yield from _slices(FRAME, 2, did, first, end)
    yield from _process(UNITS, "units")
    for row, unit in enumerate(log.units, start=1):
        yield from _thread(UNITS, row, unit)
        nothing: Event = {}
        work = ((one.start, one.end, parts[one.part].name, nothing) for one in log.work(unit))
        yield from _slices(UNITS, row, work, first, end)
    yield from _process(PORTS, "ports")
    for row, port in enumerate(log.ports, start=1):
        yield from _thread(PORTS, row, port)
        bursts = (
            (one.start, one.end, f"{one.mover} {one.payload}", {"words": one.words})
            for one in log.bursts(port)
        )
        yield from _slices(PORTS, row, bursts, first, end)
    yield from _process(BUFFERS, "buffers")
    for buffer in log.buffers:
        yield from _counter(log, buffer, first, end)


def _process(pid: int, name: str) -> Iterator[Event]:
    yield {"ph": "M", "pid": pid, "name": "process_name", "args": {"name": name}}
    yield {"ph": "M", "pid": pid, "name": "process_sort_index", "args": {"sort_index": pid}}


def _thread(pid: int, tid: int, name: str) -> Iterator[Event]:
    yield {"ph": "M", "pid": pid, "tid": tid, "name": "thread_name", "args": {"name": name}}
    yield {"ph": "M", "pid": pid, "tid": tid, "name": "thread_sort_index", "args": {"sort_index": tid}}


def _slices(
    pid: int, tid: int, segments: Iterable[tuple[int, int, str, Event]], first: int, end: int
) -> Iterator[Event]:
    for start, stop, name, arguments in segments:
        start, stop = max(start, first), min(stop, end)
        if stop > start:
            slice_: Event = {"ph": "X", "pid": pid, "tid": tid, "ts": start, "dur": stop - start}
            yield slice_ | {"name": name} | ({"args": arguments} if arguments else {})


def _counter(log: EngineLog, buffer: str, first: int, end: int) -> Iterator[Event]:
    name, before = f"{buffer} [bits]", 0
    shown = False
    for one in log.levels(buffer):
        if one.cycle >= end:
            break
        if one.cycle >= first:
            if not shown and one.cycle > first:
                yield {"ph": "C", "pid": BUFFERS, "ts": first, "name": name, "args": {"bits": before}}
            shown = True
            yield {"ph": "C", "pid": BUFFERS, "ts": one.cycle, "name": name, "args": {"bits": one.bits}}
        before = one.bits
    if not shown:
        yield {"ph": "C", "pid": BUFFERS, "ts": first, "name": name, "args": {"bits": before}}
