"""A study's journal on disk: Optuna's own file format, owned by one process, whole at any moment.

Optuna's file backend locks with a second file, which a killed process leaves behind, and reads the
whole file back; this one holds a lock of the kernel's for as long as it lives, cuts off a line that a
kill or a full disk left unfinished, and writes a batch with one flush. Files are the same: Optuna and
optuna-dashboard open them. Every line ends with a key of this project's own, which Optuna passes over:
the checksum of its text (:mod:`bnnsim.search.storage.journal_line`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from bnnsim.files.lock import try_lock
from bnnsim.files.whole import no_place
from bnnsim.search.storage.journal_line import JournalLine, read_lines, sealed
from bnnsim.spec.faults import Fault, InputError, SpecError


class Journal:
    """The file of a search's studies, for this process alone.

    ``lines`` are those of earlier sessions, and what begins the studies of this one. Raises
    :class:`SpecError` where the file cannot be written, belongs to a search that is still running, or has
    a line that is damaged, lost or not its own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # Kept open, since it carries the lock; without a buffer, which would write what a full disk
            # did not take once more when it is closed.
            self._file = open(path, "a+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise no_place(path, error) from None
        try:
            try_lock(self._file.fileno())
        except OSError:
            self._file.close()
            raise InputError(
                str(path), "a folder that no other search is writing to", "one that is in use"
            ) from None
        try:
            self.lines: list[JournalLine] = self._read()
        except SpecError:
            self.close()
            raise

    def _read(self) -> list[JournalLine]:
        try:
            self._file.seek(0)
            content = self._file.read()
            whole = content.rfind(b"\n") + 1
            lines = read_lines(str(self.path), content[:whole])
            if whole < len(content):
                self._file.truncate(whole)
        except OSError as error:
            raise no_place(self.path, error) from None
        self._size = whole
        return lines

    def fault(self, line: int, expected: str, got: str) -> SpecError:
        """What is wrong with a line of this journal, as a sentence with its number."""
        return SpecError([Fault(str(self.path), line, "", expected, got)])

    def write(self, texts: Sequence[str], key: str) -> None:
        """Bring lines to disk, or, where the disk does not take them, leave the file as it was.

        ``key`` goes into their checksums (see :func:`~bnnsim.search.storage.journal_line.sealed`).
        """
        self.check()
        content = b"".join(sealed(text, key) + b"\n" for text in texts)
        try:
            while content:
                content = content[self._file.write(content) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            os.ftruncate(self._file.fileno(), self._size)
            raise no_place(self.path, error) from None
        finally:  # after Ctrl-C too: what is in the file now is this search's
            self._size = os.fstat(self._file.fileno()).st_size

    def check(self) -> None:
        """Raise :class:`InputError` where what was written is no longer in the folder as it was."""
        expected = "the journal that this search writes, as it left it"
        ours = os.fstat(self._file.fileno())
        try:
            found = os.stat(self.path)
        except OSError:
            got = "none: it was deleted or moved, and the trials in it with it"
            raise InputError(str(self.path), expected, got) from None
        if (found.st_dev, found.st_ino) != (ours.st_dev, ours.st_ino):
            raise InputError(str(self.path), expected, "another file in its place")
        if found.st_size != self._size:
            got = f"{found.st_size:,} bytes instead of {self._size:,}"
            raise InputError(str(self.path), expected, got)

    def close(self) -> None:
        """Give the file free for another search."""
        self._file.close()
