"""A folder of results: tried before any work is spent, its files changed together or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from bnnsim.files.part import new_part, remove_orphans
from bnnsim.files.whole import no_place, replace_files
from bnnsim.spec.faults import InputError


def check_new_folder(folder: Path) -> None:
    """Refuse, before any work, a folder that holds something already or cannot be made.

    Raises :class:`~bnnsim.spec.faults.InputError`.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            got = "one with files in it" if folder.is_dir() else "a file"
            raise InputError(str(folder), "a folder that is new or empty", got)
        place = folder.absolute()
        while not os.path.lexists(place):
            place = place.parent
        if not place.is_dir():
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(place, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    except (OSError, ValueError) as error:
        raise no_place(folder, error) from None


def prepare_folder(folder: Path) -> None:
    """Make ``folder`` and prove that files can be made in it; remove what killed runs left there.

    Raises :class:`~bnnsim.spec.faults.InputError` where they cannot, before any work is spent.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place in (folder, *(path for path in folder.iterdir() if path.is_dir())):
            remove_orphans(place)
        with new_part(folder / "write-test"):
            pass
    except OSError as error:
        raise no_place(folder, error) from None


def write_files(folder: Path, texts: Mapping[str, str]) -> None:
    """Write ``texts`` by path below ``folder``; on any failure none of them is changed.

    Raises :class:`~bnnsim.spec.faults.InputError` with the system's reason (disk full, not allowed, ...).
    """
    try:
        for name in texts:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        replace_files({folder / name: text.encode() for name, text in texts.items()})
    except OSError as error:
        raise no_place(Path(error.filename or folder), error) from None
