"""Resources and energy of a design as the report shows them, and against the budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from bnnsim.cost.error_bars import ErrorBar
from bnnsim.report.figures.figure import Figure, csv_text, embedded, exact, number

RESOURCE_TEXT = {
    "lut": "LUT",
    "lutram": "LUTRAM",
    "ff": "FF",
    "bram18": "BRAM18",
    "uram": "URAM",
    "dsp": "DSP",
    "alm": "ALM",
    "m20k": "M20K",
}


@dataclass(frozen=True)
class UnitCost:
    """One unit, memory or fixed block: ``resources`` by name in pieces, energy of one frame."""

    name: str
    resources: Mapping[str, float]
    energy_uj: float | None = None


@dataclass(frozen=True)
class CostsInfo:
    """Totals by resource, the budget they stand against, and where they come from.

    ``power_basis`` says what the power covers, ``energy_basis`` how the activity was found.
    """

    totals: Mapping[str, float]
    budget: Mapping[str, float]
    power_w: float | None
    power_basis: str
    energy_per_frame_uj: float | None
    violations: tuple[str, ...]
    units: tuple[UnitCost, ...]
    capped: Mapping[str, str] = field(default_factory=dict)
    """Resources that do not fit while constants could move to LUTs: what is said of each."""
    bars: Mapping[str, ErrorBar] = field(default_factory=dict)
    """Within what each resource and ``power_w`` lies; none of a figure that is exact."""

    @property
    def shown(self) -> tuple[str, ...]:
        """The resources worth a bar: used or with a budget above zero."""
        return tuple(
            name
            for name in RESOURCE_TEXT
            if self.totals.get(name) or (name in self.totals and self.budget.get(name))
        )


def budget_bars(info: CostsInfo) -> str:
    """Each resource against what the design may use, as bars."""
    rows = []
    for name in info.shown:
        used = info.totals[name]
        limit = info.budget.get(name)
        share = used / limit if limit else None
        over = share is not None and share > 1
        width = 0 if share is None else min(100.0, 100 * share)
        of = f" of {exact(limit)}" if limit else ""
        percent = "" if share is None else f"{share:.0%}"
        flag = '<em class="flag">over budget</em>' if over else ""
        bar = info.bars.get(name)
        ends = f"{exact(bar.low)} to {exact(bar.high)}" if bar else ""
        within = f' <small class="muted">{ends}</small>' if ends else ""
        rows.append(
            f'<li class="{"over" if over else ""}"><span>{RESOURCE_TEXT[name]}</span>'
            f'<span class="meter" role="img" aria-label="{RESOURCE_TEXT[name]}: {number(used)}'
            f'{f" of {number(limit)}" if limit else ""}, {percent}"><i style="width:{width:.2f}%"></i>'
            f"{_whisker(bar, limit)}"
            f'</span><span class="amount">{exact(used)}{within}{of} <b>{percent}</b>{flag}</span></li>'
        )
    csv = csv_text(
        ("resource", "used", "budget", "low", "high", "share_within"),
        [
            (name, info.totals[name], info.budget.get(name, ""), *_ends(info.bars.get(name)))
            for name in info.shown
        ],
    )
    notes = "".join(f'<p class="note">{escape(text)}.</p>' for text in info.capped.values())
    notes += _how_sure(info)
    return f'<ul class="budget">{"".join(rows)}</ul>{notes}{embedded("budget-csv", "text/csv", csv)}'


def _ends(bar: ErrorBar | None) -> tuple[object, ...]:
    return ("", "", "") if bar is None else (bar.low, bar.high, bar.share)


def _whisker(bar: ErrorBar | None, limit: float | None) -> str:
    """The interval over a resource's bar, cut where the budget ends."""
    if bar is None or not limit:
        return ""
    left, right = (min(100.0, 100 * end / limit) for end in (bar.low, bar.high))
    return f'<u style="left:{left:.2f}%;width:{right - left:.2f}%"></u>'


def _how_sure(info: CostsInfo) -> str:
    """What the intervals say, and which rest on no design of the kind."""
    if not info.bars:
        return ""
    share = next(iter(info.bars.values())).share
    text = f"Thin lines: {share:.0%} of such designs lie within, by published designs of other authors"
    notes = {bar.note for bar in info.bars.values() if bar.note}
    return f'<p class="note">{escape("; ".join((text, *sorted(notes))))}.</p>'


def costs_figure(info: CostsInfo) -> Figure:
    """What each unit takes of every resource, and of the energy; one is chosen at a time."""
    names = [name for name in info.shown if any(unit.resources.get(name) for unit in info.units)]
    has_energy = any(unit.energy_uj is not None for unit in info.units)
    keys = [*names, *(["energy_uj"] if has_energy else [])]
    labels = {**RESOURCE_TEXT, "energy_uj": "Energy a frame"}
    data = {
        "keys": keys,
        "labels": [labels[key] for key in keys],
        "units": ["µJ" if key == "energy_uj" else "pieces" for key in keys],
        "rows": [
            {"name": unit.name, "values": [_value(unit, key) for key in keys]} for unit in info.units
        ],
    }
    tabs = "".join(
        f'<button type="button" data-key="{i}" aria-pressed="{"true" if i == 0 else "false"}">'
        f"{escape(labels[key])}</button>"
        for i, key in enumerate(keys)
    )
    csv = csv_text(("unit", *keys), [(u.name, *(_value(u, key) for key in keys)) for u in info.units])
    note = "What each unit takes, largest first."
    if info.power_basis:
        note += f" Power and energy: {escape(info.power_basis)}."
    body = (
        f'<div class="controls" role="group" aria-label="Resource">{tabs}</div>'
        '<ul class="bars costs"></ul>'
        '<button type="button" class="more" aria-expanded="false"></button>'
    )
    return Figure("costs", "Resources and energy", note, body, csv, data=data, script="costs")


def _value(unit: UnitCost, key: str) -> float:
    return unit.energy_uj or 0.0 if key == "energy_uj" else unit.resources.get(key, 0)
