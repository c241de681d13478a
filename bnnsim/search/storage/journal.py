"""A study's journal on disk: Optuna's own file format, owned by one process, whole at any moment.

Optuna's file backend locks with a second file, which a killed process leaves behind, and reads the
whole file back; this one holds a lock of the kernel's for as long as it lives, cuts off a line that a
kill or a full disk left unfinished, and writes a batch with one flush. Files are the same: Optuna and
optuna-dashboard open them.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from bnnsim.files.whole import no_place
from bnnsim.spec.faults import InputError


class Journal(BaseJournalBackend):
    """The log of one study file, in memory and on disk.

    Entries are on disk once :meth:`flush` has returned. Raises :class:`InputError` where the file
    cannot be written, is no journal, or belongs to a search that is still running.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending: list[bytes] = []
        try:
            self._file = open(path, "a+b")  # noqa: SIM115 (kept open: it carries the lock)
        except OSError as error:
            raise no_place(path, error) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise InputError(
                str(path), "a folder that no other search is writing to", "one that is in use"
            ) from None
        self._logs = self._read()

    def _read(self) -> list[dict[str, Any]]:
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            self._file.truncate(whole)
        try:
            return [json.loads(line) for line in content[:whole].splitlines()]
        except ValueError:
            raise InputError(str(self.path), "a journal of Optuna's", "something else") from None

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """Entries from a position on."""
        yield from self._logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Take entries; they reach the disk with the next :meth:`flush`."""
        for log in logs:
            line = json.dumps(log, separators=(",", ":"))
            self._pending.append(line.encode() + b"\n")
            self._logs.append(json.loads(line))

    def flush(self) -> None:
        """Bring everything to disk, or, where the disk does not take it, leave the file as it was."""
        size = os.fstat(self._file.fileno()).st_size
        try:
            self._file.write(b"".join(self._pending))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            os.ftruncate(self._file.fileno(), size)
            raise no_place(self.path, error) from None
        self._pending.clear()

    def close(self) -> None:
        """Give the file free for another search."""
        self._file.close()
