"""``bnnsim schema``: the JSON schema of a spec, for editors."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any, Literal

import typer
from pydantic import TypeAdapter

from bnnsim.spec.architecture import Architecture
from bnnsim.spec.device import Device
from bnnsim.spec.workload import Workload


def command(
    kind: Annotated[
        Literal["arch", "workload", "device"], typer.Argument(help="arch, workload or device")
    ],
) -> None:
    """Print the JSON schema of an architecture, workload or device file."""
    sys.stdout.write(json.dumps(schema(kind), indent=2) + "\n")


def schema(kind: str) -> dict[str, Any]:
    """The JSON schema of one kind of file."""
    models: dict[str, Any] = {"arch": Architecture, "workload": Workload, "device": Device}
    return TypeAdapter(models[kind]).json_schema()
