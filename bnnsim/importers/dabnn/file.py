"""daBNN's .dab files: FlatBuffers by the schema ``common/dab.fbs`` of its repository, version 2.

Weights lie ``(out, rows, columns, in)``. Those of binary convolutions are bits in 64-bit words, least
significant first, 1 for what is above 0; each output's row begins anew at a multiple of 128 bits, but
with 64 channels, which fill their words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.importers.foreign.flatbuffer import MOST_ENTRIES, read_flatbuffer
from bnnsim.importers.foreign.formats import DABNN
from bnnsim.importers.onnx.graph import Array
from bnnsim.spec.bounds import MAX_ARRAY_BYTES
from bnnsim.spec.faults import InputError

VERSION = 2
_WORD_BITS, _ROW_BITS = 64, 128
_TYPES = (
    *("FpConv2D", "AvePool", "MaxPool", "Relu", "Softmax", "FC", "Add", "Concat", "BinConv2D"),
    *("Affine", "Binarize", "Split", "Shuffle", "PRelu"),
)
"""The schema's LayerType in its order."""
_WINDOW = (("pads", "ints"), ("strides", "ints"))
_CONV = (("input", "text"), ("weight", "text"), ("bias", "text"), *_WINDOW, ("dilations", "ints"))
_POOL = (("input", "text"), ("kernel_shape", "ints"), *_WINDOW, ("output", "text"))
_LAYERS: Mapping[str, tuple[int, tuple[tuple[str, str], ...]]] = {
    "FpConv2D": (1, (*_CONV, ("output", "text"))),
    "BinConv2D": (2, (*_CONV, ("output", "text"))),
    "AvePool": (3, _POOL),
    "MaxPool": (4, _POOL),
    "Relu": (5, (("input", "text"), ("output", "text"))),
    "Softmax": (6, (("input", "text"), ("output", "text"))),
    "Add": (8, (("input1", "text"), ("input2", "text"), ("output", "text"))),
    "Concat": (9, (("inputs", "texts"), ("axis", "int"), ("output", "text"))),
    "Affine": (10, (("input", "text"), ("a", "text"), ("b", "text"), ("output", "text"))),
    "PRelu": (15, (("input", "text"), ("slope", "text"), ("output", "text"))),
}
"""Where in a Layer its parameters stand, and their fields in the schema's order."""


@dataclass(frozen=True)
class Layer:
    """A layer: its kind by the schema's name, and its fields."""

    kind: str
    fields: Mapping[str, Any]
    place: str

    @property
    def output(self) -> str:
        """The tensor that it makes."""
        return str(self.fields["output"])

    def fault(self, expected: str, got: object) -> InputError:
        """An error that names this layer."""
        return InputError(f"{self.place} ({self.kind})", expected, str(got))


@dataclass(frozen=True)
class DabModel:
    """A file's network: the input ``(rows, columns, channels)``, and tensors by name.

    ``stray``: of weights in bits, how many bits are 1 behind each output's row. There should be none, but
    daBNN's converter writes the next row's there where a row ends in the first half of its 128 bits; its
    kernels count them all, since inputs are 0 there.
    """

    input: str
    shape: tuple[int, int, int]
    layers: tuple[Layer, ...]
    tensors: Mapping[str, Array]
    stray: Mapping[str, Array]


def read_dab(path: str | Path) -> DabModel:
    """The network of a ``.dab`` file.

    Raises :class:`InputError` where the package is missing, the file is broken or of another version,
    or it holds a layer that daBNN's converter does not write.
    """
    return read_flatbuffer(path, DABNN, "a whole file of daBNN", _read)


class _Table:
    """A table of the file: its fields by number. Raises ``struct.error``, ``ValueError`` or
    ``IndexError`` where the file ends too soon."""

    def __init__(self, content: bytearray, position: int) -> None:
        from flatbuffers.table import Table

        if not 0 <= position < len(content):
            raise ValueError("a table within the file")
        self._content = content
        self._table = Table(content, position)

    def _at(self, field: int) -> int:
        found = int(self._table.Offset(4 + 2 * field))
        return found + int(self._table.Pos) if found else 0

    def number(self, field: int, kind: str, default: int = 0) -> int:
        """``kind``: numpy's letters of an integer, such as ``<u4``."""
        at = self._at(field)
        return int(np.frombuffer(self._content, kind, 1, at)[0]) if at else default

    def table(self, field: int) -> _Table | None:
        at = self._at(field)
        return _Table(self._content, int(self._table.Indirect(at))) if at else None

    def text(self, field: int) -> str:
        at = self._at(field)
        return self._string(at) if at else ""

    def _string(self, at: int) -> str:
        start = int(self._table.Indirect(at))
        length = int(np.frombuffer(self._content, "<u4", 1, start)[0])
        if start + 4 + length > len(self._content):
            raise ValueError("a text within the file")
        return bytes(self._content[start + 4 : start + 4 + length]).decode("utf-8", "replace")

    def _vector(self, field: int) -> tuple[int, int]:
        at = self._at(field)
        if not at:
            return 0, 0
        start = int(self._table.Indirect(at))
        return start + 4, int(np.frombuffer(self._content, "<u4", 1, start)[0])

    def numbers(self, field: int, kind: str) -> Array:
        start, count = self._vector(field)
        if count * np.dtype(kind).itemsize > min(MAX_ARRAY_BYTES, len(self._content)):
            raise ValueError("a list within the file")
        return np.frombuffer(self._content, kind, count, start).copy()

    def tables(self, field: int) -> list[_Table]:
        return [_Table(self._content, at) for at in self._places(field)]

    def texts(self, field: int) -> list[str]:
        start, count = self._vector(field)
        return [self._string(start + 4 * i) for i in range(min(count, MOST_ENTRIES))]

    def _places(self, field: int) -> list[int]:
        start, count = self._vector(field)
        if count > MOST_ENTRIES:
            raise ValueError(f"at most {MOST_ENTRIES} layers and tensors")
        return [int(self._table.Indirect(start + 4 * i)) for i in range(count)]


