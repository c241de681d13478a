"""One design of a search in lines: figures with their error bars, knobs, what leads on from it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from bnnsim.cli.explore.figure_cells import figure_cell
from bnnsim.cli.explore.front_table import foldings, knob_text
from bnnsim.cost.error_bars import RESTS_ON
from bnnsim.exploration.report import ExplorationReport
from bnnsim.report.search.pareto import FIGURES
from bnnsim.search.space.alternatives import ALTERNATIVE
from bnnsim.search.storage.kinds import interval_of, structure_kinds
from bnnsim.search.storage.record import TrialRecord
from bnnsim.search.storage.results import (
    DESIGNS,
    design_commands,
    design_name,
    number_text,
    workload_argument,
)

Facts = list[tuple[str, str]]
_SHOWN = ("throughput_fps", "latency_us", "power_w", "lut", "bram18", "alm", "m20k", "dsp")
_FIRST = (ALTERNATIVE, "device", "clock_mhz")


def figures_text(report: ExplorationReport, trial: TrialRecord) -> str:
    """The figures that were asked for and some others, each with both ends of its error bar."""
    found = report.exploration
    figures, kinds = trial.result.figures, structure_kinds(found)
    asked = [*(o.name for o in found.objectives), *(c.name for c in found.constraints)]
    parts = []
    for name in dict.fromkeys([*asked, *(n for n in _SHOWN if figures.get(n))]):
        value = figures.get(name)
        if value is None or name == "clock_mhz":
            continue
        title, unit = FIGURES[name]
        bar = _bar(value, interval_of(trial, name, kinds)) if name in RESTS_ON else ""
        named = f"{name.partition('.')[2]} " if "." in name else ""
        named = "latency " if title == "Latency" else named
        parts.append(f"{named}{figure_cell(value)} {unit}{bar}")
    said = ", ".join(parts)
    barred = "; in brackets: within what four of five such designs lie" if " to " in said else ""
    return f"{said}{barred}"


def _bar(value: float, ends: Sequence[float]) -> str:
    """Both ends of an error bar in brackets, of a count in whole pieces; nothing where they are equal."""
    texts = [figure_cell(round(end) if float(value).is_integer() else end) for end in ends]
    return f" ({' to '.join(texts)})" if len(set(texts)) > 1 else ""


def knob_facts(report: ExplorationReport, trial: TrialRecord) -> Facts:
    """Every free knob of a design; PE and SIMD by layer."""
    space = report.exploration.space.member(trial.knobs)
    folds = {name for name, _ in space.folds}
    others = [name for name in trial.knobs if name not in (*folds, *_FIRST)]
    names = [*(name for name in _FIRST if name in trial.knobs), *others]
    facts = [("knobs", ", ".join(f"{n} {knob_text(trial.knobs[n])}" for n in names))] if names else []
    if space.folded:
        layers = ", ".join(f"{name} {pe} x {simd}" for name, pe, simd in foldings(space, trial))
        facts.append(("PE x SIMD", layers))
    return facts


def ways_on(report: ExplorationReport, trial: TrialRecord) -> Facts:
    """The design's file, the commands for its page and its Verilog, and the one that asks for a part."""
    found = report.exploration
    if report.out is None:
        return []
    space, name = found.space.member(trial.knobs), design_name(found, trial)
    path = str(report.out / DESIGNS / f"{name}.yaml")
    commands = design_commands(space, path, name)
    places = [("design", path), ("report", commands["report"])]
    if "as Verilog" in commands:
        places.append(("as Verilog", commands["as Verilog"]))
        fps = trial.result.figures["throughput_fps"]
        bounds = [c.bound for c in found.constraints if c.name == "throughput_fps" and not c.is_upper]
        clock = trial.result.figures["clock_mhz"]
        rate = number_text(max(bounds) if bounds else float(f"{fps:.3g}"))
        asked = f"--devices all --fps {rate} --clock-mhz {clock:g}"
        places.append(("which part", f"bnnsim fold {shlex.quote(workload_argument(space))} {asked}"))
    return places
