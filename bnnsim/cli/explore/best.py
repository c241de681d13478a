"""The one design that is wanted where a search has one objective."""

from __future__ import annotations

from bnnsim.cli.explore.figure_cells import figure_cell
from bnnsim.cost.error_bars import error_bar, structure_kind
from bnnsim.report.search.pareto import FIGURES
from bnnsim.search.points.point_design import point_design
from bnnsim.search.storage.record import Exploration
from bnnsim.search.storage.results import design_name

_ALWAYS = ("throughput_fps", "latency_us", "power_w", "lut", "ff", "bram18", "dsp", "clock_mhz")


def best_design(found: Exploration) -> list[tuple[str, str]]:
    """Rows of the answer: the design's name, its figures with what they may be off, and its knobs."""
    trial = found.front[0]
    space = found.space.member(trial.knobs)
    kind = structure_kind(point_design(space, trial.knobs))
    wanted = [objective.name for objective in found.objectives]
    wanted += [constraint.name for constraint in found.constraints]
    figures = trial.result.figures
    cells = []
    for name in dict.fromkeys((*wanted, *_ALWAYS)):
        if name not in figures:
            continue
        bar = error_bar(name, figures[name], kind)
        within = f" ({bar})" if bar else ""
        unit = FIGURES[name][1]
        cells.append(f"{figure_cell(figures[name])} {unit or FIGURES[name][0].lower()}{within}")
    knobs = ", ".join(f"{name} {value}" for name, value in trial.knobs.items())
    return [("best", f"{design_name(found, trial)}: {', '.join(cells)}"), ("its knobs", knobs)]
