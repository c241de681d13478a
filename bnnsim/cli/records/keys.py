"""The keys of a record's JSON, with what each means: read from the record's types and docstrings.

The tables of docs/json.md and the schemas of ``bnnsim schema json COMMAND`` are both made of them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_type_hints, is_typeddict

from bnnsim.spec.docstrings import attribute_docstrings, class_body

NOT_WRITTEN = {
    *("is_tie", "turn_cycles", "best", "holders", "is_complete"),
    *("first_difference", "is_equal", "_summary", "limiting_units", "what_limits", "lines"),
    *("ratio", "short_way"),
    *("sentence", "memory_cycles"),
}
"""Properties that the JSON leaves to its reader."""


@dataclass(frozen=True)
class Key:
    """A key of an object."""

    name: str
    kind: Any
    """The type of its value in Python, None among them where it may be null."""
    meaning: str
    null: str
    """When it is null; empty where it never is."""


def keys_of(record: type) -> tuple[Key, ...]:
    """The keys of a record (a dataclass or a TypedDict), in the order of its JSON.

    Raises ValueError for a key that nothing is said of.
    """
    body, scope = class_body(record), vars(sys.modules[record.__module__])
    bases = [scope[base.id] for base in body.bases if isinstance(base, ast.Name)]
    inherited = [key for base in bases if is_typeddict(base) for key in keys_of(base)]
    return (*inherited, *_own_keys(record, _said(body)))


def _own_keys(record: type, said: dict[str, str]) -> Iterator[Key]:
    hints = get_type_hints(record)
    first = [field.name for field in fields(record)] if is_dataclass(record) else []
    for name in dict.fromkeys([*first, *said]):
        if name in NOT_WRITTEN:
            continue
        kind = hints[name] if name in hints else get_type_hints(getattr(record, name).fget)["return"]
        meaning, _, null = said.get(name, "").partition("; null ")
        if not meaning:
            raise ValueError(f"{record.__name__}.{name} has no docstring")
        yield Key(name, kind, meaning.rstrip("."), null.rstrip("."))


def _said(body: ast.ClassDef) -> dict[str, str]:
    """Docstrings of the fields and properties that a record's body has, by name."""
    said = attribute_docstrings(body)
    for statement in body.body:
        if isinstance(statement, ast.FunctionDef) and statement.decorator_list:
            said[statement.name] = ast.get_docstring(statement) or ""
    return {name: " ".join(text.split()).replace("``", "`") for name, text in said.items()}
