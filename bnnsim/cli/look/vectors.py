"""``bnnsim vectors``: golden words and memories for a testbench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import output
from bnnsim.cli.options import ArchArgument, RunRequest, WorkloadArgument, runs_design


@runs_design(without=("timing_only", "executor"))
def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    out: Annotated[Path, typer.Option(help="a folder that is new or empty", metavar="DIR")],
    run: RunRequest,
) -> None:
    """Write every unit's words, their cycles, and its memories, as $readmemh reads them."""
    from bnnsim.report.vectors import write_vectors

    with run.started("simulating") as options:
        vectors = write_vectors(arch, workload, out, options)
    output.print(
        f"vectors   {vectors.folder}: {vectors.words:,} words on {vectors.streams} {vectors.ways}, "
        f"{vectors.memories} memories",
        markup=False,
        soft_wrap=True,
    )
    output.print(f"manifest  {vectors.folder / 'manifest.json'}", markup=False, soft_wrap=True)
