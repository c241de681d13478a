"""``bnnsim new``: a first engine for a network, from a template."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bnnsim.cli.completion import names_of
from bnnsim.cli.console import deliver, output, write_whole
from bnnsim.cli.facts import show_places
from bnnsim.cli.help import WholeSentences
from bnnsim.cli.options import JsonOption
from bnnsim.cli.progress import Work
from bnnsim.cli.records.written import written
from bnnsim.files.whole import check_target
from bnnsim.spec.faults import InputError
from bnnsim.spec.yaml.write import EDITOR_LINE

app = typer.Typer(
    help="Write a first engine for a network, every default said.",
    no_args_is_help=True,
    cls=WholeSentences,
)


@app.callback()
def _group() -> None:
    """Write a first engine for a network, every default said."""


@app.command("engine")
def engine(
    workload: Annotated[
        str,
        typer.Argument(
            help="a shipped network's name or a YAML file",
            metavar="[WORKLOAD]",
            autocompletion=names_of("workload"),
        ),
    ] = "binarynet",
    *,
    device: Annotated[
        str,
        typer.Option(
            help="the FPGA part, such as xczu3eg", show_default=False, autocompletion=names_of("device")
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="the architecture to write; default: stdout", metavar="ARCH.yaml")
    ] = None,
    kind: Annotated[
        Literal["output-stationary", "weight-stationary", "row-stationary"] | None,
        typer.Option(help="what stays in the array; default: the fastest of all", show_default=False),
    ] = None,
    clock_mhz: Annotated[
        float | None,
        typer.Option(help="clock in MHz; default: the fastest proven on such a part", show_default=False),
    ] = None,
    name: Annotated[str | None, typer.Option(help="the architecture's name")] = None,
    mapping: Annotated[
        Literal["auto"] | None,
        typer.Option(help="auto: choose each layer's loops, by exact timing", show_default=False),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Write an engine with DRAM for a network: the fastest sizes that fit a part, timed exactly."""
    from bnnsim.search.template.choice import new_engine

    if out is None and json_file is not None:
        raise InputError("--out", "the file to write, beside --json", "none")
    for target in (out, json_file):
        check_target(target)
    with Work("timing engines"):
        text = new_engine(workload, device, kind, clock_mhz, name, mapping).text()
    if out is None:
        output.file.write(text)
        return
    write_whole(out, text)
    head = [line.removeprefix("# ") for line in text.splitlines() if not line.startswith(EDITOR_LINE)][:2]

    def show(_: object) -> None:
        for line in head:
            output.print(line, markup=False)
        show_places([("written", str(out))], 10)

    deliver(written({"arch": out}, notes=head), json_file, show)
