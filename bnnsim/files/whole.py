"""Files that are either whole or not there: written beside their places first, then moved onto them."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from bnnsim.spec.faults import InputError


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of ``path`` once everything has been written.

    Raises ``OSError`` where that cannot be; what was at ``path`` is then untouched.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(_usual_mode())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def whole_text(path: Path) -> Iterator[TextIO]:
    """The same for text: UTF-8, lines ending alike on every system."""
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
        yield text
        text.flush()
        text.detach()


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write every file beside its place, then move all of them, in order.

    Raises ``OSError`` with the file's name; what was there before is then untouched unless a move itself
    failed.
    """
    beside: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, content in contents.items():
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            beside.append((Path(name), path))
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(_usual_mode())
        for part, path in beside:
            part.replace(path)
    except OSError as error:
        error.filename = str(path)  # writing itself knows no name, making a file the temporary one
        raise
    finally:
        for part, _ in beside:
            part.unlink(missing_ok=True)


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
