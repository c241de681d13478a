"""Which unit or FIFO is the bottleneck, in a sentence, and what to change."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import assert_never

from bnnsim.design.design import Design
from bnnsim.design.streaming.units import (
    Add,
    Concat,
    Converter,
    Mvau,
    Padding,
    Pool,
    Scale,
    Sink,
    Source,
    Split,
    Threshold,
    Window,
)
from bnnsim.report.figures.figure import Figure, csv_text, exact
from bnnsim.simulation import Simulation
from bnnsim.spec.faults import divisors_of
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.programs.program import Lockstep

_NEAR = 0.01
"""Units within this share of the slowest one limit together."""
NEGLIGIBLE = 0.02
"""Waiting of up to this share of the interval is not what limits a design."""
WORTHWHILE = 1.2
"""The advice goes on until the design is this many times as fast."""
_MOST_CHANGES = 6
_SHOWN = 12
"""Units whose work is shown at once."""


@dataclass(frozen=True)
class UnitWork:
    """Steps of a unit's program a frame: the fewest cycles in which it can do one."""

    name: str
    layer: str
    cycles_a_frame: int


@dataclass(frozen=True)
class Change:
    """Twice the PEs or lanes of a layer's unit: ``cycles_a_frame`` then."""

    layer: str
    knob: str
    before: int
    after: int
    cycles_a_frame: int


@dataclass(frozen=True)
class BottleneckInfo:
    """Where the interval comes from.

    ``interval_cycles`` is the measured one (None where it is not known), ``slowest_cycles`` what the
    slowest unit alone would allow; ``waits_cycles`` their difference: words that come late or find a
    FIFO full. ``full_fifos`` are those behind the limiting units that were ever full (before them is
    no wonder); all that were, where none is behind. ``changes`` make it ``next_cycles`` a frame, and
    ``next_unit`` then limits.
    """

    clock_mhz: float
    interval_cycles: int | None
    slowest_cycles: int
    limiting: tuple[str, ...]
    changes: tuple[Change, ...]
    next_unit: str
    next_cycles: int
    full_fifos: tuple[str, ...]
    otherwise: str
    work: tuple[UnitWork, ...]

    @property
    def waits_cycles(self) -> int:
        return 0 if self.interval_cycles is None else self.interval_cycles - self.slowest_cycles


def bottleneck_info(design: Design, simulation: Simulation) -> BottleneckInfo:
    """The record behind the sentence."""
    work = unit_work(design)
    slowest = max(unit.cycles_a_frame for unit in work)
    limiting = [u for u in work if u.cycles_a_frame >= slowest * (1 - _NEAR) and _is_computing(design, u)]
    limiting = limiting or [u for u in work if u.cycles_a_frame == slowest]
    changes, next_unit, next_cycles = _widened(design, work)
    full = [f.name for f in simulation.fifos if f.max_occupancy_words >= f.depth_words]
    behind = _streams_behind(design, {unit.name for unit in limiting})
    return BottleneckInfo(
        clock_mhz=simulation.clock_mhz,
        interval_cycles=simulation.initiation_interval_cycles,
        slowest_cycles=slowest,
        limiting=tuple(u.name for u in limiting),
        changes=changes,
        next_unit=next_unit,
        next_cycles=next_cycles,
        full_fifos=tuple(name for name in full if name in behind) or tuple(full),
        otherwise=_otherwise(design, limiting[0]),
        work=work,
    )


def _widened(
    design: Design, work: tuple[UnitWork, ...]
) -> tuple[tuple[Change, ...], str, int]:
    """Changes to the slowest units, one after the other, until frames follow a fifth faster.

    Returns them with the unit that limits then, and its cycles. Stops early at a unit that cannot be
    widened.
    """
    cycles = {unit.name: unit.cycles_a_frame for unit in work}
    by_name = {unit.name: unit for unit in work}
    slowest = max(cycles.values())
    changes: list[Change] = []
    while True:
        name = max(cycles, key=lambda unit: cycles[unit])
        if cycles[name] * WORTHWHILE <= slowest or len(changes) == _MOST_CHANGES:
            break
        changed = any(change.layer == by_name[name].layer for change in changes)
        change = None if changed else _change(design, by_name[name])
        if change is None:
            break
        changes.append(change)
        cycles[name] = change.cycles_a_frame
    if cycles[name] == slowest:  # the changes found would not help alone
        changes.clear()
    return tuple(changes), name, cycles[name]


def unit_work(design: Design) -> tuple[UnitWork, ...]:
    """Each unit's steps a frame; an elastic unit needs one a word on its busier side."""
    graph = design.graph
    result = []
    for unit in build_timing(graph).units:
        if unit.part_of:
            continue
        program = unit.program
        if isinstance(program, Lockstep):
            cycles = program.steps
        else:
            cycles = max(program.words_in, program.words_out)
        result.append(UnitWork(unit.name, graph.unit_by_name[unit.name].layer, cycles))
    return tuple(result)


def _streams_behind(design: Design, units: set[str]) -> set[str]:
    """Every stream that carries what ``units`` put out, or what follows from it."""
    reached = set(units)
    streams: set[str] = set()
    for stream in design.graph.streams:  # writers come before readers
        if stream.writer in reached:
            streams.add(stream.name)
            reached.add(stream.reader)
    return streams


