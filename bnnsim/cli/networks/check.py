"""``bnnsim check``: an imported network against the model it came from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import SimulationFailed, output


def command(
    model: Annotated[Path, typer.Argument(help="the ONNX or Keras file that was imported")],
    workload: Annotated[str, typer.Argument(help="the imported workload")],
    images: Annotated[
        Path | None, typer.Option(help="frames: .npz with images_u8, or .npy", metavar="FILE")
    ] = None,
    random_inputs: Annotated[
        int, typer.Option(help="how many inputs to draw without --images", metavar="N", min=1)
    ] = 100,
    seed: Annotated[int, typer.Option(help="what they are drawn from")] = 0,
    image_range: Annotated[
        tuple[float, float] | None,
        typer.Option(help="as given to import, where it was", metavar="LOW HIGH"),
    ] = None,
) -> None:
    """Run both and name the first layer that differs (exit code 1)."""
    from bnnsim.importers.check.check import check_model

    report = check_model(model, workload, images, random_inputs, seed, image_range)
    if not report.is_equal:
        raise SimulationFailed(str(report))
    output.print(str(report), markup=False, soft_wrap=True)
