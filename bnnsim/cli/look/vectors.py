"""``bnnsim vectors``: golden words and memories for a testbench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import deliver
from bnnsim.cli.facts import show_places
from bnnsim.cli.options import ArchArgument, JsonOption, RunRequest, WorkloadArgument, runs_design
from bnnsim.cli.records.written import written


@runs_design(without=("timing_only", "executor"))
def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    out: Annotated[Path, typer.Option(help="a folder that is new or empty", metavar="DIR")],
    run: RunRequest,
    json_file: JsonOption = None,
) -> None:
    """Write every unit's words, their cycles, and its memories, as $readmemh reads them."""
    from bnnsim.report.vectors import write_vectors

    with run.started("simulating", json_file) as options:
        vectors = write_vectors(arch, workload, out, options)
    manifest = vectors.folder / "manifest.json"
    said = f"{vectors.words:,} words on {vectors.streams} {vectors.ways}, {vectors.memories} memories"
    places = [("vectors", f"{vectors.folder}: {said}"), ("manifest", str(manifest))]
    counts = {
        "words": vectors.words,
        vectors.ways: vectors.streams,
        "memories": vectors.memories,
    }
    record = written({"vectors": vectors.folder, "manifest": manifest}, counts)
    deliver(record, json_file, lambda _: show_places(places, 9))
