"""``bnnsim trace``: a simulation's cycles as a waveform and as a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import deliver
from bnnsim.cli.facts import show_facts, show_places
from bnnsim.cli.options import ArchArgument, JsonOption, RunRequest, WorkloadArgument, runs_design
from bnnsim.cli.records.written import written


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
    json_file: JsonOption = None,
) -> None:
    """Write every cycle of a run: handshakes, words, FIFO levels and unit states."""
    from bnnsim.report.waveform.trace import trace

    with run.started("simulating", json_file) as options:
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
    files = {name: path for name, path in (("vcd", vcd), ("perfetto", perfetto)) if path is not None}
    places = [(name, f"{path} ({path.stat().st_size / 1e6:.1f} MB)") for name, path in files.items()]

    def show(_: object) -> None:
        show_facts([("traced", f"{window} of {run_text}{data}")], 9)
        show_places(places, 9)

    counts = {"first_cycle": result.first_cycle, "end_cycle": result.end_cycle, "frames": shown}
    deliver(written(files, counts), json_file, show)
