"""How notebooks show a design: the answer as a table, and where each unit's cycles went."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bnnsim.simulation.record import UnitReport

MOST_UNITS = 24
"""Bars of a figure at most: the busiest units."""
_PARTS = {
    "busy": ("busy_cycles", "#2a78b5"),
    "waits for words": ("stalled_on_input_cycles", "#d9a441"),
    "waits for room": ("stalled_on_output_cycles", "#c0504d"),
    "idle": ("idle_cycles", "#cfd4da"),
}


def record_html(rows: Sequence[tuple[str, str]], units: Sequence[UnitReport], frames: int) -> str:
    """Names and values as a table, and a bar a unit for so many frames, as HTML without scripts."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in rows
    )
    of = "1 frame" if frames == 1 else f"{frames:,} frames"
    return f"<table>{cells}</table><p>Where the cycles of {of} went:</p>{_bars(units)}"


def _bars(units: Sequence[UnitReport]) -> str:
    busiest = sorted(units, key=lambda unit: -unit.busy_cycles)[:MOST_UNITS]
    shown = [unit for unit in units if unit in busiest]
    height = 18 * len(shown) + 22
    parts = []
    for row, unit in enumerate(shown):
        x, whole = 200.0, sum(getattr(unit, field) for field, _ in _PARTS.values())
        y = 18 * row
        parts.append(f"<text x='195' y='{y + 12}' text-anchor='end'>{escape(unit.name)}</text>")
        for name, (field, colour) in _PARTS.items():
            cycles = getattr(unit, field)
            width = 400 * cycles / whole if whole else 0.0
            title = f"<title>{escape(unit.name)} {name}: {cycles:,} cycles</title>"
            parts.append(
                f"<rect x='{x:.2f}' y='{y + 2}' width='{width:.2f}' height='13' fill='{colour}'>"
                f"{title}</rect>"
            )
            x += width
    for place, (name, (_, colour)) in enumerate(_PARTS.items()):
        x = 200 + 105 * place
        parts.append(f"<rect x='{x}' y='{height - 16}' width='10' height='10' fill='{colour}'/>")
        parts.append(f"<text x='{x + 14}' y='{height - 7}'>{name}</text>")
    return (
        f"<svg width='620' height='{height}' role='img' aria-label='where the cycles of each unit went' "
        f"style='font:11px sans-serif;fill:currentColor'>{''.join(parts)}</svg>"
    )
