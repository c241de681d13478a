"""An engine's frame as a Gantt chart: turns, controller, units, movers, ports; and fill levels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bnnsim.design.design import EngineDesign
from bnnsim.report.engine.log import EngineLog
from bnnsim.report.engine.trace import logged
from bnnsim.report.figures.figure import Figure, number
from bnnsim.report.figures.gantt import gantt_body
from bnnsim.report.figures.track_encoding import encode_pairs, zigzag
from bnnsim.timing.engine.reference import run_engine_simpy
from bnnsim.timing.engine.result import Activity
from bnnsim.timing.engine.schedule import has_double
from bnnsim.timing.prefix import whole_program

IDLE, WORKS, MOVES, WAITS_IN, WAITS_OUT, OVERHEAD = range(6)
STATES = (
    ("idle", "idle", "nothing to do"),
    ("at work", "busy", "a layer in its turn, an array, a stage, the host"),
    ("moves words", "computing", "a burst, its latency included"),
    ("waits for what comes in", "stalled-on-input", "weights, the image or a map"),
    ("waits for a store", "stalled-on-output", "a map or results on their way out"),
    ("overhead", "not-recorded", "no unit works, as the architecture states it"),
)
"""Text, colour and meaning of each state, in the order in which the script numbers them."""
_OF_ACTIVITY: dict[Activity, int] = {
    "compute": WORKS,
    "stage": WORKS,
    "host": WORKS,
    "overhead": OVERHEAD,
    "weight_load": MOVES,
    "activation_load": MOVES,
    "activation_store": MOVES,
    "weight_stall": WAITS_IN,
    "activation_stall": WAITS_IN,
    "store_stall": WAITS_OUT,
}
SHOWN_FRAMES = 2
"""Where loads run ahead, so that frames follow each other; else one."""
Segment = tuple[int, int, int]
"""Start, end, state."""


@dataclass(frozen=True)
class GanttRow:
    """One row: ``track`` holds (state, cycles) pairs from cycle 0 on, encoded."""

    name: str
    kind: str
    track: str
    segments: int


@dataclass(frozen=True)
class LevelRow:
    """One buffer's fill level: ``track`` holds (cycles since the last change, change as zigzag)."""

    name: str
    capacity_bits: int
    highest_bits: int
    mean_bits: float
    full_cycles: int
    track: str


@dataclass(frozen=True)
class GanttInfo:
    """The first ``frames`` frames, ``cycles`` in all."""

    clock_mhz: float
    frames: int
    cycles: int
    frame_end_cycles: tuple[int, ...]
    limiting: tuple[str, ...]
    rows: tuple[GanttRow, ...]
    levels: tuple[LevelRow, ...]


def gantt_info(design: EngineDesign, limiting: tuple[str, ...] = ()) -> GanttInfo:
    """A run of the first frames, by SimPy, as rows; ``limiting`` names the units that limit."""
    program = whole_program(design)
    frames = SHOWN_FRAMES if has_double(program) else 1
    with logged(design) as log:
        timing = run_engine_simpy(program, frames, observer=log)
        total = timing.cycles_total
        levels = tuple(_level(log, design, name, total) for name in log.buffers)
        return GanttInfo(
            clock_mhz=design.architecture.clock_mhz,
            frames=frames,
            cycles=total,
            frame_end_cycles=tuple(end - 1 for end in timing.frame_end_cycles),
            limiting=tuple(name.removeprefix("port ") for name in limiting),
            rows=tuple(_rows(log, total)),
            levels=levels,
        )


def _rows(log: EngineLog, total: int) -> Iterator[GanttRow]:
    parts = log.program.parts
    turns = list(log.turns())
    for position, part in enumerate(parts):
        own = ((one.start, one.end, WORKS) for one in turns if one.part == position)
        yield _row(part.name, "turn", own, total)
    did = ((one.start, one.end, _OF_ACTIVITY[one.activity]) for one in log.controller())
    yield _row("controller", "controller", did, total)
    for unit in log.units:
        yield _row(unit, "unit", ((one.start, one.end, WORKS) for one in log.work(unit)), total)
    for mover in log.movers:
        bursts = sorted(
            (one.start, one.end, MOVES)
            for port in log.ports
            for one in log.bursts(port)
            if one.mover == mover
        )
        yield _row(mover, "mover", bursts, total)
    for port in log.ports:
        yield _row(port, "port", ((one.start, one.end, MOVES) for one in log.bursts(port)), total)


