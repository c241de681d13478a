"""Parts: files and folders that are written beside their place, and what a killed run left of them.

A part is locked by the kernel for as long as its writer lives; one that nobody holds is a dead run's, and
the next run that writes into the same folder removes it. On a system without such locks nobody removes
anything, and a folder has no handle.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bnnsim.files.lock import HAS_LOCKS, try_lock

SUFFIX = ".bnnsim-part"
_MOST_OF_A_NAME = 100
"""Characters of the place's name that a part's name has; the system has a limit for names."""


@dataclass
class Part:
    """A part at ``path``, held through ``handle``: of a file, where its content goes."""

    path: Path
    handle: int

    def move_onto(self, place: Path) -> None:
        """Put a file in its place; a system without locks moves none that is open."""
        if not HAS_LOCKS:
            self.close()
        self.path.replace(place)

    def close(self) -> None:
        """Let go of it, once."""
        handle, self.handle = self.handle, _NO_HANDLE
        if handle != _NO_HANDLE:
            os.close(handle)


_NO_HANDLE = -1


@contextlib.contextmanager
def new_part(place: Path, is_folder: bool = False) -> Iterator[Part]:
    """An empty part beside ``place``; it is gone after the block unless it was moved away.

    Raises ``OSError`` where the folder takes none.
    """
    remove_orphans(place.parent)
    part = _locked(place, is_folder)
    try:
        yield part
    finally:
        if not HAS_LOCKS:
            part.close()
        with contextlib.suppress(OSError):
            _remove(part.path)
        part.close()


def _locked(place: Path, is_folder: bool) -> Part:
    prefix = f".{place.name[:_MOST_OF_A_NAME]}."
    while True:
        if is_folder:
            name = tempfile.mkdtemp(dir=place.parent, prefix=prefix, suffix=SUFFIX)
            handle = os.open(name, os.O_RDONLY) if HAS_LOCKS else _NO_HANDLE
        else:
            handle, name = tempfile.mkstemp(dir=place.parent, prefix=prefix, suffix=SUFFIX)
        if HAS_LOCKS:
            with contextlib.suppress(OSError):  # file systems without locks: nobody removes anything
                try_lock(handle)
        if Path(name).exists():  # another run may have taken it for a dead one's before it was locked
            return Part(Path(name), handle)
        os.close(handle)


def remove_orphans(folder: Path) -> None:
    """Remove what killed runs left in ``folder``: parts that no living process holds."""
    if not HAS_LOCKS:
        return
    with contextlib.suppress(OSError):
        for path in folder.glob(f".*{SUFFIX}"):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                try_lock(handle)
                _remove(path)
            except OSError:
                continue  # a living run's
            finally:
                os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
