"""``bnnsim validate``: published numbers beside the simulated ones, misses included."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import deliver, output, write_page
from bnnsim.cli.fitted_table import Column, FittedTable
from bnnsim.cli.options import SingleFileOption
from bnnsim.cli.progress import running
from bnnsim.cost.error_bars import TOOL_VERSIONS
from bnnsim.notebook.number import figure_text
from bnnsim.validation.bracket import Bracket
from bnnsim.validation.comparison import Comparison, Validation, compare_published
from bnnsim.validation.fit import FitResult, Prediction
from bnnsim.validation.trust import GROUPS, TrustCell

_QUANTITY = {
    "lut": "LUTs",
    "ff": "Flip-flops",
    "bram18": "BRAM18",
    "dsp": "DSPs",
    "power_w": "Watts",
}


def command(
    json_file: Annotated[
        str | None,
        typer.Option("--json", help="write the tables as JSON (- for stdout)", metavar="FILE"),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="write the errors, in percent, as a page", metavar="FILE.html"),
    ] = None,
    single_file: SingleFileOption = False,
    every: Annotated[
        bool, typer.Option("--all", help="print every row, and why it is off")
    ] = False,
) -> None:
    """Compare every published number with the simulation, and each cost model with what it never saw."""
    with running("validating", figure, json_file) as work:
        validation = compare_published(work.advance)
    if figure is not None:
        from bnnsim.report.comparison.agreement import agreement_info, agreement_page

        info = agreement_info(validation)
        write_page(figure, lambda is_whole: agreement_page(info, is_whole), single_file)
    deliver(validation, json_file, show_all if every else show)


def show(validation: Validation) -> None:
    """Print what may be trusted: systems x kinds of number, and how sure the models are."""
    _show_trust(validation)
    parts = []
    for evidence, what in _EVIDENCE.items():
        rows = [c for c in validation.comparisons if c.evidence == evidence]
        met, off = (sum(c.verdict == verdict for c in rows) for verdict in ("met", "off"))
        parts.append(f"{what} {met} of {met + off}")
    _sentence(f"numbers met: {', '.join(parts)}")
    columns = ("", "a design left out", "its family", "worst design", "designs", "tool alone")
    table = FittedTable(
        "The cost models on designs not seen: medians of the errors",
        [Column(name, "figure" if name else "name") for name in columns],
    )
    for fit in validation.fits:
        medians = fit.median_left_out_error, fit.median_family_left_out_error
        worst = f"{fit.worst_left_out.left_out_error:+.0%}"
        tool = f"±{TOOL_VERSIONS[fit.quantity]:.0%}" if fit.quantity in TOOL_VERSIONS else ""
        figures = (*(f"{median:.1%}" for median in medians), worst, f"{len(fit.predictions)}", tool)
        table.add(_QUANTITY[fit.quantity], *figures)
    table.show()
    _show_brackets(validation.brackets, is_whole=False)
    counts = ", ".join(f"{number} {verdict}" for verdict, number in validation.counts.items())
    _sentence(f"{len(validation.comparisons)} published (--all): {counts}")


_EVIDENCE = {
    "blind": "blind",
    "family": "family (authors of what was fitted or read off)",
    "fitted": "fitted (a coefficient or a setting is from it)",
}
_SAID = {evidence: evidence for evidence in _EVIDENCE}
_WEAKEST = ("fitted", "family", "blind", "")
_LETTERS = {"blind": "b", "family": "a", "fitted": "f"}
"""How sure a number is that is met, where there is room for a letter."""


def _show_trust(validation: Validation) -> None:
    """A line a design, a column a kind of number; where the terminal is narrow evidence is a letter."""
    cells, lines = _joined(validation.trust, _builds(validation.comparisons))
    table = _trust_table(cells, lines, _SAID)
    is_wide = table.fits()
    (table if is_wide else _trust_table(cells, lines, _LETTERS)).show()
    letters = "" if is_wide else "b blind, a family (its authors'), f fitted; "
    legend = "3/4: met of compared; +5: and 5 more builds; ?: partly a guess; no basis: not said of what"
    _sentence(letters + legend)


def _builds(comparisons: Sequence[Comparison]) -> dict[str, str]:
    """Each system and the first of its publication that the same specs simulate, changes aside."""
    first: dict[tuple[str, str, str], str] = {}
    found = {}
    for row in comparisons:
        specs = row.simulated_by.removesuffix(", changed") or row.system
        found[row.system] = first.setdefault((row.publication, specs, row.structure), row.system)
    return found


def _joined(
    cells: Sequence[TrustCell], builds: Mapping[str, str]
) -> tuple[list[TrustCell], dict[str, str]]:
    """The cells of builds of one design added up, and what each design's line is called."""
    compared = [c for c in cells if c.met + c.off + c.not_comparable]
    joined: dict[tuple[str, str], TrustCell] = {}
    names: dict[str, set[str]] = {}
    for cell in compared:
        system = builds[cell.system]
        names.setdefault(system, set()).add(cell.system)
        old = joined.get((system, cell.group))
        new = replace(cell, system=system)
        joined[system, cell.group] = new if old is None else _both(old, new)
    lines = {
        system: system + (f" +{len(group) - 1}" if len(group) > 1 else "")
        for system, group in names.items()
    }
    return list(joined.values()), lines


