"""The best designs of a front as a table: figures, then the free knobs that differ among them."""

from __future__ import annotations

from collections.abc import Sequence

from bnnsim.cli.explore.figure_cells import figure_cell, figure_heading
from bnnsim.cli.fitted_table import Column, FittedTable
from bnnsim.exploration.report import ExplorationReport
from bnnsim.search.front.importance import knob_importance
from bnnsim.search.space.alternatives import ALTERNATIVE, Alternatives
from bnnsim.search.space.space import Space
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.search.storage.results import design_name

SHOWN = 12
_FIGURES = {"throughput_fps": 3, "power_w": 3, "lut": 3, "bram18": 4, "clock_mhz": 2}
"""Figures beside the objectives, each with its rank: the highest is left out first."""
_VERDICT_RANK, _DEVICE_RANK, _SIZE_RANK, _KNOB_RANK = 1, 2, 5, 6
_VERDICTS = {True: "yes", False: "NO", None: "not run"}


def front_table(report: ExplorationReport) -> FittedTable:
    """At most ``SHOWN`` designs, evenly over the front, best in the first objective first."""
    found = report.exploration
    front, last = found.front, len(found.front) - 1
    picks = sorted({round(i * last / (SHOWN - 1)) for i in range(SHOWN)}) if last else [0]
    shown = [front[i] for i in picks]
    columns = _columns(report, shown)
    more = "" if len(shown) == len(front) else f", {len(shown)} of {len(front)}"
    table = FittedTable(f"Designs that nothing beats{more}", [column for column, _ in columns])
    for cells in zip(*(cells for _, cells in columns), strict=True):
        table.add(*cells)
    return table


def _columns(report: ExplorationReport, shown: Sequence[TrialRecord]) -> list[tuple[Column, list[str]]]:
    found = report.exploration
    several = isinstance(found.space, Alternatives)
    # Beside its alternative there is room for a design's number only.
    names = [trial.id if several else design_name(found, trial) for trial in shown]
    columns = [(Column("design", "name"), names)]
    if several:
        columns.append((Column("alternative", "name"), [_text(t, ALTERNATIVE) for t in shown]))
    ranks = dict.fromkeys([objective.name for objective in found.objectives], 0)
    ranks |= {n: r for n, r in _FIGURES.items() if n not in ranks and n in shown[0].result.figures}
    for name, rank in ranks.items():
        cells = [figure_cell(trial.result.figures.get(name)) for trial in shown]
        columns.append((Column(figure_heading(name), "figure", rank), cells))
    checks = {v.id: v.is_exact for v in report.verifications}
    verdicts = [_VERDICTS[checks.get(trial.id)] for trial in shown]
    columns.append((Column("bit-exact", "figure", _VERDICT_RANK), verdicts))
    sizes = [macs_a_cycle(found, trial) for trial in shown]
    if len(set(sizes)) > 1:
        cells = ["-" if size is None else f"{size:,}" for size in sizes]
        columns.append((Column("MAC\na cycle", "figure", _SIZE_RANK), cells))
    for place, name in enumerate(telling_knobs(found, shown)):
        rank = _DEVICE_RANK if name == "device" else _KNOB_RANK + place
        columns.append((Column(_heading(name), "figure", rank), [_text(t, name) for t in shown]))
    return columns


def telling_knobs(found: Exploration, shown: Sequence[TrialRecord]) -> list[str]:
    """Knobs that differ among designs, what moves the objectives most first, the device before all.

    Without those that a column shows anyway: the clock, the alternative, PE and SIMD of single layers.
    """
    members = {m.name: m for m in (found.space.member(trial.knobs) for trial in shown)}
    folds = {name for member in members.values() for name, _ in member.folds}
    skipped = {ALTERNATIVE, "clock_mhz", *folds}
    ordered = [one.knob for one in knob_importance(found) if one.knob not in skipped]
    varied = [n for n in ordered if len({t.knobs.get(n) for t in shown}) > 1]
    return sorted(varied, key=lambda name: name != "device")


def macs_a_cycle(found: Exploration, trial: TrialRecord) -> int | None:
    """PE times SIMD, over all layers of a pipeline; None for an engine."""
    space = found.space.member(trial.knobs)
    if not space.folded:
        return None
    return sum(pe * simd for _, pe, simd in foldings(space, trial))


def foldings(space: Space, trial: TrialRecord) -> list[tuple[str, int, int]]:
    """The layers of a pipeline that fold, each with its PE and SIMD."""
    layers = space.point_data(trial.knobs, space.name)["layers"]
    return [
        (name, int(layer["pe"]), int(layer["simd"]))
        for name, layer in layers.items()
        if isinstance(layer, dict) and "pe" in layer and "simd" in layer
    ]


def _text(trial: TrialRecord, knob: str) -> str:
    value = trial.knobs.get(knob)
    return "-" if value is None else knob_text(value)


def knob_text(value: object) -> str:
    """A knob's value as YAML has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _heading(knob: str) -> str:
    """A knob's name, a word a line."""
    short = knob.removeprefix("layers.").removeprefix("defaults.")
    return short.replace(".", "\n").replace("_", "\n")
