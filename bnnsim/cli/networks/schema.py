"""``bnnsim schema``: the JSON schemas of specs, for editors, and of what ``--json`` writes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from bnnsim.cli.console import write_json
from bnnsim.files.whole import check_target
from bnnsim.spec.faults import InputError
from bnnsim.spec.schema import spec_schema

Kind = Literal["arch", "workload", "device", "space", "json"]


def command(
    kind: Annotated[Kind, typer.Argument(help="arch, workload, device, space or json")],
    written_by: Annotated[
        str | None,
        typer.Argument(help="with json: the command, such as evaluate", metavar="[COMMAND]"),
    ] = None,
    json_file: Annotated[
        str, typer.Option("--json", help="where it goes; default: stdout", metavar="FILE")
    ] = "-",
) -> None:
    """Print the JSON schema of a kind of file, or of what a command writes with --json."""
    check_target(json_file)
    write_json(schema(kind, written_by), json_file)


def schema(kind: str, written_by: str | None = None) -> dict[str, Any]:
    """The JSON schema of one kind of file, or of the JSON that a command writes.

    Raises :class:`~bnnsim.spec.faults.InputError` for a command beside a kind of file, and for one
    that writes no JSON.
    """
    if kind == "json":
        from bnnsim.cli.records.json_schema import json_schema

        return json_schema(written_by)
    if written_by is not None:
        raise InputError(f"schema {kind}", "no command behind it (json has one)", repr(written_by))
    if kind == "space":
        from bnnsim.search.space.schema import space_schema

        return space_schema()
    return spec_schema(kind)