def _both(one: TrustCell, other: TrustCell) -> TrustCell:
    """Two cells of one design in one; the weakest evidence counts."""
    weakest = min(one.evidence, other.evidence, key=lambda said: _WEAKEST.index(said))
    return replace(
        one,
        met=one.met + other.met,
        off=one.off + other.off,
        not_comparable=one.not_comparable + other.not_comparable,
        not_simulated=one.not_simulated + other.not_simulated,
        evidence=weakest,
    )


def _trust_table(
    cells: Sequence[TrustCell], lines: Mapping[str, str], said: Mapping[str, str]
) -> FittedTable:
    columns = [Column("system", "name"), *(Column(group) for group in GROUPS)]
    table = FittedTable("What is met of what was published, and whether a fit had seen it", columns)
    compared = sorted(cells, key=lambda cell: cell.structure)  # complete before inferred
    for system in dict.fromkeys(c.system for c in compared):
        row = {c.group: c for c in compared if c.system == system}
        guess = " ?" if next(iter(row.values())).structure != "complete" else ""
        texts = [_cell_text(row[group], said) if group in row else "" for group in GROUPS]
        style = "yellow" if any(c.off for c in row.values()) else ""
        table.add(lines[system] + guess, *texts, style=style)
    return table


def _cell_text(cell: TrustCell, said: Mapping[str, str]) -> str:
    """How many of those compared are met, and what that is worth."""
    if cell.met + cell.off:
        return f"{cell.met}/{cell.met + cell.off} {said[cell.evidence]}"
    return "no basis" if cell.not_comparable else "-"


def show_all(validation: Validation) -> None:
    """Print every row: each system, the models left to themselves, the review's frame rates."""
    for name in dict.fromkeys(c.system for c in validation.comparisons):
        _show_system([c for c in validation.comparisons if c.system == name])
    for fit in validation.fits:
        _show_fit(fit)
    _show_review(validation.review)
    output.print()
    _show_brackets(validation.brackets, is_whole=True)
    _sentence("tool alone: by how much one source differs between versions of the tool that places it")
    counts = ", ".join(f"{number} {verdict}" for verdict, number in validation.counts.items())
    _sentence(f"{len(validation.comparisons)} published numbers: {counts}")


def _show_system(rows: Sequence[Comparison]) -> None:
    first = rows[0]
    by = f"simulated by {first.simulated_by}" if first.simulated_by else "not simulated"
    title = f"{first.system}: {by}\nstructure {first.structure}, {first.publication}"
    of_tools = any(row.tool_error and row.error is not None for row in rows)
    table = _numbers_table(title, "quantity", "role", of_tools)
    for row in rows:
        table.add(row.what, *_cells(row, of_tools), style="yellow" if row.verdict == "off" else "")
    table.show()
    _show_reasons(rows, "what")
    output.print()


def _numbers_table(title: str, first: str, kind: str, of_tools: bool = False) -> FittedTable:
    """``of_tools``: with what the version of the tool alone makes of an error."""
    tool = (Column("tool alone", rank=3),) if of_tools else ()
    numbers = Column("reported"), Column("simulated"), Column("error"), *tool, Column("allowed", rank=1)
    said = (Column(kind, "text", 2), Column("verdict", "text"))
    return FittedTable(title, [Column(first, "text"), *numbers, *said])


def _sentence(text: str, style: str = "") -> None:
    """A sentence in lines that fit."""
    for line in textwrap.wrap(text, output.width - 2, initial_indent="  ", subsequent_indent="    "):
        output.print(line, style=style, markup=False, soft_wrap=True)


