"""``bnnsim fold``: a first architecture for a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import output, write_whole
from bnnsim.cli.options import WorkloadArgument
from bnnsim.files.whole import check_target


def command(
    workload: WorkloadArgument,
    device: Annotated[str, typer.Option(help="the FPGA part, such as xc7z020")],
    out: Annotated[Path, typer.Option(help="the architecture to write", metavar="ARCH.yaml")],
    fps: Annotated[
        float | None, typer.Option(help="frames a second to reach; default: as many as fit", min=0.001)
    ] = None,
    clock_mhz: Annotated[float, typer.Option(help="clock in MHz")] = 100.0,
    name: Annotated[str | None, typer.Option(help="the architecture's name")] = None,
) -> None:
    """Write a streaming architecture on which a network runs at the speed asked for."""
    from bnnsim.search.fold.fold import fold_network

    check_target(out)
    text = fold_network(workload, device, fps, clock_mhz, name)
    write_whole(out, text)
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        output.print(line.removeprefix("# "), markup=False, soft_wrap=True)
    output.print(f"written    {out}", markup=False, soft_wrap=True)
