"""``bnnsim check``: an imported network against the model it came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bnnsim.cli.console import SimulationFailed, deliver
from bnnsim.cli.facts import show_lines
from bnnsim.cli.options import ImageRange, JsonOption
from bnnsim.cli.progress import Work

if TYPE_CHECKING:
    from bnnsim.importers.check.report import CheckReport


def command(
    model: Annotated[Path, typer.Argument(help="the file or folder that was imported")],
    workload: Annotated[str, typer.Argument(help="the imported workload")],
    images: Annotated[
        Path | None,
        typer.Option(
            help="frames: .npz with images_u8, .npy, or floats in the model's range", metavar="FILE"
        ),
    ] = None,
    random_inputs: Annotated[
        int, typer.Option(help="how many inputs to draw without --images", metavar="N", min=1)
    ] = 100,
    seed: Annotated[int, typer.Option(help="what they are drawn from")] = 0,
    image_range: ImageRange = None,
    json_file: JsonOption = None,
) -> None:
    """Compare an imported workload with its model, output by output.

    Exit code 1 where one is wrong, or cannot be decided.
    """
    from bnnsim.importers.check.check import check_model

    with Work("comparing"):
        report = check_model(model, workload, images, random_inputs, seed, image_range)
    has_failed = report.verdict in ("wrong", "undecided")
    deliver(report, json_file, (lambda _: None) if has_failed else _show)
    if has_failed:
        raise SimulationFailed(str(report))


def _show(report: CheckReport) -> None:
    show_lines(str(report))
