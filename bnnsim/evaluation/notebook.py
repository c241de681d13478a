"""A design judged, as a notebook shows it: the answer, and where each unit's cycles went."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bnnsim.evaluation.record import Evaluation

MOST_UNITS = 24
"""Bars of a figure at most: the busiest units."""
_PARTS = {
    "busy": ("busy_cycles", "#2a78b5"),
    "waits for words": ("stalled_on_input_cycles", "#d9a441"),
    "waits for room": ("stalled_on_output_cycles", "#c0504d"),
    "idle": ("idle_cycles", "#cfd4da"),
}


def summary(evaluation: Evaluation) -> str:
    """The answer in one line."""
    fps, total = evaluation.throughput_fps, evaluation.resources.total
    speed = "no proven interval" if fps is None else f"{fps:,.1f} FPS"
    logic = f"{total.lut:,} LUT, {total.bram18:,} BRAM18" if total.lut else f"{total.alm:,} ALM"
    fits = "" if evaluation.feasible else f", exceeds {', '.join(v.name for v in evaluation.violations)}"
    return (
        f"{evaluation.arch} x {evaluation.workload}: {speed}, {evaluation.latency_us:,.1f} us, "
        f"{logic}, {evaluation.power_w:.2f} W{fits}"
    )


def evaluation_html(evaluation: Evaluation) -> str:
    """The answer as a table, and a bar a unit, as HTML without scripts."""
    rows = [("design", f"{evaluation.arch} x {evaluation.workload} at {evaluation.clock_mhz:g} MHz")]
    fps = evaluation.throughput_fps
    rows.append(("throughput", "no interval is proven" if fps is None else f"{fps:,.1f} FPS"))
    cycles = f"{evaluation.latency_cycles:,} cycles = {evaluation.latency_us:,.1f} us"
    rows.append(("latency", cycles))
    if evaluation.bottleneck is not None:
        rows.append(("bottleneck", evaluation.bottleneck.unit))
    rows += [
        (name, f"{getattr(evaluation.resources.total, name):,} ({share:.0%})")
        for name, share in evaluation.utilisation.items()
    ]
    rows.append(("power", f"{evaluation.power_w:.2f} W ({evaluation.power_basis})"))
    wrong = ", ".join(violation.name for violation in evaluation.violations)
    rows.append(("feasible", f"no: {wrong}" if wrong else "yes"))
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in rows
    )
    frames = "1 frame" if evaluation.counted_frames == 1 else f"{evaluation.counted_frames:,} frames"
    return f"<table>{cells}</table><p>Where the cycles of {frames} went:</p>{_bars(evaluation)}"


def _bars(evaluation: Evaluation) -> str:
    busiest = sorted(evaluation.units, key=lambda unit: -unit.busy_cycles)[:MOST_UNITS]
    shown = [unit for unit in evaluation.units if unit in busiest]
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
