"""Many growing records in one temporary file: what a long run leaves behind without filling memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType

CHUNK_BYTES = 1 << 14


class Spool:
    """``tracks`` independent sequences of fixed-size records, appended in any order.

    Memory is one chunk a track; full chunks go to an unnamed temporary file.
    """

    def __init__(self, record_bytes: list[int]) -> None:
        self._file = tempfile.TemporaryFile(prefix="bnnsim-")  # noqa: SIM115 - closed in close()
        self._record_bytes = record_bytes
        self._open = [bytearray() for _ in record_bytes]
        self._chunks: list[list[int]] = [[] for _ in record_bytes]
        self._chunk_bytes = [max(1, CHUNK_BYTES // size) * size for size in record_bytes]
        self._end = 0

    def append(self, track: int, record: bytes) -> None:
        """Add one record of the track's size."""
        chunk = self._open[track]
        chunk += record
        if len(chunk) >= self._chunk_bytes[track]:
            self._file.seek(self._end)
            self._file.write(chunk)
            self._chunks[track].append(self._end)
            self._end += len(chunk)
            chunk.clear()

    def records(self, track: int) -> Iterator[bytes]:
        """All records of a track, in the order in which they were appended."""
        size = self._record_bytes[track]
        for start in self._chunks[track]:
            self._file.seek(start)
            chunk = self._file.read(self._chunk_bytes[track])
            for at in range(0, len(chunk), size):
                yield chunk[at : at + size]
        rest = bytes(self._open[track])
        for at in range(0, len(rest), size):
            yield rest[at : at + size]

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
