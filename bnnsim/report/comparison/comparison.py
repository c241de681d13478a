"""Designs side by side: what differs in their specs, and what that does to each number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from bnnsim.evaluation import Evaluation, evaluate_design
from bnnsim.files.schema_version import versioned
from bnnsim.notebook.picture import Picture, Series
from bnnsim.notebook.table import Row, Table
from bnnsim.report.comparison.spec_differences import (
    Difference,
    Entries,
    differences,
    flattened,
    grouped,
)
from bnnsim.report.figures.costs import RESOURCE_TEXT, CostsInfo
from bnnsim.report.figures.design_costs import costs_info
from bnnsim.simulation import RunOptions, Simulation, TimingOnly, load_design
from bnnsim.spec.faults import InputError
from bnnsim.validation.certainty import leaders, needed_lead, probability_ahead

Better = Literal["lower", "higher"]


@dataclass(frozen=True)
class DesignNames:
    """One design as the user named it."""

    architecture: str
    workload: str


@dataclass(frozen=True)
class Quantity:
    """One number for each design, None where it is not known."""

    name: str
    """What the number is, in words."""
    unit: str
    """Its unit."""
    better: Better | None
    """Which way is good, lower or higher; null where neither is."""
    values: tuple[float | int | None, ...]
    """The number of each design, in the order of `names`; an entry is null where it is not known."""
    basis: str = ""
    """What the number covers and rests on; empty where that is plain."""

    error: float = 0.0
    """By what share a design must be ahead to lead with nine chances in ten, by the error of the model
    behind the number on published designs that it had not seen; 0 where it is counted."""
    leaders: tuple[int, ...] = ()
    """Positions of the designs that are best, or no further from it than `error`; empty where all are
    equal, and never with a design that is infeasible."""
    sureness: tuple[float | None, ...] = ()
    """How likely each design is better than the first, by the models' errors; an entry is null where its
    number or the first's is not known, and all are missing where neither way is good."""
    shares: tuple[float | None, ...] = ()
    """What each design takes of its device's, as a share; an entry is null where the device has none or
    the number is no resource."""

    @property
    def is_tie(self) -> bool:
        """Whether several lead that differ."""
        return len({self.values[i] for i in self.leaders}) > 1

    @property
    def best(self) -> frozenset[int]:
        """The leaders, where somebody is behind them."""
        known = sum(value is not None for value in self.values)
        return frozenset(self.leaders) if len(self.leaders) < known else frozenset()

    def ratio(self, position: int) -> float | None:
        """The value against the first design's."""
        first, value = self.values[0], self.values[position]
        return None if not first or value is None else value / first


@dataclass(frozen=True, repr=False)
class ComparisonInfo(Table):
    """Two or more designs; the first is what the others are held against. Rows are quantities.

    Example:
        >>> from bnnsim import compare
        >>> info = compare("digits-7z020:digits", "acce-bnn:binarynet")
        >>> info.names
        ('digits-7z020 × digits', 'acce-bnn × binarynet')
    """

    names: tuple[str, ...]
    """Short names of the designs, in the order given; × and the workload where these differ."""
    differences: tuple[Difference, ...]
    """All entries of the specs that differ."""
    parts: tuple[Difference, ...]
    """The same, with a part that a design lacks as a whole as one row."""
    quantities: tuple[Quantity, ...]
    """What the differences do to each number."""
    limiting: tuple[str, ...]
    """What limits each design: units, all that do, or FIFOs."""
    feasible: tuple[bool, ...]
    """Whether each design keeps its budget; one that does not leads nobody."""
    obstacles: tuple[str, ...]
    """What each design takes too much of, as shares of what it may; empty where it is feasible."""
    remarks: tuple[str, ...]
    """What of each design is beyond any device, or does not fit though constants could move; mostly
    empty."""
    outside: tuple[tuple[str, ...], ...]
    """What each engine neither brings nor keeps, with the reason: no figure contains it."""

    def __repr__(self) -> str:
        return f"<ComparisonInfo {', '.join(self.names)}: {len(self.differences)} entries differ>"

    def rows(self) -> list[Row]:
        """One row a quantity, with a column for each design."""
        return [
            {"quantity": quantity.name, "unit": quantity.unit, "error": quantity.error}
            | dict(zip(self.names, quantity.values, strict=True))
            for quantity in self.quantities
        ]

    def picture(self) -> Picture:
        """Each quantity against the first design's."""
        names = tuple(quantity.name for quantity in self.quantities)
        series = tuple(
            Series(name, names, tuple(quantity.ratio(place) for quantity in self.quantities))
            for place, name in enumerate(self.names)
        )
        title = f"Against {self.names[0]}"
        return Picture(title, "quantity", "ratio to the first design", series, "points")

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, under the same names (docs/json.md)."""
        return versioned(asdict(self))


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

    Raises what :func:`bnnsim.evaluation` raises.
    """
    judged = [_judged(names) for names in designs]
    specs = [design.entries for design in judged]
    return ComparisonInfo(
        names=_labels([design.simulation for design in judged]),
        differences=differences(specs),
        parts=grouped(specs),
        quantities=_quantities(judged),
        limiting=tuple(design.limiting for design in judged),
        feasible=tuple(design.evaluation.feasible for design in judged),
        obstacles=tuple(_obstacle(design.evaluation) for design in judged),
        remarks=tuple(_remark(design.evaluation) for design in judged),
        outside=tuple(design.simulation.outside for design in judged),
    )


