"""The pipeline as a graph: units with their folding, streams with width and depth, coloured by use."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import assert_never

from bnnsim.design.design import Design
from bnnsim.design.streaming.units import (
    Add,
    Concat,
    Converter,
    LabelSelect,
    Lookup,
    Multiply,
    Mvau,
    Padding,
    Pool,
    Repeat,
    Scale,
    Sink,
    Source,
    Split,
    Threshold,
    Unit,
    UnitKind,
    WeightBuffer,
    Window,
)
from bnnsim.report.figures.figure import Figure, counted, csv_text
from bnnsim.report.streaming.layer_groups import LayerGroup, layer_groups
from bnnsim.report.streaming.timeline import css_class
from bnnsim.report.streaming.unit_states import STATE_TEXT, State
from bnnsim.simulation import Simulation, UnitReport
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.programs.program import Lockstep


@dataclass(frozen=True)
class UnitBox:
    """One unit; its cycles by state add up to the run's. ``computing`` is part of what the
    simulation's account calls idle: steps on buffered data."""

    name: str
    layer: str
    kind: UnitKind
    detail: str
    busy_cycles: int
    computing_cycles: int
    stalled_on_input_cycles: int
    stalled_on_output_cycles: int
    idle_cycles: int
    inputs: tuple[str, ...]

    @property
    def total_cycles(self) -> int:
        return sum(cycles for _, cycles in self.shares)

    @property
    def work_share(self) -> float:
        """Of its cycles those that it moved words or computed in, 0 to 1."""
        return (self.busy_cycles + self.computing_cycles) / max(1, self.total_cycles)

    @property
    def shares(self) -> tuple[tuple[State, int], ...]:
        return (
            (State.BUSY, self.busy_cycles),
            (State.COMPUTING, self.computing_cycles),
            (State.STALLED_ON_INPUT, self.stalled_on_input_cycles),
            (State.STALLED_ON_OUTPUT, self.stalled_on_output_cycles),
            (State.IDLE, self.idle_cycles),
        )

    @property
    def dominant(self) -> State:
        """The state that colours the box: idle only where the unit never did anything else."""
        working = (State.COMPUTING, self.busy_cycles + self.computing_cycles)
        active = (working, *self.shares[2:4])
        state, cycles = max(active, key=lambda share: share[1])
        if not cycles:
            return State.IDLE
        return State.BUSY if state is State.COMPUTING else state


@dataclass(frozen=True)
class StreamEdge:
    """One stream and the most words it ever held."""

    name: str
    writer: str
    reader: str
    width_bits: int
    depth_words: int
    max_occupancy_words: int


@dataclass(frozen=True)
class PipelineInfo:
    """Units and streams in the network's order; ``limiting`` names those that set the pace.

    ``groups`` are all layers, together where they are few.
    """

    units: tuple[UnitBox, ...]
    streams: tuple[StreamEdge, ...]
    limiting: tuple[str, ...]
    groups: tuple[LayerGroup, ...]


def pipeline_info(
    design: Design, simulation: Simulation, limiting: tuple[str, ...] = ()
) -> PipelineInfo:
    """The record behind the figure."""
    graph = design.graph
    programs = {unit.name: unit.program for unit in build_timing(graph).units}
    units = []
    for report in simulation.units:
        program = programs[report.name]
        inner = program.inner_steps if isinstance(program, Lockstep) else 0
        computing = min(report.idle_cycles, inner * simulation.counted_frames)
        units.append(_box(graph.unit_by_name[report.name], report, computing))
    streams = tuple(
        StreamEdge(
            fifo.name,
            graph.stream_by_name[fifo.name].writer,
            graph.stream_by_name[fifo.name].reader,
            fifo.width_bits,
            fifo.depth_words,
            fifo.max_occupancy_words,
        )
        for fifo in simulation.fifos
    )
    layers = tuple(dict.fromkeys(unit.layer for unit in units))
    return PipelineInfo(tuple(units), streams, limiting, layer_groups(design.network, layers))


def _box(unit: Unit, report: UnitReport, computing: int) -> UnitBox:
    return UnitBox(
        name=unit.name,
        layer=unit.layer,
        kind=unit.kind,
        detail=unit_detail(unit),
        busy_cycles=report.busy_cycles,
        computing_cycles=computing,
        stalled_on_input_cycles=report.stalled_on_input_cycles,
        stalled_on_output_cycles=report.stalled_on_output_cycles,
        idle_cycles=report.idle_cycles - computing,
        inputs=unit.inputs,
    )


