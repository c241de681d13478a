"""Files that are either whole or not there: written beside their places first, then moved onto them."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from bnnsim.files.part import Part, new_part
from bnnsim.spec.faults import InputError

WRITTEN_AT_ONCE = 16
"""Files that wait for the disk together: one flush of its journal serves all of them, so 257 designs of a
search take a tenth of the time."""


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of ``path`` once everything has been written.

    A link stays, and what it points to is replaced; what is no file (a pipe, a device) is written to.
    Raises ``OSError`` where that cannot be; what was at ``path`` is then untouched.
    """
    place = target_of(path)
    if place.exists() and not place.is_file():
        with open(place, "wb") as file:
            yield file
        return
    with new_part(place) as part:
        with os.fdopen(part.handle, "wb", closefd=False) as file:
            yield file
            file.flush()
            os.fsync(part.handle)
        part.path.chmod(_usual_mode())
        part.move_onto(place)


def target_of(path: Path) -> Path:
    """The place that ``path`` means: itself, or what it is a link to. Raises ``OSError`` for a circle."""
    if not path.is_symlink():
        return path
    try:
        return path.resolve()
    except RuntimeError:  # what Python 3.11 says of a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None


@contextmanager
def whole_text(path: Path) -> Iterator[TextIO]:
    """The same for text: UTF-8, lines ending alike on every system."""
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
        yield text
        text.flush()
        text.detach()


def save_text(path: str | Path, text: str) -> Path:
    """Write a text, whole or not at all; its path. Raises ``InputError`` where that cannot be."""
    place = Path(path)
    try:
        with whole_text(place) as file:
            file.write(text)
    except (OSError, ValueError) as error:
        raise no_place(place, error) from None
    return place


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write every file beside its place, then move all of them, in order.

    Raises ``OSError`` with the file's name; what was there before is then untouched unless a move itself
    failed.
    """
    path = Path()
    with ExitStack() as stack:
        parts: dict[Path, Part] = {}  # a folder of parts beside the files of each folder
        places: list[tuple[Path, Path, bytes]] = []
        try:
            for path, content in contents.items():
                place = target_of(path)
                if place.parent not in parts:
                    parts[place.parent] = stack.enter_context(new_part(place, is_folder=True))
                places.append((parts[place.parent].path / str(len(places)), place, content))
            with ThreadPoolExecutor(WRITTEN_AT_ONCE) as pool:
                written = [pool.submit(_write, beside, content) for beside, _, content in places]
                for (_, place, _), done in zip(places, written, strict=True):
                    path = place
                    done.result()
            for beside, path, _ in places:
                beside.replace(path)
        except OSError as error:
            error.filename = str(path)  # writing itself knows no name, a part has the temporary one
            raise


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _usual_mode() -> int:
    """What a new file may be used for; a temporary file's own mode is for its owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def check_target(target: str | Path | None) -> None:
    """Refuse, before any work, a file that could not be written (``-`` is stdout).

    Raises :class:`~bnnsim.spec.faults.InputError`.
    """
    if target is None or target == "-":
        return
    path = Path(target)
    try:
        path = target_of(path)
        path.parent.stat()
        if path.is_dir():
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not path.parent.is_dir():
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(path.parent, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    except (OSError, ValueError) as error:
        raise no_place(path, error) from None


def no_place(path: Path, error: OSError | ValueError) -> InputError:
    """What the system said about a file or folder that cannot be written, as a message."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return InputError(str(path), "a place to write", reason)
