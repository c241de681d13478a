"""The folder that a search leaves its results in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bnnsim.files.whole import replace_files
from bnnsim.spec.faults import InputError


def prepare_folder(folder: Path) -> None:
    """Make ``folder`` and prove that files can be made in it.

    Raises :class:`InputError` where they cannot, before any work is spent.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".write-test.")
        os.close(handle)
        Path(name).unlink()
    except OSError as error:
        raise output_fault(folder, error) from None


def write_files(folder: Path, texts: Mapping[str, str]) -> None:
    """Write ``texts`` by path below ``folder``; on any failure none of them is changed.

    Raises :class:`InputError` with the system's reason (disk full, not allowed, ...).
    """
    try:
        for name in texts:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        replace_files({folder / name: text.encode() for name, text in texts.items()})
    except OSError as error:
        raise output_fault(Path(error.filename or folder), error) from None


def output_fault(place: Path, error: OSError) -> InputError:
    """What the system said about writing to ``place``, as a message."""
    reason = (error.strerror or str(error)).lower()
    return InputError(str(place), "room and permission to write here", reason)