def _is_computing(design: Design, work: UnitWork) -> bool:
    return isinstance(design.graph.unit_by_name[work.name].parameters, Mvau)


def _change(design: Design, work: UnitWork) -> Change | None:
    """The smallest step that speeds a matrix unit up: the next PE, or else the next SIMD."""
    mvau = design.graph.unit_by_name[work.name].parameters
    if not isinstance(mvau, Mvau):
        return None
    for knob, now, whole in (
        ("pe", mvau.pe, mvau.matrix_height),
        ("simd", mvau.simd, mvau.matrix_width),
    ):
        larger = [d for d in divisors_of(whole) if d > now]
        if larger:
            cycles = work.cycles_a_frame * now // larger[0]
            return Change(work.layer, knob, now, larger[0], cycles)
    return None


def _otherwise(design: Design, work: UnitWork) -> str:
    """What helps a unit that has no PE or SIMD to widen."""
    parameters = design.graph.unit_by_name[work.name].parameters
    match parameters:
        case Window() as p if p.lanes < p.channels:
            return (
                "It moves one word a cycle: raise the layer's SIMD, so that a word holds more than "
                f"{p.lanes} of the {p.channels} channels."
            )
        case Window() as p if p.style != "parallel":
            return (
                "It shows one pixel of a window a cycle: <code>sliding_window: parallel</code> shows "
                "a whole window at once."
            )
        case Mvau():
            return "It is as wide as its matrix: raise the clock."
        case (
            Source() | Sink() | Converter() | Padding() | Window() | Pool()
            | Threshold() | Scale() | Split() | Add() | Concat()
        ):
            wider = "wider streams around it (<code>out_width_bits</code>) help"
            return f"It moves one word a cycle: {wider}."
        case _:
            assert_never(parameters)


def bottleneck_sentence(info: BottleneckInfo) -> str:
    """What limits the design and what to change, as HTML."""
    names = _listed([f"<b>{escape(name)}</b>" for name in info.limiting])
    sets = "sets" if len(info.limiting) == 1 else "set"
    interval = info.interval_cycles
    parts = []
    if interval is None or info.waits_cycles <= NEGLIGIBLE * interval:
        each = "" if len(info.limiting) == 1 else " each"
        parts.append(
            f"{names} {sets} the pace: about {exact(info.slowest_cycles)} cycles of work{each} a "
            "frame, and nothing else takes longer."
        )
    else:
        share = info.waits_cycles / interval
        needs = "needs" if len(info.limiting) == 1 else "need"
        parts.append(
            f"Waiting costs {exact(info.waits_cycles)} of the {exact(interval)} cycles between "
            f"frames ({share:.1%}): {names} {needs} only {exact(info.slowest_cycles)}, but words "
            "come late or find a FIFO full."
        )
        if info.full_fifos:
            parts.append(f"Look first at the FIFOs that fill up: {_fifos(info.full_fifos)}.")
    parts.append(_advice(info))
    return " ".join(parts)


def _advice(info: BottleneckInfo) -> str:
    if not info.changes:
        return info.otherwise
    what = _listed(
        [
            f"<b>{escape(c.layer)}</b> {c.knob.upper()} {c.before} → {c.after}"
            for c in info.changes
        ]
    )
    gain = max(info.interval_cycles or 0, info.slowest_cycles) / info.next_cycles
    after = f"{info.clock_mhz * 1e6 / info.next_cycles:,.0f} FPS"
    return (
        f"To go up to {gain:.2f} times as fast ({after}), widen {what}; then "
        f"<b>{escape(info.next_unit)}</b> limits, at {exact(info.next_cycles)} cycles a frame."
    )


def _fifos(names: tuple[str, ...]) -> str:
    shown = [f"<code>{escape(name)}</code>" for name in names[:4]]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(shown) + more


def _listed(items: list[str]) -> str:
    if len(items) == 1:
        return items[0]
    return ", ".join(items[:-1]) + " and " + items[-1]


def work_figure(info: BottleneckInfo) -> Figure:
    """Each unit's own work a frame against the interval, longest first."""
    longest = max(info.interval_cycles or 0, info.slowest_cycles)
    ordered = sorted(info.work, key=lambda unit: -unit.cycles_a_frame)
    rows = [
        f'<li class="{"limit" if unit.name in info.limiting else ""}"><span>{escape(unit.name)}</span>'
        f'<i style="width:{100 * unit.cycles_a_frame / longest:.2f}%"></i>'
        f"{exact(unit.cycles_a_frame)}</li>"
        for unit in ordered
    ]
    note = (
        "Cycles that each unit's own steps take, a frame: the longest is the fastest that frames can "
        "follow each other, whatever the FIFOs."
    )
    if info.interval_cycles is not None:
        note += f" Measured interval: {exact(info.interval_cycles)} cycles."
    csv = csv_text(
        ("unit", "layer", "work_cycles_a_frame"),
        [(unit.name, unit.layer, unit.cycles_a_frame) for unit in ordered],
    )
    body = f'<ul class="bars pace">{"".join(rows[:_SHOWN])}</ul>'
    if len(rows) > _SHOWN:
        body += (
            f"<details><summary>The other {len(rows) - _SHOWN} units</summary>"
            f'<ul class="bars pace">{"".join(rows[_SHOWN:])}</ul></details>'
        )
    return Figure("pace", "Work a frame [cycles]", note, body, csv)
