"""JSON files of other tools, read within bounds: whole, one object, each name once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bnnsim.files.boundary import foreign_file
from bnnsim.spec.bounds import MAX_SPEC_BYTES
from bnnsim.spec.faults import InputError


def read_json_object(path: str | Path, expected: str) -> dict[str, Any]:
    """The object that a JSON file holds; ``expected`` says what the file should be.

    Raises :class:`InputError` on anything else: no file, one that ends early, another value, a name
    that stands there twice.

    Example:
        >>> read_json_object("gone.json", "a report, a JSON object")
        Traceback (most recent call last):
        ...
        bnnsim.spec.faults.InputError: gone.json: expected a report, a JSON object, got nothing there
    """
    file = Path(path)
    try:
        size = file.stat().st_size
    except OSError:
        raise InputError(str(path), expected, "nothing there") from None
    if size > MAX_SPEC_BYTES:
        raise InputError(str(path), f"a file of at most {MAX_SPEC_BYTES:,} bytes", f"{size:,}")
    with foreign_file(path, expected, f"{size} bytes"):
        data = json.loads(file.read_bytes(), object_pairs_hook=lambda pairs: _object(path, pairs))
    if not isinstance(data, dict):
        raise InputError(str(path), expected, type(data).__name__)
    return data


def _object(path: str | Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(str(path), "each name once", twice)
    return found
