"""``bnnsim import``: trained networks from other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bnnsim.cli.console import output

app = typer.Typer(help="Bring in a trained network.", no_args_is_help=True)


@app.command("bnn-pynq")
def bnn_pynq(
    folder: Annotated[Path, typer.Argument(help="parameter folder, such as .../cifar10/cnvW1A1")],
    topology: Annotated[Literal["cnv", "lfc"], typer.Option(help="cnv or lfc")],
    out: Annotated[Path, typer.Option(help="where the workload and its weights go", metavar="DIR")],
    name: Annotated[str | None, typer.Option(help="the workload's name")] = None,
) -> None:
    """A trained network from BNN-PYNQ's parameter folder."""
    from bnnsim.importers.bnn_pynq import import_bnn_pynq

    imported = import_bnn_pynq(folder, topology, out, name)
    output.print(f"workload  {imported.workload_path}", markup=False, soft_wrap=True)
    output.print(f"weights   {imported.weights_path}", markup=False, soft_wrap=True)