def _cells(row: Comparison, of_tools: bool = False) -> tuple[str, ...]:
    tool = f"±{row.tool_error:.0%}" if row.tool_error and row.error is not None else ""
    return (
        _number(row.reported),
        "-" if row.simulated is None else _number(row.simulated),
        _error(row),
        *((tool,) if of_tools else ()),
        f"{row.tolerance:.2%}" if row.error is not None or row.wanted is not None else "",
        row.role,
        row.verdict,
    )


def _error(row: Comparison) -> str:
    if row.wanted is not None:
        return "no fit"
    return "" if row.error is None else f"{row.error:+.2%}"


def _number(value: float) -> str:
    """At least five significant digits, thousands marked."""
    if value >= 10_000 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.1f}" if value >= 1_000 else f"{value:.5g}"


def _show_reasons(rows: Sequence[Comparison], label: str) -> None:
    """Why rows are off, rows with the same reason together."""
    said: dict[str, list[str]] = {}
    for row in rows:
        if row.why:
            said.setdefault(row.why, []).append(getattr(row, label))
    for why, names in said.items():
        text = f"{', '.join(dict.fromkeys(names))}: {why}"
        width = min(output.width, 100)
        for line in textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="      "):
            output.print(line, style="dim", markup=False, soft_wrap=True)


def _show_brackets(brackets: Sequence[Bracket], is_whole: bool) -> None:
    """What systems of unknown structure might be, by what was reported of them; no prediction."""
    if not brackets:
        return
    if is_whole:
        title = "Where no structure is known, those that reported figures allow: no predictions"
        output.print(title, style="bold", markup=False)
        for bracket in brackets:
            _sentence(bracket.text)
        output.print()
        return
    columns = [Column("system", "name"), Column("frames/s", "text"), Column("reported")]
    table = FittedTable("What reported figures allow", columns)
    for one in brackets:
        ends = f"{one.low_fps:,.0f} to {one.high_fps:,.0f}" if one.low_fps else "none"
        table.add(one.system, ends, figure_text(one.reported_fps, 6))
    table.show()


def _show_fit(fit: FitResult) -> None:
    """One quantity of the placed designs: fitted on all, on all but the design, on strangers only."""
    table = FittedTable(
        f"{_QUANTITY[fit.quantity]} by the cost model: fitted on all designs, and without each in turn",
        [
            Column("design", "text"),
            *(Column("reported", rank=1), Column("fitted", rank=1), Column("error")),
            *(Column("left out"), Column("family left out"), Column("in fit", rank=2)),
        ],
    )
    for prediction in (*fit.predictions, *fit.other_readings, *fit.capped):
        table.add(*_fit_cells(prediction))
    medians = (fit.median_error, fit.median_left_out_error, fit.median_family_left_out_error)
    table.add("median of the errors", "", "", *(f"{median:.1%}" for median in medians), "")
    table.show()
    worst = fit.worst_left_out
    notes = [f"worst left out: {worst.design} {worst.left_out_error:+.1%}"]
    if fit.capped:
        notes.append("no fit: does not fit the device by the model, so in no median")
    if fit.other_readings:
        median = fit.median_left_out_error_of_other_readings
        notes.append(f"median left out with the other readings: {median:.1%}")
    for note in notes:
        _sentence(note, "dim")
    output.print()


def _fit_cells(prediction: Prediction) -> tuple[str, ...]:
    if prediction.is_capped:
        label = f"{prediction.design}{' (other reading)' if prediction.reading else ''}"
        numbers = (_number(prediction.reported), _number(prediction.fitted))
        return (label, *numbers, "no fit", "no fit", "no fit", "no")
    return (
        f"{prediction.design}{' (other reading)' if prediction.reading else ''}",
        _number(prediction.reported),
        _number(prediction.fitted),
        f"{prediction.error:+.1%}",
        f"{prediction.left_out_error:+.1%}",
        f"{prediction.family_left_out_error:+.1%}",
        "yes" if prediction.is_calibration else "no",
    )


def _show_review(rows: Sequence[Comparison]) -> None:
    """Frame rates of the review's eight systems."""
    title = "Frames a second of the review's eight systems"
    table = _numbers_table(title, "system", "structure")
    for row in rows:
        *numbers, _, verdict = _cells(row)
        style = "yellow" if row.verdict == "off" else ""
        table.add(row.review, *numbers, row.structure, verdict, style=style)
    table.show()
    _show_reasons(rows, "review")
