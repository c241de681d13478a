"""``bnnsim vectors``: golden words and memories for a testbench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import SimulationFailed, output, progress


def command(
    arch: Annotated[str, typer.Argument(help="architecture: a shipped name or a YAML file")],
    workload: Annotated[str, typer.Argument(help="workload: a shipped name or a YAML file")],
    out: Annotated[Path, typer.Option(help="a folder that is new or empty", metavar="DIR")],
    images: Annotated[
        list[str] | None,
        typer.Option(help="frames: .npz with images_u8 (and labels), .npy, or pictures", metavar="FILE…"),
    ] = None,
    frames: Annotated[int | None, typer.Option(help="how many frames", metavar="N")] = None,
    weights_seed: Annotated[
        int | None, typer.Option(help="draw weights (and frames) from this seed", metavar="SEED")
    ] = None,
) -> None:
    """Write every unit's words, their cycles, and its memories, as $readmemh reads them."""
    from bnnsim.datapath.mismatch import BitMismatchError
    from bnnsim.report.vectors import write_vectors
    from bnnsim.timing.streaming.result import DeadlockError

    try:
        with progress("simulating") as advance:
            vectors = write_vectors(
                arch,
                workload,
                out,
                images=images,
                frames=frames,
                weights_seed=weights_seed,
                progress=advance,
            )
    except (DeadlockError, BitMismatchError) as error:
        raise SimulationFailed(str(error)) from error
    output.print(
        f"vectors   {vectors.folder}: {vectors.words:,} words on {vectors.streams} streams, "
        f"{vectors.memories} memories",
        markup=False,
        soft_wrap=True,
    )
    output.print(f"manifest  {vectors.folder / 'manifest.json'}", markup=False, soft_wrap=True)
