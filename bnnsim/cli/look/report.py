"""``bnnsim report``: a simulation as one page that explains itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import deliver, output, write_whole
from bnnsim.cli.options import ArchArgument, JsonOption, RunRequest, WorkloadArgument, runs_design
from bnnsim.cli.records.written import written


@runs_design(without=("executor",))
def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    out: Annotated[Path, typer.Option(help="the page to write", metavar="FILE.html")],
    run: RunRequest,
    json_file: JsonOption = None,
) -> None:
    """Write one self-contained page: the answer, pipeline, timeline, FIFOs, roofline, costs, pictures."""
    from bnnsim.report.page import report_html

    with run.started("simulating", out, json_file) as options:
        page = report_html(arch, workload, options)
    write_whole(out, page)
    size_mb = out.stat().st_size / 1e6
    text = f"report  {out} ({size_mb:.1f} MB)"
    deliver(written({"page": out}), json_file, lambda _: output.print(text, markup=False, soft_wrap=True))
