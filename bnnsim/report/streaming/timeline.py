"""Timeline: what every unit did in every cycle of the first frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bnnsim.design.streaming.units import UnitKind
from bnnsim.report.figures.figure import Figure, number
from bnnsim.report.figures.gantt import gantt_body
from bnnsim.report.figures.track_encoding import encode_pairs
from bnnsim.report.streaming.recording import Recording
from bnnsim.report.streaming.unit_states import STATE_TEXT, State

SHOWN_STATES = (
    State.BUSY,
    State.COMPUTING,
    State.STALLED_ON_INPUT,
    State.STALLED_ON_OUTPUT,
    State.IDLE,
)

STATE_MEANING = {
    State.BUSY: "a step that reads or writes a word",
    State.COMPUTING: "a step on buffered data, no word",
    State.STALLED_ON_INPUT: "no word in the FIFO before it",
    State.STALLED_ON_OUTPUT: "no room in the FIFO behind it",
    State.IDLE: "nothing to do, or filling and draining",
    State.UNKNOWN: "the recording ended first",
}


@dataclass(frozen=True)
class TimelineRow:
    """One unit: ``track`` holds (state, cycles) pairs from cycle 0 on, encoded."""

    name: str
    layer: str
    kind: UnitKind
    track: str
    segments: int


@dataclass(frozen=True)
class TimelineInfo:
    """Cycles 0 to ``cycles`` - 1 of the first ``frames`` frames; ``is_whole`` as in the recording.

    ``run_frames`` are the frames of the run that the page is about.
    """

    clock_mhz: float
    frames: int
    run_frames: int
    cycles: int
    is_whole: bool
    frame_end_cycles: tuple[int, ...]
    limiting: tuple[str, ...]
    rows: tuple[TimelineRow, ...]


def timeline_info(
    recording: Recording, limiting: tuple[str, ...] = (), run_frames: int | None = None
) -> TimelineInfo:
    """The record behind the figure; ``limiting`` names the units that set the pace.

    ``run_frames`` are the frames of the page's run, by default as many as were recorded.
    """
    rows = []
    for unit in recording.units:
        ends = (*unit.starts[1:], recording.cycles)
        pairs = (
            (state, end - start)
            for state, start, end in zip(unit.states, unit.starts, ends, strict=True)
        )
        rows.append(
            TimelineRow(unit.name, unit.layer, unit.kind, encode_pairs(pairs), len(unit.starts))
        )
    return TimelineInfo(
        clock_mhz=recording.clock_mhz,
        frames=recording.frames,
        run_frames=recording.frames if run_frames is None else run_frames,
        cycles=recording.cycles,
        is_whole=recording.is_whole,
        frame_end_cycles=recording.frame_end_cycles,
        limiting=limiting,
        rows=tuple(rows),
    )


def legend(states: tuple[State, ...] = SHOWN_STATES) -> str:
    """The colours of the states, with their meaning."""
    items = "".join(
        f'<li><span class="swatch {css_class(state)}"></span><b>{STATE_TEXT[state]}</b> '
        f'<span class="muted">{STATE_MEANING[state]}</span></li>'
        for state in states
    )
    return f'<ul class="legend">{items}</ul>'


def css_class(state: State) -> str:
    return STATE_TEXT[state].replace(" ", "-")


def timeline_figure(info: TimelineInfo) -> Figure:
    """A Gantt chart that zooms from the whole run to a cycle, by mouse, finger and keyboard."""
    data: dict[str, Any] = {
        "clock_mhz": info.clock_mhz,
        "cycles": info.cycles,
        "frame_end_cycles": info.frame_end_cycles,
        "limiting": info.limiting,
        "states": [STATE_TEXT[state] for state in State],
        "classes": [css_class(state) for state in State],
        "rows": [
            {"name": row.name, "layer": row.layer, "kind": row.kind, "track": row.track}
            for row in info.rows
        ],
    }
    states = SHOWN_STATES if info.is_whole else (*SHOWN_STATES, State.UNKNOWN)
    covers = f"{number(info.frames)} frames" if info.frames > 1 else "frame"
    longer = (
        f" The run has {number(info.run_frames)}; more are shown here so that frames follow each other."
        if info.frames > info.run_frames
        else ""
    )
    shown = f"All units over the first {covers}: {number(info.cycles)} cycles.{longer}"
    if not info.is_whole:
        shown = (
            f"All units over the first {number(info.cycles)} cycles; there the recording ended: "
            "it had become too long for a page."
        )
    note = (
        f"{shown} "
        "Zoomed out, a column shows each state's share of its cycles. "
        "Drag to move, Ctrl + wheel or pinch to zoom, or use the buttons and keys."
    )
    only = '<button type="button" data-do="matrices" aria-pressed="false">Only matrix units</button>'
    body = gantt_body(legend(states), only)
    return Figure("timeline", "Timeline", note, body, data=data, script="timeline")
