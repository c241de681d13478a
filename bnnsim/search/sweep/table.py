"""A sweep as a table."""

from __future__ import annotations

import csv
import io

from bnnsim.search.front.objectives import METRICS
from bnnsim.search.storage.results import number_text
from bnnsim.search.sweep.sweep import Sweep
from bnnsim.validation.certainty import needed_leads


def sweep_figures(found: Sweep) -> tuple[str, ...]:
    """The figures in which the grid's designs differ, in the usual order."""
    values: dict[str, set[float]] = {}
    for point in found.points:
        for name, value in point.figures.items():
            values.setdefault(name, set()).add(value)
    varied = {knob.name for knob in found.knobs}
    names = [n for n in METRICS if n not in varied and len(values.get(n, ())) > 1]
    return tuple(names) or tuple(values)[:1]


def sweep_table(found: Sweep) -> str:
    """The grid as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    given = {name for point in found.points for name in point.figures}
    names = [n for n in METRICS if n in given and n not in {knob.name for knob in found.knobs}]
    shared = [n for n in METRICS if any(n in point.shares for point in found.points)]
    shares = [f"share of {name}" for name in shared]
    known = needed_leads()
    leads = {name: f"{known[name]:.4f}" for name in names if name in known}
    errors = [f"no lead within, of {name}" for name in leads]
    header = [*(knob.name for knob in found.knobs), *names, "exceeds", "obstacle", *shares, *errors]
    writer.writerow(header)
    for point in found.points:
        figures = [number_text(point.figures.get(name)) for name in names]
        of = [f"{point.shares[n]:.4f}" if n in point.shares else "" for n in shared]
        notes = [" ".join(point.exceeds), point.infeasible_reason]
        writer.writerow([*point.values, *figures, *notes, *of, *leads.values()])
    return text.getvalue()
