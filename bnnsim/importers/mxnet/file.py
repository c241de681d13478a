"""MXNet's two files: a symbol (JSON) and its parameters (a list of NDArrays).

Formats: ``NDArray::Load`` and ``NDArray::Save`` in ``src/ndarray/ndarray.cc`` of MXNet 0.9 to 1.9, and
nnvm's ``SaveJSON``. A list begins with 0x112 and a reserved word; an array with its dimensions (up to
0.12) or a magic of its version (later).
"""

from __future__ import annotations

import ast
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.files.boundary import foreign_file
from bnnsim.importers.foreign.formats import MXNET, MXNET_PARAMETERS, check_format
from bnnsim.importers.onnx.graph import Array
from bnnsim.spec.bounds import MAX_ARRAYS
from bnnsim.spec.faults import InputError

_LIST = 0x112
_SIGNED = (0xF993FAC8, 0xF993FAC9, 0xF993FACA)
"""Magics of versions 1 to 3, whose dimensions have 64 bits; the last two say how they are stored."""
_TYPES = ("f4", "f8", "f2", "u1", "i4", "i1", "i8", "?")
_MOST_NODES = 100_000
_WHOLE = "a whole file of MXNet parameters"


@dataclass(frozen=True)
class Node:
    """An operator, or a variable where ``op`` is ``null``; ``inputs``: numbers of nodes."""

    op: str
    name: str
    inputs: tuple[int, ...]
    settings: Mapping[str, str]
    place: str

    def fault(self, expected: str, got: object) -> InputError:
        """An error that names this node."""
        return InputError(f"{self.place} ({self.op})", expected, str(got))

    def setting(self, key: str, default: Any) -> Any:
        """A setting as Python reads it: a number, a tuple, a word. Raises :class:`InputError`."""
        text = self.settings.get(key)
        if text is None:
            return default
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return text


@dataclass(frozen=True)
class Symbol:
    """Nodes, each behind those it reads, and which of them are the outputs."""

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]


def read_symbol(file: Path) -> Symbol:
    """A symbol's nodes. Raises :class:`InputError` where one reads what does not stand before it."""
    check_format(file, MXNET)
    with foreign_file(file, "a whole MXNet symbol"):
        content = json.loads(file.read_bytes())
        entries = content["nodes"]
        if not 0 < len(entries) <= _MOST_NODES:
            raise InputError(str(file), f"1 to {_MOST_NODES} nodes", str(len(entries)))
        nodes: list[Node] = []
        names: set[str] = set()
        for number, entry in enumerate(entries):
            settings: Any = next((entry[k] for k in ("attrs", "attr", "param") if entry.get(k)), {})
            name, op = str(entry["name"]), str(entry["op"])
            place = f"{file}: {name}"
            if name in names:
                raise InputError(str(file), "each name once", name)
            names.add(name)
            inputs = _first_outputs(entry["inputs"], place)
            if any(not 0 <= one < number for one in inputs):
                raise InputError(f"{place} ({op})", "inputs that stand before it", str(list(inputs)))
            texts = {str(key): str(value) for key, value in settings.items()}
            nodes.append(Node(op, name, inputs, texts, place))
        outputs = _first_outputs(content["heads"], f"{file}: heads")
        if not outputs or any(not 0 <= one < len(nodes) for one in outputs):
            raise InputError(str(file), "outputs among its nodes", str(list(outputs)))
        return Symbol(tuple(nodes), outputs)


def _first_outputs(entries: Sequence[Sequence[int]], place: str) -> tuple[int, ...]:
    """Which nodes ``[node, output, version]`` stand for. Raises :class:`InputError` on other outputs than
    the first: a BatchNorm's mean and variance."""
    others = [one for one in entries if len(one) > 1 and one[1] != 0]
    if others:
        raise InputError(place, "first outputs of nodes", str(list(others[0])))
    return tuple(int(one[0]) for one in entries)


def read_parameters(file: Path) -> dict[str, Array]:
    """The arrays of a list by their names, without ``arg:`` and ``aux:``.

    Raises :class:`InputError` where the file is cut, holds more than it says, or sparse arrays.
    """
    check_format(file, MXNET_PARAMETERS)
    with foreign_file(file, _WHOLE):
        stream = _Stream(file.read_bytes())
        magic, _, count = stream.take("QQQ")
        if magic != _LIST or count > MAX_ARRAYS:
            raise InputError(str(file), f"a list of at most {MAX_ARRAYS} arrays", f"{count}")
        arrays = [_array(stream, file) for _ in range(count)]
        (named,) = stream.take("Q")
        if named != count:
            raise InputError(str(file), "a name for each array", f"{named} for {count}")
        names = [stream.text() for _ in range(count)]
        if stream.left:
            raise InputError(str(file), "an end behind the names", f"{stream.left:,} bytes more")
        bare = [name.removeprefix("arg:").removeprefix("aux:") for name in names]
        if len(set(bare)) < count:
            raise InputError(str(file), "arrays of different names", "two of one")
        return dict(zip(bare, arrays, strict=True))


class _Stream:
    """Bytes that are taken one after the other, never beyond their end."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    @property
    def left(self) -> int:
        return len(self._content) - self._at

    def bytes(self, count: int) -> bytes:
        if not 0 <= count <= self.left:
            raise ValueError(f"{count:,} bytes wanted, {self.left:,} left")
        self._at += count
        return self._content[self._at - count : self._at]

    def take(self, form: str) -> tuple[int, ...]:
        return struct.unpack(f"<{form}", self.bytes(struct.calcsize(f"<{form}")))

    def text(self) -> str:
        (length,) = self.take("Q")
        return self.bytes(length).decode("utf-8", "replace")


def _array(stream: _Stream, file: Path) -> Array:
    (first,) = stream.take("I")
    if first in _SIGNED[1:]:
        (storage,) = stream.take("i")
        if storage != 0:
            raise InputError(str(file), "dense arrays", f"storage type {storage}")
    form = "I"
    if first in _SIGNED:
        (first,) = stream.take("I")
        form = "q"
    if first > 32:
        raise InputError(str(file), "arrays of at most 32 dimensions", f"{first}")
    shape = stream.take(f"{first}{form}")
    if not first:
        return np.zeros(0, np.float32)
    _, _, kind = stream.take("iii")  # where it lay, and the type of its elements
    if not 0 <= kind < len(_TYPES) or min(shape) < 0:
        raise InputError(str(file), f"arrays of {', '.join(_TYPES)}", f"type {kind}, {list(shape)}")
    dtype = np.dtype(_TYPES[kind]).newbyteorder("<")
    values = np.frombuffer(stream.bytes(prod(shape) * dtype.itemsize), dtype)
    return values.reshape(shape)
