"""Architecture specs as YAML text that reads as if written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import BaseModel

from bnnsim.spec.yaml.scalars import ScalarDumper

EDITOR_LINE = "# yaml-language-server: "
"""What a written file's line for editors begins with: the schema that it goes by."""


def schema_line(kind: str) -> str:
    """The comment by which editors find the schema of an ``arch`` or ``workload``: a file beside it,
    which ``bnnsim schema KIND`` prints."""
    return f"{EDITOR_LINE}$schema={kind}.schema.json"


def architecture_text(
    spec: BaseModel, comment: Sequence[str] = (), with_defaults: bool = False
) -> str:
    """The spec as YAML; ``comment`` lines stand on top.

    What is at its default is left out, or said ``with_defaults``. Loading the text gives an equal spec.
    """
    data = spec.model_dump(mode="json", exclude_defaults=not with_defaults, exclude_none=True)
    if "style" not in data and hasattr(spec, "style"):
        data["style"] = spec.style
    lines = [*(f"# {line}" for line in comment), schema_line("arch")]
    for key, value in data.items():
        nested = isinstance(value, dict) and any(isinstance(v, dict) for v in value.values())
        if nested or (isinstance(value, dict) and len(value) > 6):
            lines.append(f"{key}:")
            lines += [f"  {_flow(name)}: {_flow(entry)}" for name, entry in value.items()]
        else:
            lines.append(f"{key}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text: str = yaml.dump(
        value, Dumper=ScalarDumper, default_flow_style=True, sort_keys=False, width=10_000
    )
    return text.removesuffix("\n...\n").strip()