def _obstacle(evaluation: Evaluation) -> str:
    return ", ".join(
        f"{RESOURCE_TEXT.get(v.name, 'power')} {v.used / v.allowed:,.0%}"
        if v.allowed
        else f"{RESOURCE_TEXT.get(v.name, 'power')} {v.used:,} of none"
        for v in evaluation.violations
    )


def _remark(evaluation: Evaluation) -> str:
    said = [evaluation.remark] if evaluation.remark else []
    return "; ".join((*said, *map(str, evaluation.resources.capped)))


@dataclass(frozen=True)
class _Judged:
    """One design's numbers and its flattened specs."""

    evaluation: Evaluation
    costs: CostsInfo
    entries: Entries
    limiting: str

    @property
    def simulation(self) -> Simulation:
        return self.evaluation.simulation


def _judged(names: DesignNames) -> _Judged:
    design, _ = load_design(names.architecture, names.workload)
    evaluation = evaluate_design(design, TimingOnly(), RunOptions(timing_only=True))
    simulation = evaluation.simulation
    limiting = simulation.bottleneck.what_limits if simulation.bottleneck else "not known"
    workload = design.network.workload
    entries = flattened("", design.architecture) | flattened("workload.", workload)
    return _Judged(evaluation, costs_info(evaluation), entries, limiting)


def _labels(simulations: Sequence[Simulation]) -> tuple[str, ...]:
    """Short names: the architecture alone where all run the same workload, numbered where equal."""
    same = len({simulation.workload for simulation in simulations}) == 1
    names = [s.arch if same else f"{s.arch} × {s.workload}" for s in simulations]
    return tuple(
        f"{name} #{names[: i + 1].count(name)}" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    )


def _quantities(judged: Sequence[_Judged]) -> tuple[Quantity, ...]:
    def each(name: str, unit: str, better: Better | None, get: Callable[[Simulation], Any]) -> Quantity:
        values = tuple(get(design.simulation) for design in judged)
        return _ranked(judged, Quantity(name, unit, better, values))

    quantities = [
        each("throughput", "frames/s", "higher", lambda s: s.throughput_fps),
        each("initiation interval", "cycles", "lower", lambda s: s.initiation_interval_cycles),
        each("latency", "µs", "lower", lambda s: s.latency_us),
        each("latency", "cycles", "lower", lambda s: s.latency_cycles),
        each("clock", "MHz", None, lambda s: s.clock_mhz),  # a means, not an end
    ]
    costs = [design.costs for design in judged]
    kinds = list(dict.fromkeys(design.evaluation.structure_kind for design in judged))
    pairs = [(kind, other) for kind in kinds for other in kinds]

    def lead(name: str) -> float:
        """What the least alike of the designs need."""
        return max(needed_lead(name, *pair) for pair in pairs)

    for name in RESOURCE_TEXT:
        # A device without a resource, with neither use nor budget, is no better for it.
        values = tuple(cost.totals[name] if name in cost.shown else None for cost in costs)
        if any(values):
            shares = tuple(d.evaluation.resources.utilisation.get(name) for d in judged)
            quantity = Quantity(RESOURCE_TEXT[name], "pieces", "lower", values, "", lead(name))
            quantities.append(_ranked(judged, replace(quantity, shares=shares), name))
    basis = " / ".join(dict.fromkeys(cost.power_basis for cost in costs))
    power = tuple(cost.power_w for cost in costs)
    energy = tuple(cost.energy_per_frame_uj for cost in costs)
    for quantity in (
        Quantity("power", "W", "lower", power, basis, lead("power_w")),
        Quantity("energy a frame", "µJ", "lower", energy, basis, lead("energy_per_frame_uj")),
    ):
        quantities.append(_ranked(judged, quantity, "power_w"))
    return tuple(quantities)


def _ranked(judged: Sequence[_Judged], quantity: Quantity, resource: str = "") -> Quantity:
    """The quantity with its leaders: feasible designs."""
    if quantity.better is None:
        return quantity
    may_lead = [d.evaluation.feasible for d in judged]
    found = leaders(quantity.values, quantity.better == "higher", quantity.error, may_lead)
    first, maximises = judged[0].evaluation.structure_kind, quantity.better == "higher"
    start = quantity.values[0]
    sure = tuple(
        None
        if value is None or start is None
        else probability_ahead(
            resource, value, start, maximises, (design.evaluation.structure_kind, first)
        )
        for value, design in zip(quantity.values, judged, strict=True)
    )
    return replace(quantity, leaders=tuple(sorted(found)), sureness=sure)