def _read(file: Path) -> DabModel:
    content = bytearray(file.read_bytes())
    root = _Table(content, int(np.frombuffer(content, "<u4", 1)[0]))
    version = root.number(3, "<u4")
    if version != VERSION:
        way = f"version {VERSION} (convert the ONNX model with onnx2bnn again)"
        raise InputError(str(file), way, str(version))
    inputs = root.tables(2)
    if len(inputs) != 1:
        raise InputError(str(file), "one input", str(len(inputs)))
    shape = [int(size) for size in inputs[0].numbers(0, "<u4")]
    if len(shape) != 4 or min(shape) < 1:
        raise InputError(str(file), "an input [1, rows, columns, channels]", str(shape))
    tensors: dict[str, Array] = {}
    stray: dict[str, Array] = {}
    for stored in root.tables(1):
        name = stored.text(4)
        place = f"{file}: tensor {name}"
        if name in tensors:
            raise InputError(place, "tensors of different names", "two of one name")
        if stored.number(0, "i1"):
            tensors[name], stray[name] = _bits(stored, _shape(stored), place)
        else:
            tensors[name] = _numbers(stored, _shape(stored), place)
    layers = tuple(_layer(one, f"{file}: layer {i}") for i, one in enumerate(root.tables(0)))
    size = (shape[1], shape[2], shape[3])
    return DabModel(inputs[0].text(1), size, layers, tensors, stray)


def _shape(stored: _Table) -> tuple[int, ...]:
    return tuple(int(size) for size in stored.numbers(3, "<u4"))


def _numbers(stored: _Table, shape: tuple[int, ...], place: str) -> Array:
    values = stored.numbers(2, "<f4")
    if values.size != prod(shape):
        expected = f"{prod(shape)} numbers, as its shape {list(shape)} says"
        raise InputError(place, expected, str(values.size))
    return values.reshape(shape)


def _bits(stored: _Table, shape: tuple[int, ...], place: str) -> tuple[Array, Array]:
    """Weights of -1 and +1, and how many bits behind each row are 1. Raises :class:`InputError`."""
    words = stored.numbers(1, "<u8")
    if len(shape) != 4 or not 0 < prod(shape) <= _WORD_BITS * words.size:
        raise InputError(place, "bits of a shape [out, rows, columns, in]", str(list(shape)))
    row = prod(shape[1:])
    width = -(-row // _ROW_BITS) * _ROW_BITS if stored.number(5, "u1") else row
    if words.size * _WORD_BITS != shape[0] * width:
        expected = f"{shape[0] * width // _WORD_BITS} words for its shape {list(shape)}"
        raise InputError(place, expected, str(words.size))
    bits = np.unpackbits(words.view(np.uint8), bitorder="little").reshape(shape[0], width)
    weights = (2.0 * bits[:, :row] - 1.0).astype(np.float32).reshape(shape)
    return weights, bits[:, row:].sum(axis=1, dtype=np.int64)


def _layer(stored: _Table, place: str) -> Layer:
    number = stored.number(0, "i1")
    kind = _TYPES[number] if 0 <= number < len(_TYPES) else f"type {number}"
    if kind not in _LAYERS:
        expected = (
            f"a layer that daBNN's converter writes and its runtime runs ({', '.join(_LAYERS)})"
        )
        raise InputError(place, expected, kind)
    at, fields = _LAYERS[kind]
    own = stored.table(at)
    if own is None:
        raise InputError(f"{place} ({kind})", "its parameters", "none")
    found: dict[str, Any] = {}
    for field, (name, what) in enumerate(fields):
        if what == "ints":
            found[name] = [int(one) for one in own.numbers(field, "<i4")]
        elif what == "int":
            found[name] = own.number(field, "<i4")
        else:
            found[name] = own.texts(field) if what == "texts" else own.text(field)
    return Layer(kind, found, place)
