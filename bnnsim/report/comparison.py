"""Designs side by side: what differs in their specs, and what that does to each number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from bnnsim.evaluation import evaluate
from bnnsim.report.costs import RESOURCE_TEXT, CostsInfo
from bnnsim.report.design_costs import costs_info
from bnnsim.report.document import document
from bnnsim.report.engine_layers import engine_layers_info
from bnnsim.report.figure import Figure, csv_text, exact, number
from bnnsim.report.pace import pace_info
from bnnsim.simulation import Simulation, load_design, simulate
from bnnsim.spec.architecture import EngineArchitecture
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import read_architecture, read_workload
from bnnsim.spec.model import SpecModel

Better = Literal["lower", "higher"]
_TEXTS = ("name", "source", "notes", "structure")
"""Entries of a spec that say what it is, not what it does."""


@dataclass(frozen=True)
class DesignNames:
    """One design as the user named it."""

    architecture: str
    workload: str


@dataclass(frozen=True)
class Difference:
    """One spec entry with a value for each design, None where it has none."""

    key: str
    values: tuple[str | None, ...]


@dataclass(frozen=True)
class Quantity:
    """One number for each design, None where it is not known; ``better`` says which way is good."""

    name: str
    unit: str
    better: Better
    values: tuple[float | int | None, ...]

    @property
    def best(self) -> frozenset[int]:
        """Positions of the best values; empty where all are equal or fewer than two are known."""
        known = [value for value in self.values if value is not None]
        if len(known) < 2 or min(known) == max(known):
            return frozenset()
        winner = min(known) if self.better == "lower" else max(known)
        return frozenset(i for i, value in enumerate(self.values) if value == winner)

    def ratio(self, position: int) -> float | None:
        """The value against the first design's."""
        first, value = self.values[0], self.values[position]
        return None if not first or value is None else value / first


@dataclass(frozen=True)
class ComparisonInfo:
    """Two or more designs; the first is what the others are held against."""

    names: tuple[str, ...]
    differences: tuple[Difference, ...]
    quantities: tuple[Quantity, ...]
    limiting: tuple[str, ...]


def parse_designs(designs: Sequence[str], workload: str | None) -> tuple[DesignNames, ...]:
    """``ARCH:WORKLOAD``, or ``ARCH`` with the common ``workload``.

    Raises :class:`InputError` for fewer than two designs and for one without a workload.
    """
    if len(designs) < 2:
        raise InputError("compare", "two or more designs", str(len(designs)))
    parsed = []
    for text in designs:
        architecture, colon, own = text.rpartition(":")
        if colon and own and len(architecture) > 1:  # a single letter is a drive
            parsed.append(DesignNames(architecture, own))
        elif workload is not None:
            parsed.append(DesignNames(text, workload))
        else:
            raise InputError("compare", "ARCH:WORKLOAD, or --workload for all", repr(text))
    return tuple(parsed)


def comparison_info(designs: Sequence[DesignNames]) -> ComparisonInfo:
    """Evaluate every design without its bits, and gather what differs.

    Raises what :func:`bnnsim.evaluation.evaluate` raises.
    """
    judged = [_judged(names) for names in designs]
    return ComparisonInfo(
        names=_labels([design.simulation for design in judged]),
        differences=differences([design.entries for design in judged]),
        quantities=_quantities(judged),
        limiting=tuple(design.limiting for design in judged),
    )


@dataclass(frozen=True)
class _Judged:
    """One design's numbers and its flattened specs; engines have no costs yet."""

    simulation: Simulation
    costs: CostsInfo | None
    entries: dict[str, str]
    limiting: str


def _judged(names: DesignNames) -> _Judged:
    architecture = read_architecture(names.architecture)
    workload = read_workload(names.workload)
    if isinstance(architecture.spec, EngineArchitecture):
        simulation = simulate(architecture, workload, timing_only=True)
        turns = engine_layers_info(simulation).turns
        costs, limiting = None, max(turns, key=lambda turn: turn.total_cycles).layer
    else:
        evaluation = evaluate(architecture, workload, timing_only=True)
        simulation, costs = evaluation.simulation, costs_info(evaluation)
        design, _ = load_design(architecture, workload)
        limiting = ", ".join(pace_info(design, simulation).limiting)
    entries = flattened("", architecture.spec) | flattened("workload.", workload.spec)
    return _Judged(simulation, costs, entries, limiting)


def _labels(simulations: Sequence[Simulation]) -> tuple[str, ...]:
    """Short names: the architecture alone where all run the same workload, numbered where equal."""
    same = len({simulation.workload for simulation in simulations}) == 1
    names = [s.arch if same else f"{s.arch} × {s.workload}" for s in simulations]
    return tuple(
        f"{name} #{names[: i + 1].count(name)}" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    )


