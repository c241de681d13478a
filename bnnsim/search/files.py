"""Files that are whole or not there: written beside their places first, then all renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

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
    beside: list[tuple[Path, Path]] = []
    place = folder
    try:
        for name, text in texts.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
            beside.append((Path(temporary), place))
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).chmod(0o644)
        for written, place in beside:
            written.replace(place)
    except OSError as error:
        raise output_fault(place, error) from None
    finally:
        for written, _ in beside:
            written.unlink(missing_ok=True)


def output_fault(place: Path, error: OSError) -> InputError:
    """What the system said about writing to ``place``, as a message."""
    reason = (error.strerror or str(error)).lower()
    return InputError(str(place), "room and permission to write here", reason)
