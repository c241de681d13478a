"""A run as a Chrome trace, which ui.perfetto.dev opens.

One microsecond on the viewer's axis is one clock cycle, so that every time is exact.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, TextIO

from bnnsim.report.streaming.unit_states import STATE_TEXT, State
from bnnsim.report.waveform.event_log import EventLog

UNITS, STREAMS = 1, 2
_COLOURS = {
    State.BUSY: "good",
    State.COMPUTING: "thread_state_running",
    State.STALLED_ON_INPUT: "bad",
    State.STALLED_ON_OUTPUT: "terrible",
    State.UNKNOWN: "grey",
}

Event = dict[str, Any]


def write_perfetto(log: EventLog, file: TextIO, clock_mhz: float, first: int, end: int) -> None:
    """Write cycles ``first`` <= cycle < ``end`` of a logged run.

    Process "units": a slice for every stretch of busy, computing or stalled cycles. Process "streams":
    for each stream a slice for every burst of words written (one a cycle; its first word's number and
    the count are its arguments), another row for the words read, and the FIFO's level as a counter.
    """
    file.write('{"displayTimeUnit": "ns", "otherData": ')
    note = {
        "time_unit": "1 us shown = 1 clock cycle",
        "clock_mhz": clock_mhz,
        "first_cycle": first,
        "end_cycle": end,
    }
    file.write(json.dumps(note) + ', "traceEvents": [\n')
    separator = ""
    for event in chain(_unit_events(log, first, end), _stream_events(log, first, end)):
        file.write(separator + json.dumps(event, separators=(",", ":")))
        separator = ",\n"
    file.write("\n]}\n")


def _named(pid: int, name: str, tid: int | None = None, order: int = 0) -> Iterator[Event]:
    kind = "process" if tid is None else "thread"
    place: Event = {"pid": pid} if tid is None else {"pid": pid, "tid": tid}
    yield {"ph": "M", **place, "name": f"{kind}_name", "args": {"name": name}}
    yield {"ph": "M", **place, "name": f"{kind}_sort_index", "args": {"sort_index": order}}


def _unit_events(log: EventLog, first: int, end: int) -> Iterator[Event]:
    yield from _named(UNITS, "units (1 us = 1 cycle)", order=0)
    for row, unit in enumerate(log.units, start=1):
        yield from _named(UNITS, log.timing.units[unit].name, row, row)
        for start, stop, state in log.segments(unit):
            start, stop = max(start, first), min(stop, end)
            if stop <= start or state is State.IDLE:
                continue
            yield {
                "ph": "X",
                "pid": UNITS,
                "tid": row,
                "ts": start,
                "dur": stop - start,
                "name": STATE_TEXT[state],
                "cname": _COLOURS[state],
            }


def _stream_events(log: EventLog, first: int, end: int) -> Iterator[Event]:
    yield from _named(STREAMS, "streams (1 us = 1 cycle)", order=1)
    for i, stream in enumerate(log.streams):
        written = (cycle for cycle, _ in log.writes(i))
        for tid, side, cycles in ((2 * i + 1, "written", written), (2 * i + 2, "read", log.reads(i))):
            yield from _named(STREAMS, f"{stream.name} {side}", tid, tid)
            for start, word, count in _bursts(cycles, first, end):
                yield {
                    "ph": "X",
                    "pid": STREAMS,
                    "tid": tid,
                    "ts": start,
                    "dur": count,
                    "name": side,
                    "args": {"first_word": word, "words": count},
                }
        name = f"{stream.name} level [words of {stream.depth_words}]"
        for cycle, level in _levels(log, i, first, end):
            yield {"ph": "C", "pid": STREAMS, "ts": cycle, "name": name, "args": {"words": level}}


def _bursts(cycles: Iterator[int], first: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(first cycle, number of the first word, words) of every run of consecutive cycles."""
    start = word = count = 0
    for number, cycle in enumerate(cycles):
        if not first <= cycle < end:
            continue
        if count and cycle == start + count:
            count += 1
            continue
        if count:
            yield start, word, count
        start, word, count = cycle, number, 1
    if count:
        yield start, word, count


def _levels(log: EventLog, stream: int, first: int, end: int) -> Iterator[tuple[int, int]]:
    """(cycle, words held at its start) wherever that changes, and at the window's start."""
    changes = heapq.merge(
        ((cycle + 1, 1) for cycle, _ in log.writes(stream)),
        ((cycle + 1, -1) for cycle in log.reads(stream)),
    )
    level = shown = 0
    at = first
    for cycle, by in changes:
        if cycle > at:
            if level != shown or at == first:
                yield at, level
                shown = level
            at = cycle
        if cycle >= end:
            return
        level += by
    if level != shown or at == first:
        yield at, level
