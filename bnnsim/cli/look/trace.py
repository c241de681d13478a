"""``bnnsim trace``: a simulation's cycles as a waveform and as a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import output
from bnnsim.cli.options import ArchArgument, RunRequest, WorkloadArgument, runs_design


@runs_design(without=("executor",))
def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    vcd: Annotated[
        Path | None, typer.Option(help="waveform for GTKWave and others", metavar="FILE.vcd")
    ] = None,
    perfetto: Annotated[
        Path | None, typer.Option(help="trace for ui.perfetto.dev", metavar="FILE.json")
    ] = None,
    first_cycle: Annotated[
        int, typer.Option("--from", help="first cycle to write", metavar="CYCLE")
    ] = 0,
    end_cycle: Annotated[
        int | None, typer.Option("--to", help="cycle to stop before", metavar="CYCLE")
    ] = None,
    *,
    run: RunRequest,
) -> None:
    """Write every cycle of a run: handshakes, words, FIFO levels and unit states."""
    from bnnsim.report.waveform.trace import trace

    with run.started("simulating") as options:
        result = trace(
            arch,
            workload,
            options,
            vcd=vcd,
            perfetto=perfetto,
            first_cycle=first_cycle,
            end_cycle=end_cycle,
        )
    window = f"cycles {result.first_cycle:,} to {result.end_cycle - 1:,}"
    shown = result.simulation.frames
    run_text = f"{result.simulation.cycles_total:,}"
    if run.frames is not None and shown < run.frames:
        run_text = f"the first {shown:,} frames"
    data = "" if result.has_bits else ", no words: the run carried no bits"
    output.print(f"traced    {window} of {run_text}{data}", markup=False)
    for name, path in (("vcd", vcd), ("perfetto", perfetto)):
        if path is not None:
            size_mb = path.stat().st_size / 1e6
            output.print(f"{name:<9} {path} ({size_mb:.1f} MB)", markup=False, soft_wrap=True)
