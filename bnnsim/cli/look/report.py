"""``bnnsim report``: a simulation as one page that explains itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import output, write_whole
from bnnsim.cli.options import ArchArgument, RunRequest, WorkloadArgument, runs_design


@runs_design(without=("executor",))
def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    out: Annotated[Path, typer.Option(help="the page to write", metavar="FILE.html")],
    run: RunRequest,
) -> None:
    """Write one self-contained page: the answer, pipeline, timeline, FIFOs, roofline, costs, pictures."""
    from bnnsim.report.page import report_html

    with run.started("simulating", out) as options:
        page = report_html(arch, workload, options)
    write_whole(out, page)
    size_mb = out.stat().st_size / 1e6
    output.print(f"report  {out} ({size_mb:.1f} MB)", markup=False, soft_wrap=True)
