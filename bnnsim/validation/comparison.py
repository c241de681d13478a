"""Every published number beside what this tool says of it, and why they differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from bnnsim.cost.error_bars import TOOL_VERSIONS, error_bar, structure_kind
from bnnsim.cost.usage import Capped
from bnnsim.files.schema_version import versioned
from bnnsim.notebook.picture import Picture, Series
from bnnsim.notebook.table import Row, Table
from bnnsim.validation.bracket import SMALL_COUNT, Bracket, find_bracket
from bnnsim.validation.fit import FitResult, fit_all
from bnnsim.validation.published import PublishedRow, Result, load_published_rows
from bnnsim.validation.simulated import SystemValues
from bnnsim.validation.systems import SimulatedSystem, simulated_systems
from bnnsim.validation.trust import Evidence, TrustCell, evidence_of, group_of, trust_cells, trust_json

Verdict = Literal["met", "off", "not comparable", "not simulated"]
Progress = Callable[[int, int], None]
WORTH_A_WORD = 0.02
"""A number that is met says why it is not exact from this error on."""


@dataclass(frozen=True)
class Comparison:
    """One published number beside the simulated one (docs/json.md)."""

    system: str
    """The published accelerator."""
    publication: str
    """The publication's short name: first author, venue, year."""
    citation: str
    """The publication in full."""
    simulated_by: str
    """The shipped architecture and workload that simulate it; empty where none do."""
    review: str
    """The system's name in the review whose table is compared; empty for others."""
    quantity: str
    """What was reported, under its name in the other JSON where it has one."""
    what: str
    """The quantity with what it is of: a layer, so many frames, a part of the power."""
    unit: str
    """The unit of both numbers."""
    reported: float
    """The published number."""
    simulated: float | None
    """This tool's; null where it has none."""
    wanted: float | None
    """What the model wants and the device does not have, `simulated` being no prediction; null where the
    device does not cap it."""
    tolerance: float
    """Allowed relative difference of the two."""
    structure: str
    """complete where neither the publication nor the spec leaves anything to guess, else inferred."""
    role: str
    """calibration where a coefficient was fitted or a setting chosen by the number, else validation."""
    basis: str
    """What was measured or computed."""
    where: str
    """Where the number stands: table, figure, file, page."""
    why: str
    """Why the two differ, or why there is nothing to compare; empty where they hardly do."""
    verdict: Verdict
    """met within the tolerance (of DSPs also within 4), off (what does not fit too), not
    comparable or not simulated."""
    group: str
    """The kind of number: cycles, logic, registers, memory, DSP, power or other."""
    evidence: str
    """fitted where a coefficient was fitted on the number, family where on one of its kind by the same
    authors or where `read_off` says something, else blind."""
    read_off: str
    """Parts whose coefficients were read off this system's reports of the kind; mostly empty."""
    low: float | None
    """The lower end of the interval in which four of five such designs lie; null for what is exact, and
    where there is no prediction."""
    high: float | None
    """Its upper end; null where `low` is."""
    tool_error: float | None
    """So much of the error the version of the tool may be, as a share, up or down; null where nothing is
    known of it."""

    @property
    def error(self) -> float | None:
        """`simulated` / `reported` - 1; null where there is nothing to compare, and where the model
        does not fit the device, which what was placed had to."""
        if self.wanted is not None:
            return None
        if self.simulated is None or self.verdict == "not comparable" or not self.reported:
            return None
        return self.simulated / self.reported - 1

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "error": self.error}


@dataclass(frozen=True, repr=False)
class Validation(Table):
    """All comparisons, and the fits with each design left out in turn. Rows are published numbers.

    Example:
        >>> from bnnsim import validate
        >>> sum(validate().counts.values()) == len(validate().rows())
        True
    """

    comparisons: tuple[Comparison, ...]
    fits: tuple[FitResult, ...]
    brackets: tuple[Bracket, ...] = ()
    """Structures that reported figures allow, of systems whose structure is not known."""

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items())
        return f"<Validation: {counts}>"

    def rows(self) -> list[Row]:
        """One row a published number, beside the simulated one."""
        return [comparison.to_json() for comparison in self.comparisons]

    def picture(self) -> Picture:
        """The errors of all numbers that can be compared, a series for each kind."""
        kinds: dict[str, list[tuple[str, float]]] = {}
        for entry in self.comparisons:
            if entry.error is not None:
                kinds.setdefault(entry.group, []).append((entry.system, 100 * entry.error))
        series = tuple(
            Series(kind, tuple(x for x, _ in points), tuple(y for _, y in points))
            for kind, points in kinds.items()
        )
        return Picture("Simulated against published", "system", "error (%)", series, "points")

    @cached_property
    def review(self) -> tuple[Comparison, ...]:
        """Frame rates of the systems in the review's table, slowest first."""
        rows = [c for c in self.comparisons if c.review and c.quantity == "throughput_fps"]
        return tuple(sorted(rows, key=lambda c: (c.reported, c.review)))

    @cached_property
    def trust(self) -> tuple[TrustCell, ...]:
        """Systems x kinds of number: what is met, what is off."""
        return trust_cells(self.comparisons)

    @cached_property
    def counts(self) -> dict[Verdict, int]:
        """How many rows there are of each verdict."""
        counts: dict[Verdict, int] = {"met": 0, "off": 0, "not comparable": 0, "not simulated": 0}
        for comparison in self.comparisons:
            counts[comparison.verdict] += 1
        return counts

    def to_json(self) -> dict[str, Any]:
        """The tables as plain data."""
        return versioned(
            {
                "rows": [c.to_json() for c in self.comparisons],
                "review": [c.to_json() for c in self.review],
                "counts": dict(self.counts),
                "trust": trust_json(self.trust),
                "brackets": [asdict(bracket) for bracket in self.brackets],
                "leave_one_out": [_fit_json(fit) for fit in self.fits],
            }
        )


