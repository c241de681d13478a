"""Write docs/import-settings.md from the tables of what importers understand.

python tools/write_import_settings.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bnnsim.importers.foreign.settings import Setting, Settings
from bnnsim.importers.keras.understood import LAYERS, OPERATIONS, QUANTISERS
from bnnsim.importers.onnx.understood import NEWEST_OPSET, OLDEST_OPSET, OPERATORS

TARGET = Path(__file__).resolve().parents[1] / "docs" / "import-settings.md"
_INTRODUCTION = """# What an import understands

Every attribute of every operator, and every setting of every layer, that `bnnsim import` reads.
Anything else (an attribute or a value that is not here, an operator of another domain) is refused with
its name and value. `python tools/write_import_settings.py` writes this page from the readers' own tables:
[ONNX](../bnnsim/importers/onnx/understood.py), [Keras](../bnnsim/importers/keras/understood.py).
"""


def document() -> str:
    """The page as text."""
    lines = [_INTRODUCTION]
    lines += [f"## ONNX operators, opset {OLDEST_OPSET} to {NEWEST_OPSET}", ""]
    lines += [
        "Operators on constants alone are evaluated as ONNX defines them. Values that a shape does not",
        "allow (a pad that reaches nowhere, an axis that is not the channels) are refused too.",
        "",
        "| domain | operator | attributes | not without |",
        "|---|---|---|---|",
    ]
    for (domain, kind), known in sorted(OPERATORS.items()):
        needed = ", ".join(known.required) or "-"
        lines.append(f"| {domain or 'ai.onnx'} | {kind} | {_cell(known.settings)} | {needed} |")
    shared = _shared()
    lines += ["", "## Keras and Larq layers", "", f"In every layer: {_cell(shared)}.", ""]
    lines += ["| layer | weights | settings |", "|---|---|---|"]
    for kind, layer in sorted(LAYERS.items()):
        own = {key: rows for key, rows in layer.settings.items() if shared.get(key) != rows}
        lines.append(f"| {kind} | {', '.join(layer.weights) or '-'} | {_cell(own)} |")
    lines += ["", "## Larq's quantisers", "", "| quantiser | settings |", "|---|---|"]
    lines += [f"| {kind} | {_cell(settings)} |" for kind, settings in sorted(QUANTISERS.items())]
    lines += ["", "## Functions of TensorFlow and Keras 3 on a layer's output", ""]
    lines += [
        "As TFOpLambda layers and as operations of `keras.ops`, on tensors and constants (a number, or",
        f"one of each channel): {', '.join(f'`{name}`' for name in sorted(OPERATIONS))}.",
    ]
    return "\n".join(lines) + "\n"


def _shared() -> Settings:
    """What all layers have in the same words (an input layer's type is its own)."""
    others = [layer.settings for kind, layer in LAYERS.items() if kind != "InputLayer"]
    first = others[0]
    return {key: rows for key, rows in first.items() if all(one.get(key) == rows for one in others)}


def _cell(settings: Settings) -> str:
    """Attributes of one text side by side."""
    by_text: dict[str, list[str]] = {}
    for key, rows in settings.items():
        by_text.setdefault(" or ".join(_said(row) for row in rows), []).append(f"`{key}`")
    return "; ".join(f"{', '.join(keys)}: {text}" for text, keys in by_text.items()) or "none"


def _said(row: Setting) -> str:
    return " ".join([row.text, *_versions(row)])


def _versions(row: Setting) -> Iterator[str]:
    if row.first:
        yield f"(opset {row.first} on)"
    elif row.last <= NEWEST_OPSET:
        yield f"(up to opset {row.last})"


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
