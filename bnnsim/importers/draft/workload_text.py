"""A workload as YAML text that reads as if written by hand: one layer a line, defaults left out."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from bnnsim.spec.workload import AveragePoolLayer, InputSpec, Layer, Workload
from bnnsim.spec.yaml.scalars import is_text
from bnnsim.spec.yaml.write import schema_line

_WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_LAYER_KEYS = (
    "name",
    "op",
    "inputs",
    "out",
    "kernel",
    "stride",
    "dilation",
    "groups",
    "pad",
    "pad_value",
    "weight",
    "accumulator",
    "activation",
    "compare",
)


def workload_text(workload: Workload, comment: Sequence[str] = ()) -> str:
    """YAML text that loads as ``workload``; ``comment`` holds the lines above it, without ``#``.

    Values that equal their default are left out, except the input's type and what decides a
    threshold (type and compare), which a reader should not have to look up.
    """
    lines = [*(f"# {line}".rstrip() for line in comment), schema_line("workload")]
    lines.append(f"name: {_flow(workload.name)}")
    if workload.source:
        lines.append(f"source: {_quoted(workload.source)}")
    lines.append(f"input: {_flow(_input(workload.input))}")
    lines.append("layers:")
    lines += [f"  - {_flow(_layer(layer))}" for layer in workload.layers]
    written = {"name", "source", "input", "layers"}
    rest = workload.model_dump(mode="json", exclude_defaults=True, exclude=written)
    lines += [_entry(key, value) for key, value in rest.items()]
    return "\n".join(lines) + "\n"


def _input(spec: InputSpec) -> dict[str, Any]:
    data = spec.model_dump(mode="json", exclude_defaults=True)
    shown = {"shape": data.pop("shape"), "type": str(spec.type), **data}
    if spec.pad_to is not None:
        shown["pad_value"] = spec.pad_value
    return shown


def _layer(layer: Layer) -> dict[str, Any]:
    data = layer.model_dump(mode="json", exclude_defaults=True)
    activation = getattr(layer, "activation", None)
    if activation is not None:
        data["activation"] = activation.model_dump(mode="json", exclude_none=True)
    if isinstance(layer, AveragePoolLayer):
        data["compare"] = layer.compare
    known = {key: data.pop(key) for key in _LAYER_KEYS if key in data}
    return {**known, **data}


def _entry(key: str, value: Any) -> str:
    """A top-level entry; a long list is wrapped behind its key."""
    text = f"{key}: {_flow(value)}"
    if len(text) <= _WIDTH or not isinstance(value, list):
        return text
    lines: list[str] = []
    for item in value:
        piece = _flow(item)
        if lines and len(lines[-1]) + len(piece) + 2 <= _WIDTH:
            lines[-1] += f" {piece},"
        else:
            lines.append(f"{piece},")
    body = textwrap.indent("\n".join(lines).removesuffix(","), "  ")
    return f"{key}: [\n{body}\n]"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and is_text(value)
        return value if is_plain else _quoted(value)
    return yaml.safe_dump(value).removesuffix("\n").removesuffix("\n...")


def _quoted(text: str) -> str:
    dumped = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=1 << 30)
    return dumped.removesuffix("\n")
