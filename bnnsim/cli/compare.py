"""``bnnsim compare``: designs side by side, in the terminal and as a page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from bnnsim.cli.console import SimulationFailed, check_target, output, write_json
from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    from bnnsim.report.comparison import ComparisonInfo


def command(
    designs: Annotated[
        list[str], typer.Argument(help="two or more: ARCH:WORKLOAD, or ARCH with --workload")
    ],
    workload: Annotated[
        str | None, typer.Option(help="the workload of all designs that name none", metavar="WORKLOAD")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="write the comparison as a page too", metavar="FILE.html")
    ] = None,
    json_file: Annotated[
        str | None, typer.Option("--json", help="write it as JSON (- for stdout)", metavar="FILE")
    ] = None,
) -> None:
    """Compare designs: what differs in the spec, and what it does to each number."""
    from bnnsim.report.atomic_file import whole_file
    from bnnsim.report.comparison import comparison_html, comparison_info, parse_designs
    from bnnsim.timing.result import DeadlockError

    if out is not None and not out.parent.is_dir():
        raise InputError(str(out), "a file in a folder that exists", f"folder {out.parent}")
    check_target(out)
    check_target(json_file)
    try:
        info = comparison_info(parse_designs(designs, workload))
    except DeadlockError as error:
        raise SimulationFailed(str(error)) from error
    if out is not None:
        with whole_file(out) as file:
            file.write(comparison_html(info))
    if json_file is not None:
        write_json(asdict(info), json_file)
    if json_file != "-":
        _show(info)


def _show(info: ComparisonInfo) -> None:
    from bnnsim.report.figure import number

    differs = Table(title="What differs in the spec", title_justify="left", box=None)
    differs.add_column("entry", overflow="fold")
    numbers = Table(title="What it does to each number", title_justify="left", box=None)
    numbers.add_column("quantity")
    for name in info.names:
        differs.add_column(name, justify="right", overflow="fold")
        numbers.add_column(name, justify="right", overflow="fold")
    for entry in info.differences:
        differs.add_row(entry.key, *(value if value is not None else "–" for value in entry.values))
    for quantity in info.quantities:
        cells = []
        for i, value in enumerate(quantity.values):
            ratio = quantity.ratio(i) if i else None
            text = number(value, 5) + ("" if ratio is None else f" (x {ratio:.4g})")
            cells.append(f"[bold green]{text}[/]" if i in quantity.best else text)
        numbers.add_row(f"{quantity.name} \\[{quantity.unit}]", *cells)
    numbers.add_row("sets the pace", *info.limiting)
    if info.differences:
        output.print(differs)
        output.print()
    output.print(numbers)
