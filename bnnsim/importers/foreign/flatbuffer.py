"""Files that are FlatBuffers: told by their content, and read in a child process with limits."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from bnnsim.files.boundary import foreign_file
from bnnsim.files.limited_process import read_limited
from bnnsim.importers.foreign.formats import Format, check_format
from bnnsim.spec.faults import InputError

MOST_ENTRIES = 100_000
"""Tensors, or operators, of a file."""
Read = TypeVar("Read")


def read_flatbuffer(
    path: str | Path, kind: Format, whole: str, read: Callable[[Path], Read], *packages: str
) -> Read:
    """What ``read`` makes of the file, which is a ``kind``; ``whole`` says it, as in a fault.

    ``packages`` beside flatbuffers are needed. Raises :class:`InputError` where one is missing, or the
    file is of another kind, damaged, or takes too long.
    """
    needed = (*packages, "flatbuffers")
    if any(find_spec(name) is None for name in needed):
        said = "package" if len(needed) == 1 else "packages"
        expected = f"the {said} {' and '.join(needed)} (pip install {' '.join(needed)})"
        raise InputError(str(path), expected, "not installed")
    file = Path(path)
    check_format(file, kind)

    def guarded() -> Read:
        with foreign_file(file, whole):
            return read(file)

    return read_limited(guarded, str(path), whole)
