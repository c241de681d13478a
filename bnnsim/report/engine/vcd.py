"""An engine's run as a value change dump, written as it is read from disk."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import TextIO

from bnnsim.report.engine.log import EngineLog
from bnnsim.report.waveform.vcd import check_signal_names, clock_period_ps, signal_name

Change = tuple[int, int, str, int | str]
"""Cycle, order among those of one cycle, signal, value."""


def write_engine_vcd(log: EngineLog, file: TextIO, clock_mhz: float, first: int, end: int) -> None:
    """Write cycles ``first`` <= cycle < ``end``; cycle n begins at n times the period. There is no clock.

    ``turn`` is the part of the frame, ``controller`` what it does or waits for; ``units.NAME`` is 1 while
    it works; a port has ``busy``, whose ``mover`` and which ``payload`` it serves and the number of its
    ``burst``; ``buffers.NAME`` are bits that transfers brought or wait to store.
    """
    from vcd import VCDWriter

    for group in (log.units, log.ports, log.buffers):
        check_signal_names(group)
    period = clock_period_ps(clock_mhz)
    writer = VCDWriter(
        file,
        timescale="1 ps",
        date="",
        version="bnnsim",
        comment=f"cycle n = time n * {period} ps; cycles {first} to {end}",
        init_timestamp=first * period,
    )
    text, wire = "string", "wire"
    variables = {
        "turn": writer.register_var(("bnnsim",), "turn", text, init=""),
        "controller": writer.register_var(("bnnsim",), "controller", text, init=""),
    }
    for unit in log.units:
        variables[f"unit {unit}"] = writer.register_var(
            ("bnnsim", "units"), signal_name(unit), wire, size=1, init=0
        )
    for port in log.ports:
        scope = ("bnnsim", "ports", signal_name(port))
        for name, kind, size in (("busy", wire, 1), ("burst", wire, 32)):
            variables[f"port {port} {name}"] = writer.register_var(scope, name, kind, size=size, init=0)
        for name in ("mover", "payload"):
            variables[f"port {port} {name}"] = writer.register_var(scope, name, text, init="")
    for buffer in log.buffers:
        variables[f"buffer {buffer}"] = writer.register_var(
            ("bnnsim", "buffers"), signal_name(buffer), wire, size=64, init=0
        )
    held: dict[str, int | str] = {}
    for cycle, _, name, value in _changes(log):
        if cycle >= end:
            break
        if cycle <= first:
            held[name] = value
            continue
        for early, kept in held.items():
            writer.change(variables[early], first * period, kept)
        held.clear()
        writer.change(variables[name], cycle * period, value)
    for early, kept in held.items():
        writer.change(variables[early], first * period, kept)
    writer.close(end * period)


def _changes(log: EngineLog) -> Iterator[Change]:
    """All changes in the order of time."""
    tracks: list[Iterator[Change]] = [_turns(log, 0), _controller(log, 1)]
    for unit in log.units:
        segments = ((one.start, one.end) for one in log.work(unit))
        tracks.append(_busy(segments, len(tracks), f"unit {unit}"))
    for port in log.ports:
        tracks.append(_bursts(log, port, len(tracks)))
        segments = ((one.start, one.end) for one in log.bursts(port))
        tracks.append(_busy(segments, len(tracks), f"port {port} busy"))
    for buffer in log.buffers:
        tracks.append(_levels(log, buffer, len(tracks)))
    return heapq.merge(*tracks, key=lambda change: change[:2])


def _turns(log: EngineLog, order: int) -> Iterator[Change]:
    return ((one.start, order, "turn", log.program.parts[one.part].name) for one in log.turns())


def _controller(log: EngineLog, order: int) -> Iterator[Change]:
    return ((one.start, order, "controller", one.activity) for one in log.controller())


def _busy(segments: Iterator[tuple[int, int]], order: int, name: str) -> Iterator[Change]:
    """1 while at work; segments that touch are one."""
    until = -1
    for start, end in segments:
        if start != until:
            if until >= 0:
                yield until, order, name, 0
            yield start, order, name, 1
        until = end
    if until >= 0:
        yield until, order, name, 0


def _bursts(log: EngineLog, port: str, order: int) -> Iterator[Change]:
    for number, one in enumerate(log.bursts(port), start=1):
        yield one.start, order, f"port {port} burst", number
        yield one.start, order, f"port {port} mover", one.mover
        yield one.start, order, f"port {port} payload", one.payload


def _levels(log: EngineLog, buffer: str, order: int) -> Iterator[Change]:
    return ((one.cycle, order, f"buffer {buffer}", one.bits) for one in log.levels(buffer))
