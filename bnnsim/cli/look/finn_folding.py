"""``bnnsim finn-folding``: a design as the folding that makes FINN build it."""

from pathlib import Path
from typing import Annotated

import typer

from bnnsim.cli.console import deliver, write_whole
from bnnsim.cli.facts import show_facts, show_places
from bnnsim.cli.options import ArchArgument, JsonOption, WorkloadArgument
from bnnsim.cli.progress import Work
from bnnsim.cli.records.written import written
from bnnsim.files.whole import check_target
from bnnsim.simulation import load_streaming_design


def command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    model: Annotated[
        Path, typer.Argument(help="FINN's build folder or ONNX file, or the QONNX model it is built from")
    ],
    out: Annotated[Path, typer.Option(help="the folding to write", metavar="FILE.json")],
    json_file: JsonOption = None,
) -> None:
    """Write a streaming design as FINN's folding_config.json, and say what FINN cannot build of it.

    What breaks a rule of FINN (PE divides MH, 8,191 bits a stream ...) is refused, every one.
    """
    from bnnsim.finn.writing import folding_of

    for target in (out, json_file):
        check_target(target)
    reason = "FINN builds pipelines"
    design, _ = load_streaming_design(arch, workload, "finn-folding", reason)
    with Work("folding"):
        folding = folding_of(design, model)
    write_whole(out, folding.text())
    note = "names as FINN 0.10 gives them; a model behind step_specialize_layers says them exactly"
    notes = [note] if folding.is_predicted else []

    def show(_: object) -> None:
        show_places([("folding", str(out))], 9)
        show_facts((("note", text) for text in notes), 9)
        show_facts((("not said", text) for text in folding.losses), 9)

    deliver(written({"folding": out}, notes=notes, losses=folding.losses), json_file, show)
