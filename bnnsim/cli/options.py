"""Arguments and options that commands share, each declared once."""

from __future__ import annotations

from typing import Annotated

import typer

from bnnsim.simulation.options import ExecutorName

ArchArgument = Annotated[str, typer.Argument(help="architecture: a shipped name or a YAML file")]
WorkloadArgument = Annotated[str, typer.Argument(help="workload: a shipped name or a YAML file")]
ImagesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--images",
        help="frames: .npz with images_u8 (and labels), .npy, or pictures",
        metavar="FILE…",
    ),
]
FramesOption = Annotated[int | None, typer.Option("--frames", help="how many frames", metavar="N")]
TimingOnlyOption = Annotated[bool, typer.Option("--timing-only", help="leave the bits out")]
WeightsSeedOption = Annotated[
    int | None,
    typer.Option("--weights-seed", help="draw weights (and frames) from this seed", metavar="SEED"),
]
ExecutorOption = Annotated[
    ExecutorName | None,
    typer.Option(
        "--executor",
        help="who counts the cycles; default: compiled for --timing-only, else simpy",
    ),
]
JsonOption = Annotated[
    str | None,
    typer.Option("--json", help="write the result as JSON (- for stdout)", metavar="FILE"),
]