def compare_published(progress: Progress | None = None) -> Validation:
    """Compare every shipped published number with the simulation of its system."""
    systems = simulated_systems()
    values = {name: SystemValues(entry) for name, entry in systems.items()}
    rows = load_published_rows()
    comparisons = []
    for number, (row, evidence) in enumerate(zip(rows, evidence_of(rows), strict=True)):
        comparisons.append(compare(row, values.get(row.system.name), evidence))
        if progress is not None:
            progress(number + 1, len(rows))
    brackets = (find_bracket(entry) for entry in systems.values())
    return Validation(tuple(comparisons), fit_all(), tuple(b for b in brackets if b is not None))


def compare(
    row: PublishedRow, values: SystemValues | None, evidence: Evidence = "blind"
) -> Comparison:
    """One published number with its simulated counterpart."""
    result = row.result
    simulated = None
    if values is not None and result.not_simulated is None:
        simulated = values.value(result)
    asked = result.is_of_synthesis
    capped = values.resources.capped_of(result.quantity) if values and simulated and not asked else None
    verdict = "off" if capped else _verdict(row, simulated)
    structure = values.entry.structure if values else row.system.structure
    ends: tuple[float | None, float | None] = (None, None)
    if values is not None and simulated is not None and capped is None:
        bar = error_bar(resource_of(result.quantity), simulated, structure_kind(values.design))
        ends = ends if bar is None else (bar.low, bar.high)
    return Comparison(
        system=row.system.name,
        publication=row.publication,
        citation=row.citation,
        simulated_by=_specs(values.entry) if values else "",
        review=row.system.review or "",
        quantity=result.quantity,
        what=_what(result),
        unit=result.unit,
        reported=result.value,
        simulated=simulated,
        wanted=capped.wanted if capped else None,
        tolerance=result.tolerance,
        structure=structure,
        role=result.role,
        basis=result.basis,
        where=result.where,
        why=_why(row, simulated, structure, verdict, capped),
        verdict=verdict,
        group=group_of(result.quantity),
        evidence=evidence,
        read_off=_read_off(row),
        low=ends[0],
        high=ends[1],
        tool_error=TOOL_VERSIONS.get(resource_of(result.quantity)),
    )


def resource_of(quantity: str) -> str:
    """The resource whose models give a quantity."""
    return "lut" if quantity == "lut_logic" else quantity


def _read_off(row: PublishedRow) -> str:
    group = group_of(row.result.quantity)
    return next((text for kind, text in row.system.read_off.items() if kind == group), "")


def _specs(entry: SimulatedSystem) -> str:
    changed = entry.system.simulated_by is not None and entry.system.simulated_by.changes
    architecture, workload = entry.architecture.spec.name, entry.workload.spec.name
    return f"{architecture} x {workload}{', changed' if changed else ''}"


def _what(result: Result) -> str:
    """The quantity with what it is of."""
    name = result.quantity.replace("initiation_interval", "interval")
    of = [result.layer] if result.layer else []
    if result.frames is not None and result.quantity == "cycles_total":
        of.append(f"{result.frames:,} frame{'s' if result.frames > 1 else ''}")
    if result.quantity == "power_w":
        of.append(result.basis.replace("_", " "))
    if result.reading is not None:
        of.append("other reading")
    return name + (f" ({', '.join(of)})" if of else "")


def _verdict(row: PublishedRow, simulated: float | None) -> Verdict:
    result = row.result
    if simulated is None:
        return "not simulated"
    if result.quantity == "power_w" and not row.is_comparable_power:
        return "not comparable"
    difference = abs(simulated - result.value)
    few = SMALL_COUNT if result.quantity == "dsp" else 0
    return "met" if difference <= max(result.tolerance * result.value, few) else "off"


def _why(
    row: PublishedRow,
    simulated: float | None,
    structure: str,
    verdict: Verdict,
    capped: Capped | None,
) -> str:
    result, system = row.result, row.system
    if capped is not None:
        why = f"does not fit by the model: {capped.wanted} wanted, what was placed had to fit"
        return f"{why}; {result.explanation}" if result.explanation else why
    if verdict == "not simulated":
        said = result.not_simulated or system.not_simulated
        return said or "the specs of this system have no such number"
    if verdict == "not comparable":
        return "what was measured is not stated; the simulated watts are the chip's, no error is given"
    assert simulated is not None
    if result.explanation is not None:
        return result.explanation
    error = abs(simulated / result.value - 1) if result.value else 0.0
    if verdict == "off":
        cause = "the cause is not known" if structure == "complete" else "part of it is a guess"
        return f"outside the tolerance, {cause}: {result.reason}"
    return result.reason if error >= WORTH_A_WORD else ""


def _fit_json(fit: FitResult) -> dict[str, Any]:
    return {
        "quantity": fit.quantity,
        "coefficients": dict(fit.coefficients),
        "median_error": fit.median_error,
        "median_left_out_error": fit.median_left_out_error,
        "median_family_left_out_error": fit.median_family_left_out_error,
        "median_left_out_error_of_other_readings": fit.median_left_out_error_of_other_readings,
        "worst_left_out": fit.worst_left_out.design,
        "worst_left_out_error": fit.worst_left_out.left_out_error,
        "rows": [
            asdict(p)
            | {
                "error": p.error,
                "left_out_error": p.left_out_error,
                "family_left_out_error": p.family_left_out_error,
            }
            for p in (*fit.predictions, *fit.other_readings, *fit.capped)
        ],
    }