def _row(name: str, kind: str, segments: Iterable[Segment], total: int) -> GanttRow:
    count = 0

    def pairs() -> Iterator[tuple[int, int]]:
        nonlocal count
        at = 0
        for start, end, state in segments:
            start, end = max(at, start), min(end, total)
            if end <= start:
                continue
            if start > at:
                count += 1
                yield IDLE, start - at
            count += 1
            yield state, end - start
            at = end
        if at < total:
            count += 1
            yield IDLE, total - at

    track = encode_pairs(pairs())
    return GanttRow(name, kind, track, count)


def _level(log: EngineLog, design: EngineDesign, name: str, total: int) -> LevelRow:
    buffer = design.architecture.buffers[name]
    capacity = buffer.whole_bits
    bit_cycles = full = highest = 0
    changes: list[tuple[int, int]] = [(0, 0)]
    cycle = held = 0
    for at, bits in log.levels(name):
        if at >= total:
            break
        bit_cycles += held * (at - cycle)
        full += (at - cycle) if held >= capacity else 0
        changes.append((at - cycle, zigzag(bits - held)))
        cycle, held = at, bits
        highest = max(highest, held)
    bit_cycles += held * (total - cycle)
    full += (total - cycle) if held >= capacity else 0
    return LevelRow(name, capacity, highest, bit_cycles / total, full, encode_pairs(changes))


def gantt_figure(info: GanttInfo) -> Figure:
    """The chart; it zooms from the whole run to a cycle."""
    data = {
        "clock_mhz": info.clock_mhz,
        "cycles": info.cycles,
        "frame_end_cycles": info.frame_end_cycles,
        "limiting": info.limiting,
        "states": [text for text, _, _ in STATES],
        "classes": [css for _, css, _ in STATES],
        "rows": [{"name": row.name, "kind": row.kind, "track": row.track} for row in info.rows],
    }
    covers = f"The first {number(info.frames)} frames" if info.frames > 1 else "The first frame"
    note = (
        f"{covers}, {number(info.cycles)} cycles: the layers\u2019 turns, what the controller does or "
        "waits for, arrays and stages, movers (buffer.load, buffer.store), ports, down to single bursts."
    )
    items = "".join(
        f'<li><span class="swatch {css}"></span><b>{text}</b> <span class="muted">{meaning}</span></li>'
        for text, css, meaning in STATES
    )
    body = gantt_body(f'<ul class="legend">{items}</ul>')
    return Figure("timeline", "Timeline", note, body, data=data, script="timeline")


def levels_figure(info: GanttInfo) -> Figure:
    """Fill levels on the timeline's axis."""
    data = {
        "cycles": info.cycles,
        "clock_mhz": info.clock_mhz,
        "unit": "bits",
        "rows": [
            {
                "name": row.name,
                "depth": row.capacity_bits,
                "width": 1,
                "highest": row.highest_bits,
                "mean": row.mean_bits,
                "full": row.full_cycles,
                "track": row.track,
            }
            for row in info.levels
        ],
    }
    note = (
        "Bits that transfers have brought into each buffer and that are not yet done with, or that wait "
        "to be stored; moves and zooms with the timeline. What arrays write and read is not in it, nor "
        "what a transfer brings beyond its buffer: padding, or thresholds in one stream with weights."
    )
    body = (
        '<div class="controls" role="group" aria-label="Fill level view">'
        '<button type="button" data-do="scale" aria-pressed="false">Same scale for all [bits]</button>'
        '<button type="button" data-do="many" aria-pressed="false" hidden>All</button>'
        "</div>"
        '<canvas class="chart" tabindex="0" role="img" aria-label="Fill level of every buffer over time. '
        'Arrow left and right move, plus and minus zoom, arrow up and down choose a buffer."></canvas>'
        '<p class="readout" aria-live="polite">&nbsp;</p>'
    )
    return Figure("occupancy", "Buffers [bits]", note, body, data=data, script="occupancy")
