"""Figures as cells of a printed table."""

from __future__ import annotations

from bnnsim.notebook.number import figure_text
from bnnsim.report.search.pareto import FIGURES

_SAYING = {"FPS", "W", "MHz", "LUT", "FF", "BRAM18", "URAM", "DSP", "ALM", "M20K", "LUTRAM"}
"""Units that need no name beside them."""


def figure_heading(name: str) -> str:
    """The heading of the figure ``name``: its unit, and its title where that is needed."""
    title, unit = FIGURES[name]
    end = name.partition(".")[2]
    if end:
        return f"{end}\n{unit}"
    return unit if unit in _SAYING else f"{title.lower()} [{unit}]"


def figure_cell(value: float | None) -> str:
    """A figure with four digits, or all of its whole part."""
    if value is None:
        return "-"
    return figure_text(value)
