"""Figures as cells of a printed table."""

from __future__ import annotations

from rich.table import Table

from bnnsim.report.search.pareto import FIGURES

_SAYING = {"FPS", "W", "MHz", "LUT", "FF", "BRAM18", "URAM", "DSP", "ALM", "M20K", "LUTRAM"}
"""Units that need no name beside them."""
_WIDE = 16
"""A heading longer than this takes two lines."""


def add_figure_column(table: Table, name: str) -> None:
    """A column for the figure ``name``, headed by its unit, and its title where that is needed."""
    title, unit = FIGURES[name]
    heading = unit if unit in _SAYING else f"{title.lower()} [{unit}]".replace("[", r"\[")
    end = name.partition(".")[2]
    if end:
        heading = f"{end}\n{unit}".replace("[", r"\[")
    if len(heading) > _WIDE:
        heading = heading.replace(" ", "\n", 1)
    table.add_column(heading, justify="right", no_wrap=True)


def figure_cell(value: float | None) -> str:
    """A figure with four digits, or all of its whole part."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:,.4g}"
