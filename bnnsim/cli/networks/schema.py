"""``bnnsim schema``: the JSON schema of a spec, for editors."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any, Literal

import typer

from bnnsim.spec.schema import spec_schema


def command(
    kind: Annotated[
        Literal["arch", "workload", "device", "space"],
        typer.Argument(help="arch, workload, device or space"),
    ],
) -> None:
    """Print the JSON schema of an architecture, workload, device or space file."""
    sys.stdout.write(json.dumps(schema(kind), indent=2) + "\n")


def schema(kind: str) -> dict[str, Any]:
    """The JSON schema of one kind of file."""
    if kind == "space":
        from bnnsim.search.space.schema import space_schema

        return space_schema()
    return spec_schema(kind)
