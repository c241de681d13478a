"""``bnnsim schema``: the JSON schema of a spec, for editors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from bnnsim.cli.console import write_json
from bnnsim.files.whole import check_target
from bnnsim.spec.schema import spec_schema


def command(
    kind: Annotated[
        Literal["arch", "workload", "device", "space"],
        typer.Argument(help="arch, workload, device or space"),
    ],
    json_file: Annotated[
        str, typer.Option("--json", help="where it goes; default: stdout", metavar="FILE")
    ] = "-",
) -> None:
    """Print the JSON schema of an architecture, workload, device or space file."""
    check_target(json_file)
    write_json(schema(kind), json_file)


def schema(kind: str) -> dict[str, Any]:
    """The JSON schema of one kind of file."""
    if kind == "space":
        from bnnsim.search.space.schema import space_schema

        return space_schema()
    return spec_schema(kind)
