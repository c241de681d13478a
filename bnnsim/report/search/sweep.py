"""The page of a sweep: any figure over the knobs, without any network."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bnnsim.report.figures.plot_page import plot_page
from bnnsim.report.search.pareto import FIGURES, FigureInfo
from bnnsim.search.front.objectives import METRICS
from bnnsim.search.space.fields import Value
from bnnsim.search.sweep.sweep import Sweep
from bnnsim.search.sweep.table import sweep_figures
from bnnsim.validation.certainty import needed_lead


@dataclass(frozen=True)
class SweepInfo:
    """What the page shows: a curve for each value of the second knob over the first.

    ``first`` are the first knob's values as text (they are categories), ``second`` the second's (empty
    for a single knob). ``values[figure][second][first]`` are figures, None where there is no design;
    ``notes[second][first]`` says what a design exceeds, or why there is none.
    """

    arch: str
    workload: str
    knobs: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    figures: tuple[FigureInfo, ...]
    values: tuple[tuple[tuple[float | None, ...], ...], ...]
    notes: tuple[tuple[str, ...], ...]
    errors: tuple[float, ...] = ()
    """By what share of each figure a design must be ahead to lead; 0 where it is exact."""
    outside: tuple[str, ...] = ()
    """What an engine leaves to others: in no figure."""


def sweep_info(found: Sweep) -> SweepInfo:
    """What the page of ``found`` shows: the figures in which its designs differ."""
    names = sweep_figures(found)
    firsts: tuple[Value, ...] = found.knobs[0].values
    seconds: tuple[Value | None, ...] = found.knobs[1].values if len(found.knobs) > 1 else (None,)
    by_values = {point.values: point for point in found.points}
    rows = [
        [by_values[(first,) if second is None else (first, second)] for first in firsts]
        for second in seconds
    ]
    return SweepInfo(
        errors=tuple(needed_lead(name) for name in names),
        outside=found.outside,
        arch=found.arch,
        workload=found.workload,
        knobs=tuple(knob.name for knob in found.knobs),
        first=tuple(str(value) for value in firsts),
        second=tuple(str(value) for value in seconds if value is not None),
        figures=tuple(
            FigureInfo(name, *FIGURES.get(name, (name, "")), METRICS[name] == "maximise")
            for name in names
        ),
        values=tuple(
            tuple(tuple(point.figures.get(name) for point in row) for row in rows) for name in names
        ),
        notes=tuple(
            tuple(
                point.infeasible_reason or point.note for point in row
            )
            for row in rows
        ),
    )


def sweep_page(info: SweepInfo, is_single_file: bool = True) -> str:
    """The page as HTML; :func:`~bnnsim.report.figures.plot_page.library` says what lies beside it."""
    title = f"{info.arch} x {info.workload}: {' and '.join(info.knobs)}"
    return plot_page("sweep", title, "sweep.html", ("sweep.js",), asdict(info), is_single_file)
