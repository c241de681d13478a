"""``bnnsim report``: a simulation as one page that explains itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import output, running, write_whole
from bnnsim.cli.options import (
    ArchArgument,
    FramesOption,
    ImagesOption,
    TimingOnlyOption,
    WeightsSeedOption,
    WorkloadArgument,
)
from bnnsim.files.whole import check_target
from bnnsim.simulation import RunOptions


def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    out: Annotated[Path, typer.Option(help="the page to write", metavar="FILE.html")],
    images: ImagesOption = None,
    frames: FramesOption = None,
    timing_only: TimingOnlyOption = False,
    weights_seed: WeightsSeedOption = None,
) -> None:
    """Write one self-contained page: the answer, pipeline, timeline, FIFOs, roofline, costs, pictures."""
    from bnnsim.report.page import report_html

    check_target(out)
    with running("simulating") as progress:
        options = RunOptions(images, frames, timing_only, weights_seed, progress=progress)
        page = report_html(arch, workload, options)
    write_whole(out, page)
    size_mb = out.stat().st_size / 1e6
    output.print(f"report  {out} ({size_mb:.1f} MB)", markup=False, soft_wrap=True)