def unit_detail(unit: Unit) -> str:
    """What is said of a unit beside its name; nothing of splits and joins of whole pixels."""
    match unit.parameters:
        case Mvau() as p:
            return f"PE {p.pe} × SIMD {p.simd}, fold {p.fold:,}"
        case Converter() as p:
            return f"{p.in_lanes} → {p.out_lanes} lanes"
        case Window() as p:
            return f"{p.kernel[0]} × {p.kernel[1]} on {p.height} × {p.width}, {p.style.replace('_', ' ')}"
        case Pool() as p:
            lanes = "" if p.pe is None else f", PE {p.pe}"
            return f"{p.function.replace('_', ' ')} {p.kernel[0]} × {p.kernel[1]}{lanes}"
        case Threshold() as p:
            return f"PE {p.pe}, {p.thresholds} threshold{'s' if p.thresholds > 1 else ''}"
        case Scale() as p:
            return f"PE {p.pe}, {p.function} to {p.output_type}"
        case Lookup() as p:
            return f"PE {p.pe}, {p.segments:,} pieces to {p.output_type}"
        case Padding() as p:
            return f"to {p.out_height} × {p.out_width}, value {p.value}"
        case Add() | Multiply() as p:
            return f"{p.lanes} lanes"
        case Repeat() as p:
            zeros = ", zeros between" if p.zeros else ""
            return f"to {sum(p.row_counts)} × {sum(p.column_counts)}, {p.lanes} lanes{zeros}"
        case WeightBuffer() as p:
            return f"{p.in_lanes} → {p.pe} × {p.simd} lanes, {counted(p.frames, 'frame')}"
        case LabelSelect() as p:
            return f"PE {p.pe}, {p.top} of {p.labels:,}"
        case Source() | Sink() as p:
            return f"{counted(p.words, 'word')} a frame"
        case Split() | Concat():
            return ""
        case _:
            assert_never(unit.parameters)


def pipeline_figure(info: PipelineInfo) -> Figure:
    """A row a layer, its units from left to right; arcs join rows that do not follow each other."""
    streams = {stream.name: stream for stream in info.streams}
    layers: dict[str, list[UnitBox]] = {}
    for unit in info.units:
        layers.setdefault(unit.layer, []).append(unit)
    row_of = {unit.name: i for i, units in enumerate(layers.values()) for unit in units}
    rows = {
        layer: f'<li class="layer" data-row="{i}"><h3>{escape(layer)}</h3><div class="chain">'
        f"{_chain(units, streams, row_of, info.limiting)}</div></li>"
        for i, (layer, units) in enumerate(layers.items())
    }
    arcs = [
        [row_of[s.writer], row_of[s.reader]]
        for s in info.streams
        if row_of[s.reader] - row_of[s.writer] > 1
    ]
    note = (
        "Units as boxes, coloured by what they mostly do; streams as arrows with their word width "
        "and FIFO depth, filled as far as the run filled them. Press a unit to find it in the timeline."
    )
    legend = "".join(
        f'<li><span class="swatch {css_class(state)}"></span>{text}</li>'
        for state, text in (
            (State.BUSY, "mostly working"),
            (State.STALLED_ON_INPUT, "mostly waiting for input"),
            (State.STALLED_ON_OUTPUT, "mostly waiting for room behind it"),
        )
    )
    body = (
        f'<ul class="legend">{legend}<li><span class="swatch full"></span>FIFO was full</li></ul>'
        f'<div class="pipeline"><svg class="arcs" aria-hidden="true"></svg>{_folded(info, rows)}</div>'
    )
    if len(info.groups) > 1:
        body = (
            '<div class="controls"><button type="button" data-do="unfold" aria-pressed="false">'
            f"Unfold all {len(rows)} layers</button></div>{body}"
        )
    return Figure(
        "pipeline", "Pipeline", note, body, _csv(info), data={"arcs": arcs}, script="pipeline"
    )


