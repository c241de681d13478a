"""``bnnsim fifos``: FIFOs as shallow as the throughput allows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from bnnsim.cli.console import deliver, output, progress, write_whole
from bnnsim.cli.options import ArchArgument, JsonOption, WorkloadArgument
from bnnsim.files.whole import check_target
from bnnsim.search.fifos.check import check_sizing
from bnnsim.search.fifos.sizing import FifoSizing, size_fifos
from bnnsim.simulation import load_streaming_design
from bnnsim.spec.yaml.write import architecture_text


def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    keep: Annotated[
        float, typer.Option(help="fraction of the best reachable throughput to keep", metavar="FRACTION")
    ] = 1.0,
    objective: Annotated[
        Literal["bits", "bram"], typer.Option(help="what to make small: FIFO bits, or block RAMs")
    ] = "bits",
    out: Annotated[
        Path | None,
        typer.Option(help="the new architecture; default: NAME-fifos.yaml here", metavar="FILE"),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Size the FIFOs of a design by exact timing, and check the result with SimPy."""
    check_target(out)
    check_target(json_file)
    design, _ = load_streaming_design(arch, workload, "fifos", "engines have no FIFOs")
    with progress("sizing FIFOs") as advance:
        sizing = size_fifos(design, keep, objective, advance)
    with progress("checking with SimPy") as advance:
        check = check_sizing(design, sizing, advance)
    path = out or Path(f"{design.architecture.name}-fifos.yaml")
    write_whole(path, architecture_text(check.architecture, _comment(sizing)))

    def show(sizing: FifoSizing) -> None:
        _show(sizing)
        _show_written(check.frames, path)

    deliver(sizing, json_file, show, checked_frames=check.frames, written=str(path))


def _show_written(frames: int, path: Path) -> None:
    output.print(
        f"\nchecked    {frames} frames with SimPy: the cycles of every frame's end are equal\n"
        f"written    {path}",
        markup=False,
    )


def _comment(sizing: FifoSizing) -> list[str]:
    return [
        "FIFO depths found by bnnsim fifos: no single one can be made smaller.",
        f"Initiation interval {sizing.initiation_interval_cycles:,} cycles "
        f"({sizing.unlimited_interval_cycles:,} without any FIFO limit), {sizing.fifo_bits:,} FIFO bits.",
    ]


def _show(sizing: FifoSizing) -> None:
    table = Table(title="FIFO depths", title_justify="left", box=None)
    table.add_column("stream", no_wrap=True, overflow="ellipsis")
    for name in ("before (words)", "after (words)"):
        table.add_column(name, justify="right")
    for name, depth in sizing.depth_words.items():
        table.add_row(name, f"{sizing.before_words[name]:,}", f"{depth:,}")
    output.print(table)
    curve = Table(title="Throughput against FIFO memory", title_justify="left", box=None)
    for name in ("FIFO memory (bits)", "BRAM18", "interval (cycles)"):
        curve.add_column(name, justify="right")
    step = max(1, len(sizing.curve) // 12)
    for point in [*sizing.curve[:-1:step], *sizing.curve[-1:]]:
        curve.add_row(f"{point.fifo_bits:,}", str(point.bram18), f"{point.initiation_interval_cycles:,}")
    output.print(curve)
    before = sizing.before_interval_cycles
    was = "deadlock" if before is None else f"{before:,} cycles"
    output.print(
        f"\ninterval   {sizing.initiation_interval_cycles:,} cycles "
        f"(before: {was}; without any FIFO limit: {sizing.unlimited_interval_cycles:,} cycles)\n"
        f"memory     {sizing.fifo_bits:,} bits, {sizing.bram18} BRAM18 "
        f"(before: {sizing.before_bits:,} bits, {sizing.before_bram18} BRAM18)\n"
        f"timed      {sizing.designs_timed:,} sets of depths",
        markup=False,
    )
