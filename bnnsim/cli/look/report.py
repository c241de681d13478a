"""``bnnsim report``: a simulation as one page that explains itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import SimulationFailed, output, progress, write_whole
from bnnsim.files.whole import check_target


def command(
    arch: Annotated[str, typer.Argument(help="architecture: a shipped name or a YAML file")],
    workload: Annotated[str, typer.Argument(help="workload: a shipped name or a YAML file")],
    out: Annotated[Path, typer.Option(help="the page to write", metavar="FILE.html")],
    images: Annotated[
        list[str] | None,
        typer.Option(help="frames: .npz with images_u8 (and labels), .npy, or pictures", metavar="FILE…"),
    ] = None,
    frames: Annotated[int | None, typer.Option(help="how many frames", metavar="N")] = None,
    timing_only: Annotated[bool, typer.Option("--timing-only", help="leave the bits out")] = False,
    weights_seed: Annotated[
        int | None, typer.Option(help="draw weights (and frames) from this seed", metavar="SEED")
    ] = None,
) -> None:
    """Write one self-contained page: the answer, pipeline, timeline, FIFOs, roofline, costs, pictures."""
    from bnnsim.datapath.mismatch import BitMismatchError
    from bnnsim.report.streaming.page import report_html
    from bnnsim.timing.streaming.result import DeadlockError

    check_target(out)
    try:
        with progress("simulating") as advance:
            page = report_html(
                arch,
                workload,
                images=images,
                frames=frames,
                timing_only=timing_only,
                weights_seed=weights_seed,
                progress=advance,
            )
    except (DeadlockError, BitMismatchError) as error:
        raise SimulationFailed(str(error)) from error
    write_whole(out, page)
    size_mb = out.stat().st_size / 1e6
    output.print(f"report  {out} ({size_mb:.1f} MB)", markup=False, soft_wrap=True)