def _folded(info: PipelineInfo, rows: dict[str, str]) -> str:
    """The rows; of a long network in groups, open where the pace is set."""
    if len(info.groups) == 1:
        return f"<ol>{''.join(rows.values())}</ol>"
    parts = []
    for group in info.groups:
        units = [unit for unit in info.units if unit.layer in group.layers]
        names = {unit.name for unit in units}
        busiest = max(units, key=lambda unit: unit.work_share)
        full = sum(s.reader in names and s.max_occupancy_words >= s.depth_words for s in info.streams)
        limits = any(unit.name in info.limiting for unit in units)
        flag = ' <em class="flag">sets the pace</em>' if limits else ""
        parts.append(
            f'<details class="group"{" open" if limits else ""}><summary>{escape(group.title)}{flag} '
            f'<small class="muted">{counted(len(group.layers), "layer")}; busiest {escape(busiest.name)} '
            f"({busiest.work_share:.0%}); full: {counted(full, 'FIFO')}</small></summary>"
            f"<ol>{''.join(rows[layer] for layer in group.layers)}</ol></details>"
        )
    return "".join(parts)


def _chain(
    units: list[UnitBox],
    streams: dict[str, StreamEdge],
    row_of: dict[str, int],
    limiting: tuple[str, ...],
) -> str:
    """One layer's units, each behind the streams that it reads."""
    parts = []
    before = ""
    for unit in units:
        for name in unit.inputs:
            stream = streams[name]
            leap = row_of[unit.name] - row_of[stream.writer]
            is_next = stream.writer == before or (not before and leap == 1)
            parts.append(_stream_html(stream, names_writer=not is_next))
        parts.append(_unit_html(unit, limiting))
        before = unit.name
    return "".join(parts)


def _unit_html(unit: UnitBox, limiting: tuple[str, ...]) -> str:
    total = unit.total_cycles or 1
    bar = "".join(
        f'<i class="{css_class(state)}" style="flex-grow:{cycles}"></i>'
        for state, cycles in unit.shares
        if cycles
    )
    spoken = ", ".join(
        f"{STATE_TEXT[state]} {cycles:,} cycles ({cycles / total:.0%})"
        for state, cycles in unit.shares
        if cycles
    )
    limits = '<em class="flag">sets the pace</em>' if unit.name in limiting else ""
    short = unit.name.removeprefix(f"{unit.layer}.")
    return (
        f'<button type="button" class="unit {css_class(unit.dominant)}" '
        f'data-unit="{escape(unit.name)}" title="{escape(unit.name)}: {spoken}">'
        f"<b>{escape(short)}</b>{limits}<span>{escape(unit.detail)}</span>"
        f'<span class="share" aria-hidden="true">{bar}</span>'
        f'<span class="visually-hidden">{spoken}</span></button>'
    )


def _stream_html(stream: StreamEdge, names_writer: bool) -> str:
    fill = 100 * stream.max_occupancy_words / max(1, stream.depth_words)
    is_full = stream.max_occupancy_words >= stream.depth_words
    origin = f"<small>from {escape(stream.writer)}</small>" if names_writer else ""
    spoken = (
        f"{stream.name}: {stream.width_bits} bits a word, {stream.depth_words} words deep, "
        f"at most {stream.max_occupancy_words} used"
    )
    return (
        f'<span class="stream{" full" if is_full else ""}" title="{escape(spoken)}">{origin}'
        f"<span>{stream.width_bits} bit</span>"
        f'<span class="fifo" aria-hidden="true"><i style="width:{min(100.0, fill):.1f}%"></i></span>'
        f"<span>{stream.max_occupancy_words} / {stream.depth_words}</span></span>"
    )


def _csv(info: PipelineInfo) -> str:
    header = (
        "unit",
        "kind",
        "detail",
        "busy_cycles",
        "computing_cycles",
        "stalled_on_input_cycles",
        "stalled_on_output_cycles",
        "idle_cycles",
    )
    units = csv_text(
        header,
        [(u.name, u.kind, u.detail, *(cycles for _, cycles in u.shares)) for u in info.units],
    )
    streams = csv_text(
        ("stream", "writer", "reader", "width_bits", "depth_words", "max_occupancy_words"),
        [
            (s.name, s.writer, s.reader, s.width_bits, s.depth_words, s.max_occupancy_words)
            for s in info.streams
        ],
    )
    return f"{units}\n{streams}"