def flattened(prefix: str, spec: SpecModel) -> dict[str, str]:
    """A spec as ``layers.conv0.pe`` -> text, defaults filled in; lists of layers go by their names."""
    flat: dict[str, str] = {}

    def walk(key: str, value: Any) -> None:
        if isinstance(value, list) and value and all(
            isinstance(item, dict) and "name" in item for item in value
        ):
            value = {item["name"]: item for item in value}
        if isinstance(value, dict):
            for name, inner in value.items():
                if name not in _TEXTS:
                    walk(f"{key}.{name}" if key else str(name), inner)
        elif value is not None:
            flat[prefix + key] = f"{value:g}" if isinstance(value, float) else str(value)

    walk("", spec.model_dump(mode="json"))
    return flat


def differences(specs: Sequence[dict[str, str]]) -> tuple[Difference, ...]:
    """The entries that are not the same in all specs, in the order of the first spec that has them."""
    keys = dict.fromkeys(key for spec in specs for key in spec)
    found = (Difference(key, tuple(spec.get(key) for spec in specs)) for key in keys)
    return tuple(entry for entry in found if len(set(entry.values)) > 1)


def _quantities(judged: Sequence[_Judged]) -> tuple[Quantity, ...]:
    def each(name: str, unit: str, better: Better, get: Callable[[Simulation], Any]) -> Quantity:
        return Quantity(name, unit, better, tuple(get(design.simulation) for design in judged))

    quantities = [
        each("throughput", "frames/s", "higher", lambda s: s.throughput_fps),
        each("initiation interval", "cycles", "lower", lambda s: s.initiation_interval_cycles),
        each("latency", "µs", "lower", lambda s: s.latency_us),
        each("latency", "cycles", "lower", lambda s: s.latency_cycles),
        each("clock", "MHz", "higher", lambda s: s.clock_mhz),
    ]
    costs = [design.costs for design in judged]
    for name in RESOURCE_TEXT:
        values = tuple(None if cost is None else cost.totals.get(name) for cost in costs)
        if any(values):
            quantities.append(Quantity(RESOURCE_TEXT[name], "pieces", "lower", values))
    if any(cost is not None for cost in costs):
        power = tuple(None if cost is None else cost.power_w for cost in costs)
        energy = tuple(None if cost is None else cost.energy_per_frame_uj for cost in costs)
        quantities.append(Quantity("power", "W", "lower", power))
        quantities.append(Quantity("energy a frame", "µJ", "lower", energy))
    return tuple(quantities)


def comparison_html(info: ComparisonInfo) -> str:
    """The comparison as a page."""
    names = " against ".join(info.names[:2])
    more = f" and {len(info.names) - 2} more" if len(info.names) > 2 else ""
    top = (
        f'<section id="answer"><h1>{escape(names + more)}</h1><p class="subtitle">'
        f"{len(info.differences)} spec entries differ; ratios are against {escape(info.names[0])}."
        "</p></section>"
    )
    figures = [_quantities_figure(info), _differences_figure(info)]
    return document(f"{names}{more} – bnnsim", top, figures)


def _quantities_figure(info: ComparisonInfo) -> Figure:
    rows = []
    for quantity in info.quantities:
        best = quantity.best
        cells = []
        for i, value in enumerate(quantity.values):
            ratio = quantity.ratio(i) if i else None
            against = "" if ratio is None else f' <small class="muted">× {ratio:.4g}</small>'
            css = ' class="better"' if i in best else ""
            cells.append(f"<td{css}>{exact(value, number(value, 5))}{against}</td>")
        rows.append(f"<tr><td>{escape(quantity.name)} [{quantity.unit}]</td>{''.join(cells)}</tr>")
    limits = "".join(f'<td class="text">{escape(names)}</td>' for names in info.limiting)
    rows.append(f"<tr><td>sets the pace</td>{limits}</tr>")
    csv = csv_text(
        ("quantity", "unit", *info.names),
        [(q.name, q.unit, *("" if v is None else v for v in q.values)) for q in info.quantities],
    )
    note = "The best of each row is green."
    return Figure("numbers", "What it does to each number", note, _table(info, "", rows), csv)


def _differences_figure(info: ComparisonInfo) -> Figure:
    rows = []
    for entry in info.differences:
        cells = "".join(
            f'<td{" class=changed" if i and value != entry.values[0] else ""}>'
            f"{escape(value) if value is not None else '–'}</td>"
            for i, value in enumerate(entry.values)
        )
        rows.append(f"<tr><td><code>{escape(entry.key)}</code></td>{cells}</tr>")
    csv = csv_text(
        ("entry", *info.names),
        [(e.key, *("" if v is None else v for v in e.values)) for e in info.differences],
    )
    note = "Entries of the specs, defaults filled in, that are not the same in all designs."
    return Figure("differences", "What differs in the spec", note, _table(info, "entry", rows), csv)


def _table(info: ComparisonInfo, first: str, rows: Sequence[str]) -> str:
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in (first, *info.names))
    return (
        f'<div class="table" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
