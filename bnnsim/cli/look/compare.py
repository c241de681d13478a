"""``bnnsim compare``: designs side by side, in the terminal and as a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bnnsim.cli.console import deliver, output, write_whole
from bnnsim.cli.fitted_table import LEAST_NAME, Column, FittedTable, shortened_name
from bnnsim.cli.progress import running

if TYPE_CHECKING:
    from bnnsim.report.comparison.comparison import ComparisonInfo

MOST_ROWS = 40
VALUE_CHARACTERS = 40
NUMBER = re.compile(r"[-+0-9.,eE%]+")
LEGEND = (
    "Percentages are of the device. ± is by how much a design must be ahead to be better with nine "
    "chances in ten, by published designs that the model had not seen: closer ones tie (≈). Behind a "
    "ratio stands how likely the design is better than the first. Who exceeds a budget leads nobody."
)


def command(
    designs: Annotated[
        list[str], typer.Argument(help="two or more: ARCH:WORKLOAD, or ARCH with --workload")
    ],
    workload: Annotated[
        str | None,
        typer.Option(help="the workload of all designs that name none", metavar="WORKLOAD"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="write the comparison as a page too", metavar="FILE.html")
    ] = None,
    json_file: Annotated[
        str | None, typer.Option("--json", help="write it as JSON (- for stdout)", metavar="FILE")
    ] = None,
) -> None:
    """Compare designs: what differs in the spec, and what it does to each number."""
    from bnnsim.report.comparison.comparison import comparison_info, parse_designs
    from bnnsim.report.comparison.page import comparison_html

    with running("comparing", out, json_file):
        info = comparison_info(parse_designs(designs, workload))
    if out is not None:
        write_whole(out, comparison_html(info))
    deliver(info, json_file, _show)


def _show(info: ComparisonInfo) -> None:
    if info.parts:
        _show_differences(info)
        left_out = len(info.parts) - MOST_ROWS
        if left_out > 0:
            output.print(f"… and {left_out:,} more: --json or --out has all of them", markup=False)
        output.print()
    _show_side_by_side(len(info.names), lambda designs: _numbers_table(info, designs))
    _show_what_limits(info)
    output.print()
    output.print(LEGEND, markup=False)


def _show_differences(info: ComparisonInfo) -> None:
    """First what all designs have, then what some lack; at most ``MOST_ROWS``."""
    rows = sorted(info.parts, key=lambda entry: not entry.is_complete)[:MOST_ROWS]

    def table(designs: Sequence[int]) -> FittedTable:
        columns = [Column("entry", "name"), *(Column(info.names[i]) for i in designs)]
        found = FittedTable("What differs in the spec", columns)
        for entry in rows:
            found.add(entry.key, *(_shortened(entry.values[i]) for i in designs))
        return found

    _show_side_by_side(len(info.names), table)


def _show_side_by_side(designs: int, table: Callable[[Sequence[int]], FittedTable]) -> None:
    """A table of all designs, or several where they have no room beside each other."""
    group: list[int] = []
    for i in range(designs):
        if group and not table([*group, i]).fits():
            table(group).show()
            group = []
        group.append(i)
    table(group).show()


def _shortened(value: str | None) -> str:
    """A value whole where it is a number, else as much of it as two have room beside each other."""
    if value is None:
        return "–"
    room = max(LEAST_NAME, (output.width - 2 * LEAST_NAME) // 2)
    return value if NUMBER.fullmatch(value) else shortened_name(value, min(room, VALUE_CHARACTERS))


def _numbers_table(info: ComparisonInfo, designs: Sequence[int]) -> FittedTable:
    from bnnsim.report.figures.figure import number

    figures = [Column(info.names[i], rank=0) for i in designs]
    columns = [Column("quantity", "words"), Column("±", rank=1), *figures]
    table = FittedTable("What it does to each number", columns)
    for row, quantity in enumerate(info.quantities):
        cells: list[str] = []
        for i in designs:
            value = quantity.values[i]
            ratio = quantity.ratio(i) if i else None
            share = quantity.shares[i] if quantity.shares else None
            text = number(value, 5) + ("" if share is None else f", {share:.0%}")
            sure = quantity.sureness[i] if i and quantity.sureness and quantity.error else None
            chance = "" if sure is None else f", {sure:.0%}"
            text += "" if ratio is None else f" (x {ratio:.4g}{chance})"
            text = f"≈ {text}" if quantity.is_tie and i in quantity.leaders else text
            if i in quantity.best:
                table.styles[row, len(cells) + 2] = "bold green"
            cells.append(text)
        basis = f" ({quantity.basis})" if quantity.basis else ""
        error = f"{quantity.error:.1%}" if quantity.error else ""
        table.add(f"{quantity.name} [{quantity.unit}]{basis}", error, *cells)
    table.add("feasible", "", *("no" if info.obstacles[i] else "yes" for i in designs))
    return table


def _show_what_limits(info: ComparisonInfo) -> None:
    for name, limiting in zip(info.names, info.limiting, strict=True):
        output.print(f"sets the pace of {name}: {limiting}", markup=False)
    for what, texts in (
        ("not feasible:", info.obstacles),
        ("remark on", info.remarks),
        ("outside", tuple("; ".join(entries) for entries in info.outside)),
    ):
        for name, text in zip(info.names, texts, strict=True):
            if text:
                output.print(f"{what} {name}: {text}", markup=False)
