"""``bnnsim trace``: a simulation's cycles as a waveform and as a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import SimulationFailed, output, progress


def command(
    arch: Annotated[str, typer.Argument(help="architecture: a shipped name or a YAML file")],
    workload: Annotated[str, typer.Argument(help="workload: a shipped name or a YAML file")],
    vcd: Annotated[
        Path | None, typer.Option(help="waveform for GTKWave and others", metavar="FILE.vcd")
    ] = None,
    perfetto: Annotated[
        Path | None, typer.Option(help="trace for ui.perfetto.dev", metavar="FILE.json")
    ] = None,
    first_cycle: Annotated[int, typer.Option("--from", help="first cycle to write", metavar="CYCLE")] = 0,
    end_cycle: Annotated[
        int | None, typer.Option("--to", help="cycle to stop before", metavar="CYCLE")
    ] = None,
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
    """Write every cycle of a run: handshakes, words, FIFO levels and unit states."""
    from bnnsim.datapath.mismatch import BitMismatchError
    from bnnsim.report.waveform.trace import trace
    from bnnsim.timing.streaming.result import DeadlockError

    try:
        with progress("simulating") as advance:
            result = trace(
                arch,
                workload,
                vcd=vcd,
                perfetto=perfetto,
                first_cycle=first_cycle,
                end_cycle=end_cycle,
                images=images,
                frames=frames,
                timing_only=timing_only,
                weights_seed=weights_seed,
                progress=advance,
            )
    except (DeadlockError, BitMismatchError) as error:
        raise SimulationFailed(str(error)) from error
    window = f"cycles {result.first_cycle:,} to {result.end_cycle - 1:,}"
    data = "" if result.has_bits else ", no words: the run carried no bits"
    output.print(f"traced    {window} of {result.simulation.cycles_total:,}{data}", markup=False)
    for name, path in (("vcd", vcd), ("perfetto", perfetto)):
        if path is not None:
            size_mb = path.stat().st_size / 1e6
            output.print(f"{name:<9} {path} ({size_mb:.1f} MB)", markup=False, soft_wrap=True)
