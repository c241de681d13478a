"""Where specs differ: flattened to entries, and parts that some designs lack as one row each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bnnsim.spec.model import SpecModel

_TEXTS = ("name", "source", "notes", "structure")
"""Entries of a spec that say what it is, not what it does."""

Entries = dict[str, str]


@dataclass(frozen=True)
class Difference:
    """One spec entry with a value for each design, None where it has none."""

    key: str
    """The entry's path in the spec, such as layers.conv0.pe; workload.… for the workload's."""
    values: tuple[str | None, ...]
    """Its text in each design, in the order of `names`; an entry is null where the design has none."""

    @property
    def holders(self) -> tuple[int, ...]:
        """Positions of the designs that have the entry."""
        return tuple(i for i, value in enumerate(self.values) if value is not None)

    @property
    def is_complete(self) -> bool:
        return None not in self.values


def flattened(prefix: str, spec: SpecModel) -> Entries:
    """A spec as ``layers.conv0.pe`` -> text, defaults filled in.

    Lists of parts go by their names where all have one of their own, else by their positions. What
    is empty has no entry.
    """
    flat: Entries = {}

    def walk(key: str, value: Any) -> None:
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            value = _named(value)
        if isinstance(value, dict):
            for name, inner in value.items():
                if name not in _TEXTS:
                    walk(f"{key}.{name}" if key else str(name), inner)
        elif value is not None and value != []:
            flat[prefix + key] = _text(value)

    walk("", spec.model_dump(mode="json"))
    return flat


def _named(parts: list[dict[str, Any]]) -> dict[str, Any]:
    names = [part.get("name") for part in parts]
    if None in names or len(set(names)) < len(names):
        return {str(i): part for i, part in enumerate(parts)}
    return {str(part["name"]): part for part in parts}


def _text(value: Any) -> str:
    """As YAML writes it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_text(inner)}' for name, inner in value.items())}}}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def differences(specs: Sequence[Entries]) -> tuple[Difference, ...]:
    """The entries that are not the same in all specs, in the order of the first spec that has them."""
    keys = dict.fromkeys(key for spec in specs for key in spec)
    found = (Difference(key, tuple(spec.get(key) for spec in specs)) for key in keys)
    return tuple(entry for entry in found if len(set(entry.values)) > 1)


def grouped(specs: Sequence[Entries]) -> tuple[Difference, ...]:
    """The differences, each part that only some designs have, and have alike, as one row.

    A part is everything below a key path; its values are counts (``12 entries``). No part is formed of
    a single entry, nor where a design without it has anything below the same path.
    """
    found = differences(specs)
    below = [Counter(path for key in spec for path in _paths(key)) for spec in specs]
    members: dict[str, list[Difference]] = {}
    for entry in found:
        for path in _paths(entry.key):
            members.setdefault(path, []).append(entry)
    rows: dict[str, Difference] = {}
    for entry in found:
        part = next((p for p in _paths(entry.key) if _is_part(members[p], p, below)), None)
        if part is None:
            rows[entry.key] = entry
        else:
            text = f"{len(members[part])} entries"
            values = (text if i in entry.holders else None for i in range(len(specs)))
            rows[part] = Difference(part, tuple(values))
    return tuple(rows.values())


def _paths(key: str) -> Iterator[str]:
    """The key paths above an entry, shortest first: ``a.b`` of ``a.b.c`` behind ``a``."""
    names = key.split(".")
    return (".".join(names[:i]) for i in range(1, len(names)))


def _is_part(entries: Sequence[Difference], path: str, below: Sequence[Counter[str]]) -> bool:
    holders = entries[0].holders
    return (
        len(entries) > 1
        and len(holders) < len(below)
        and all(entry.holders == holders for entry in entries)
        and all(len({entry.values[i] for i in holders}) == 1 for entry in entries)
        and not any(count[path] for i, count in enumerate(below) if i not in holders)
    )
