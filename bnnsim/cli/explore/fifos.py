"""``bnnsim fifos``: FIFOs as shallow as the throughput allows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bnnsim.cli.console import Interrupted, deliver, output, write_page, write_whole
from bnnsim.cli.facts import show_facts, show_places
from bnnsim.cli.fitted_table import Column, FittedTable
from bnnsim.cli.options import ArchArgument, JsonOption, SingleFileOption, WorkloadArgument
from bnnsim.cli.progress import Work
from bnnsim.design.design import Design
from bnnsim.files.whole import check_target
from bnnsim.search.fifos.check import check_sizing
from bnnsim.search.fifos.sized_architecture import sized_text
from bnnsim.search.fifos.sizing import (
    FifoSizing,
    SizingInterrupted,
    SizingProgress,
    size_fifos,
)
from bnnsim.simulation import load_streaming_design
from bnnsim.spec.faults import InputError


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
    page: Annotated[
        Path | None,
        typer.Option(help="the front of throughput against FIFO memory as a page", metavar="FILE.html"),
    ] = None,
    single_file: SingleFileOption = False,
    json_file: JsonOption = None,
) -> None:
    """Size the FIFOs of a design by exact timing, and check the result with SimPy.

    Ctrl-C ends it with the best depths found until then, which are not checked.
    """
    for target in (out, page, json_file):
        check_target(target)
    design, _ = load_streaming_design(arch, workload, "fifos", "engines have no FIFOs")
    path = out or Path(f"{design.architecture.name}-fifos.yaml")
    if page is not None and page.absolute() == path.absolute():
        raise InputError("--page", "another file than the architecture's", str(page))
    interrupted = False
    with _SizingWork() as work:
        try:
            sizing = size_fifos(design, keep, objective, work.advance_with)
        except SizingInterrupted as stopped:
            if stopped.best is None:
                raise Interrupted("interrupted before any depths kept the throughput") from None
            sizing, interrupted = stopped.best, True
    frames = 0
    if not interrupted:
        try:
            with Work("checking with SimPy") as work:
                frames = check_sizing(design, sizing, work.advance)
        except KeyboardInterrupt:
            interrupted = True
    _write(design, sizing, path, page, single_file)
    deliver(
        sizing,
        json_file,
        lambda found: _show(found, frames, path),
        checked_frames=frames,
        written=str(path),
    )
    if interrupted:
        raise Interrupted(f"interrupted: {path} has the best depths found until then, not checked")


def _write(
    design: Design, sizing: FifoSizing, path: Path, page: Path | None, is_single_file: bool
) -> None:
    write_whole(path, sized_text(design, sizing))
    if page is not None:
        from bnnsim.report.search.sizing import sizing_info, sizing_page

        info = sizing_info(design, sizing)
        write_page(page, lambda is_whole: sizing_page(info, is_whole), is_single_file)


class _SizingWork(Work):
    """Timings, and the best depths so far."""

    def __init__(self) -> None:
        super().__init__("sizing FIFOs")

    def advance_with(self, found: SizingProgress) -> None:
        best = found.best
        text = f"{found.timed} of at most {found.most} timings, " + (
            "none keeps the throughput yet"
            if best is None
            else f"best {best.fifo_bits:,} bits at {best.initiation_interval_cycles:,} cycles"
        )
        self.tell("sizing FIFOs", found.timed, found.most, text)


def _show(sizing: FifoSizing, frames: int, path: Path) -> None:
    columns = [Column("stream", "name"), Column("before (words)"), Column("after (words)")]
    table = FittedTable("FIFO depths", columns)
    for name, depth in sizing.depth_words.items():
        table.add(name, f"{sizing.before_words[name]:,}", f"{depth:,}")
    table.show()
    headings = ("FIFO memory (bits)", "BRAM18", "interval (cycles)")
    curve = FittedTable("Throughput against FIFO memory", [Column(name) for name in headings])
    step = max(1, len(sizing.curve) // 12)
    for point in [*sizing.curve[:-1:step], *sizing.curve[-1:]]:
        curve.add(f"{point.fifo_bits:,}", str(point.bram18), f"{point.initiation_interval_cycles:,}")
    curve.show()
    before = sizing.before_interval_cycles
    was = "deadlock, or none proven" if before is None else f"{before:,} cycles"
    least = "; no single FIFO can be smaller" if sizing.is_minimal else ""
    checked = (
        f"{frames} frame{'s' if frames > 1 else ''} with SimPy: the cycles of every frame's end are equal"
        if frames
        else "not with SimPy: interrupted"
    )
    output.print()
    facts = [
        (
            "interval",
            f"{sizing.initiation_interval_cycles:,} cycles "
            f"(before: {was}; without any FIFO limit: {sizing.unlimited_interval_cycles:,} cycles)",
        ),
        (
            "memory",
            f"{sizing.fifo_bits:,} bits, {sizing.bram18} BRAM18 "
            f"(before: {sizing.before_bits:,} bits, {sizing.before_bram18} BRAM18; "
            f"analytical bound: {sizing.bound_bits:,} bits)",
        ),
        ("timed", f"{sizing.designs_timed:,} sets of depths{least}"),
        ("checked", checked),
    ]
    show_facts(facts, 10)
    show_places([("written", str(path))], 10)
