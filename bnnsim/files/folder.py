"""A folder of results: tried before any work is spent, its files changed together or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bnnsim.files.part import new_part, remove_orphans
from bnnsim.files.whole import no_place, replace_files


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
