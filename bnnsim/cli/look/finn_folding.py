"""``bnnsim finn-folding``: a design as the folding that makes FINN build it."""

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import output, write_whole
from bnnsim.cli.options import ArchArgument, WorkloadArgument
from bnnsim.files.whole import check_target
from bnnsim.simulation import load_streaming_design


def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    model: Annotated[
        Path, typer.Argument(help="FINN's build folder or ONNX file, or the QONNX model it is built from")
    ],
    out: Annotated[Path, typer.Option(help="the folding to write", metavar="FILE.json")],
) -> None:
    """Write a streaming design as FINN's folding_config.json, and say what FINN cannot build of it.

    What breaks a rule of FINN (PE divides MH, 8,191 bits a stream ...) is refused, every one.
    """
    from bnnsim.finn.writing import folding_of

    check_target(out)
    reason = "FINN builds pipelines"
    design, _ = load_streaming_design(arch, workload, "finn-folding", reason)
    folding = folding_of(design, model)
    write_whole(out, folding.text())
    output.print(f"folding   {out}", markup=False, soft_wrap=True)
    if folding.is_predicted:
        note = "names as FINN 0.10 gives them; a model behind step_specialize_layers says them exactly"
        output.print(f"note      {note}", markup=False, soft_wrap=True)
    for loss in folding.losses:
        output.print(f"not said  {loss}", markup=False, soft_wrap=True)
