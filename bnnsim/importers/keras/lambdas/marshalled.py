"""Code objects as Python's marshal writes them, read as data, within bounds; nothing is ever run.

Source: CPython's Python/marshal.c, versions 3.6 to 3.13.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

_MARK = 0x80
"""Set in a type's byte where later bytes may refer to the object."""
_MOST_BYTES, _DEEPEST = 1 << 16, 8
_COUNTS = (5, 6)
"""Numbers in front of the instructions: six in Python 3.8 to 3.10."""


class Unread(Exception):
    """Bytes or code whose meaning is not known."""


@dataclass(frozen=True)
class Code:
    """A code object. ``numbers``: five or six, the first of them its arguments that may be given by
    position, the last its flags. ``locals``: names of its variables, from Python 3.11 on its free ones
    too.
    """

    numbers: tuple[int, ...]
    instructions: bytes
    constants: tuple[Any, ...]
    names: tuple[Any, ...]
    locals: tuple[Any, ...]


def read_code(data: bytes) -> Code:
    """The code object in ``data``. Raises :class:`Unread`."""
    if len(data) > _MOST_BYTES:
        raise Unread(f"{len(data)} bytes")
    reader = _Reader(data)
    if reader.taken("B") & ~_MARK != ord("c"):
        raise Unread("no code object")
    reader.kept += [None] if data[0] & _MARK else []
    start = reader.at
    for count in _COUNTS:
        reader.at = start + 4 * count
        if reader.seen() == "s":
            break
    else:
        raise Unread("instructions elsewhere")
    numbers = struct.unpack_from(f"<{count}i", data, start)
    parts = [reader.value() for _ in range(4)]
    instructions, constants, names, own = parts
    if not (isinstance(instructions, bytes) and all(isinstance(one, tuple) for one in parts[1:])):
        raise Unread("other parts")
    return Code(numbers, instructions, constants, names, own)


class _Reader:
    """Values one after the other: numbers, text, None, Ellipsis, tuples of these, references to them."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.kept: list[Any] = []

    def taken(self, form: str) -> int:
        if self.at + struct.calcsize(f"<{form}") > len(self.data):
            raise Unread("bytes that end early")
        (found,) = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return int(found)

    def seen(self) -> str:
        """The type of the value that comes next."""
        return chr(self.data[self.at] & ~_MARK) if self.at < len(self.data) else ""

    def value(self, depth: int = 0) -> Any:
        mark = self.taken("B")
        slot = len(self.kept)
        if mark & _MARK:
            self.kept.append(Unread)  # until it is whole
        found = self._of(chr(mark & ~_MARK), depth)
        if mark & _MARK:
            self.kept[slot] = found
        return found

    def _of(self, kind: str, depth: int) -> Any:
        if kind in _SINGLE:
            return _SINGLE[kind]
        if kind == "i":
            return self.taken("i")
        if kind == "s":
            return self._bytes("i")
        if kind in _TEXT:
            size, encoding = _TEXT[kind]
            return self._bytes(size).decode(encoding, "replace")
        if kind in _TUPLES:
            if depth == _DEEPEST:
                raise Unread("tuples in tuples")
            return tuple(self.value(depth + 1) for _ in range(self._count(_TUPLES[kind])))
        if kind == "r":
            index = self.taken("i")
            if not 0 <= index < len(self.kept) or self.kept[index] is Unread:
                raise Unread("a reference to what is not there")
            return self.kept[index]
        raise Unread(f"a value of type {kind!r}")

    def _count(self, form: str) -> int:
        count = self.taken(form)
        if not 0 <= count <= len(self.data) - self.at:
            raise Unread("bytes that end early")
        return count

    def _bytes(self, form: str) -> bytes:
        count = self._count(form)
        self.at += count
        return self.data[self.at - count : self.at]


_SINGLE: dict[str, Any] = {"N": None, "T": True, "F": False, ".": Ellipsis}
_TUPLES = {"(": "i", ")": "B"}
_TEXT = {
    **dict.fromkeys("aA", ("i", "latin-1")),
    **dict.fromkeys("zZ", ("B", "latin-1")),
    **dict.fromkeys("tu", ("i", "utf-8")),
}
