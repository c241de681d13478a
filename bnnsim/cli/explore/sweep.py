"""``bnnsim sweep``: a grid over one or two fields of an architecture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bnnsim.cli.console import deliver, output
from bnnsim.cli.facts import show_facts
from bnnsim.cli.fitted_table import Column, FittedTable
from bnnsim.cli.options import ArchArgument, JsonOption, SingleFileOption, WorkloadArgument
from bnnsim.cli.progress import Work
from bnnsim.files.whole import check_target

if TYPE_CHECKING:
    from bnnsim.search.sweep.sweep import Sweep

SWEEP_TABLE, SWEEP_PAGE = "sweep.csv", "sweep.html"


def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    knob: Annotated[
        list[str],
        typer.Option(
            help="a field and its values: layers.conv1.pe=1,2,4; once or twice", metavar="K=V,…"
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="folder for sweep.csv and sweep.html", metavar="DIR")
    ] = None,
    single_file: SingleFileOption = False,
    json_file: JsonOption = None,
) -> None:
    """What if: judge a grid of values of one or two fields, everything else as it is."""
    from bnnsim.files.folder import prepare_folder, write_files
    from bnnsim.report.figures.plot_page import library
    from bnnsim.report.search.sweep import sweep_info, sweep_page
    from bnnsim.search.sweep.sweep import sweep
    from bnnsim.search.sweep.table import sweep_table

    check_target(json_file)
    if out is not None:
        prepare_folder(out)
    with Work("judging") as work:
        found = sweep(arch, workload, knob, progress=work.advance)
    if out is not None:
        page = sweep_page(sweep_info(found), single_file)
        files = {**library(single_file), SWEEP_TABLE: sweep_table(found), SWEEP_PAGE: page}
        write_files(out, files)
    deliver(found, json_file, show)
    if out is not None and json_file != "-":
        output.print(f"\npage  {out / SWEEP_PAGE}", markup=False, soft_wrap=True)


def show(found: Sweep) -> None:
    """Print the grid."""
    from bnnsim.cli.explore.figure_cells import figure_cell, figure_heading
    from bnnsim.report.search.pareto import sureness
    from bnnsim.search.sweep.table import sweep_figures
    from bnnsim.validation.certainty import model_errors

    wanted = ("throughput_fps", "latency_us", "power_w", "lut", "bram18")
    figure_names = [n for n in wanted if any(n in point.figures for point in found.points)]
    figure_names += [n for n in sweep_figures(found) if n in ("dsp", "uram", "alm", "m20k")]
    knobs = [Column(knob.name.replace(".", "\n"), "figure") for knob in found.knobs]
    figures = [Column(figure_heading(n), "figure", k) for k, n in enumerate(figure_names)]
    has_notes = any(point.infeasible_reason or point.note for point in found.points)
    notes = [Column("", "words")] if has_notes else []
    table = FittedTable(f"{found.arch} x {found.workload}", [*knobs, *figures, *notes])
    for point in found.points:
        note = "no design" if point.infeasible_reason else point.note
        table.add(
            *(str(value) for value in point.values),
            *(figure_cell(point.figures.get(name)) for name in figure_names),
            *([note] if has_notes else []),
        )
    table.show()
    errors = [error for error in model_errors() if error.quantity in figure_names]
    output.print()
    show_facts([("how sure", sureness(errors)), *(("outside", text) for text in found.outside)])
    reasons: dict[str, list[str]] = {}
    for point in found.points:
        if point.infeasible_reason:
            values = " x ".join(str(value) for value in point.values)
            reasons.setdefault(point.infeasible_reason, []).append(values)
    for reason, names in reasons.items():
        show_facts([("no design", f"with {', '.join(names)}: {reason}")])
