"""A ``.dab`` file of daBNN as a graph of steps on tensors as they lie there, channels last.

By the schema of its repository (common/dab.fbs) and by what its kernels compute: bits are what is above
0, the border is 0 bits, a binary convolution counts the bits that differ. Bits are -1 and +1 here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bnnsim.reference.graph import Array, ReferenceGraph, Step
from bnnsim.reference.keras.layers import softmax
from bnnsim.reference.onnx_operators import refusing
from bnnsim.reference.windows import convolved, maxima, means
from bnnsim.spec.faults import InputError

Run = Callable[[Sequence[Array]], Array]
_REAL, _POOLS = 0, {1: means, 2: maxima}
_RELU, _SOFTMAX, _ADD, _CONCAT, _BINARY, _AFFINE, _PRELU = 3, 4, 6, 7, 8, 9, 13
_PARAMETERS = {_REAL: 1, _BINARY: 2, 1: 3, 2: 4, _RELU: 5, _SOFTMAX: 6}
_PARAMETERS |= {_ADD: 8, _CONCAT: 9, _AFFINE: 10, _PRELU: 15}
"""Which field of a layer has what a layer of that type is made of."""


class _Record:
    """A FlatBuffers table by plain offsets: 32 bits to a field's value, 16 bits a field in its index."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at
        self.index = at - struct.unpack_from("<i", data, at)[0]
        self.fields = (struct.unpack_from("<H", data, self.index)[0] - 4) // 2

    def place(self, field: int) -> int:
        if field >= self.fields:
            return 0
        offset = int(struct.unpack_from("<H", self.data, self.index + 4 + 2 * field)[0])
        return self.at + offset if offset else 0

    def jump(self, at: int) -> int:
        return at + int(struct.unpack_from("<I", self.data, at)[0])

    def byte(self, field: int) -> int:
        at = self.place(field)
        return self.data[at] if at else 0

    def record(self, field: int) -> _Record:
        return _Record(self.data, self.jump(self.place(field)))

    def word(self, field: int) -> str:
        return self._word(self.place(field)) if self.place(field) else ""

    def _word(self, at: int) -> str:
        start = self.jump(at)
        return self.data[start + 4 : self.jump_end(start)].decode()

    def jump_end(self, start: int) -> int:
        return start + 4 + int(struct.unpack_from("<I", self.data, start)[0])

    def numbers(self, field: int, kind: str) -> Array:
        if not self.place(field):
            return np.zeros(0, kind)
        start = self.jump(self.place(field))
        count = struct.unpack_from("<I", self.data, start)[0]
        return np.frombuffer(self.data, kind, count, start + 4)

    def places(self, field: int) -> list[int]:
        start = self.jump(self.place(field))
        return [start + 4 + 4 * i for i in range(struct.unpack_from("<I", self.data, start)[0])]

    def records(self, field: int) -> list[_Record]:
        return [_Record(self.data, self.jump(at)) for at in self.places(field)]

    def words(self, field: int) -> list[str]:
        return [self._word(at) for at in self.places(field)]


def read_dabnn_model(path: str | Path) -> ReferenceGraph:
    """The model of a file; the signs that a binary convolution ``y`` reads are called ``y/bits``.

    Raises :class:`InputError`.
    """
    data = Path(path).read_bytes()
    root = _Record(data, struct.unpack_from("<I", data, 0)[0])
    constants = {one.word(4): _values(one) for one in root.records(1)}
    behind = {one.word(4): _bits_behind(one) for one in root.records(1) if one.byte(0)}
    given = root.records(2)[0]
    steps: list[Step] = []
    for number, layer in enumerate(root.records(0)):
        steps += _steps(layer, behind, f"{path}: layer {number}")
    read = {name for step in steps for name in step.inputs}
    outputs = tuple(name for step in steps for name in step.outputs if name not in read)
    shape = tuple(int(one) for one in given.numbers(0, "<u4"))[1:]
    return ReferenceGraph(
        str(path), given.word(1), shape, outputs, tuple(steps), constants, channels_last=True
    )


def _values(tensor: _Record) -> Array:
    """Weights ``(out, in, rows, columns)``; bits as -1 and +1."""
    shape = [int(one) for one in tensor.numbers(3, "<u4")]
    if not tensor.byte(0):
        values = tensor.numbers(2, "<f4").astype(np.float64).reshape(shape)
        return values.transpose(0, 3, 1, 2) if len(shape) == 4 else values
    kept = _all_bits(tensor)[:, : int(np.prod(shape[1:]))]
    return (2.0 * kept - 1.0).reshape(shape).transpose(0, 3, 1, 2)


def _all_bits(tensor: _Record) -> Array:
    """``(out, bits)``, what stands behind a row's weights too."""
    rows = tensor.numbers(1, "<u8").reshape(int(tensor.numbers(3, "<u4")[0]), -1)
    bits = (rows[:, :, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    return np.asarray(bits.reshape(len(rows), -1))


def _bits_behind(tensor: _Record) -> Array:
    """How many of those behind are 1: they differ from an input's, which are 0 there."""
    length = int(np.prod(tensor.numbers(3, "<u4")[1:].astype(np.int64)))
    return np.asarray(_all_bits(tensor)[:, length:].sum(axis=1), np.float64)


def _steps(layer: _Record, behind: dict[str, Array], place: str) -> list[Step]:
    kind = layer.byte(0)
    if kind not in _PARAMETERS:
        raise InputError(place, "a layer that daBNN runs", f"type {kind}")
    own = layer.record(_PARAMETERS[kind])

    def step(
        name: str, made_of: Sequence[str], what: str, run: Run, is_elementwise: bool = False
    ) -> Step:
        def both(given: Sequence[Array]) -> list[Array]:
            return [np.asarray(run(given))]

        return Step(what, tuple(made_of), (name,), refusing(both), place, is_elementwise)

    def first(x: Array) -> Array:
        return np.moveaxis(x, -1, 1)

    def window(pads: int, strides: int) -> tuple[list[int], list[int], list[int]]:
        border = [int(one) for one in own.numbers(pads, "<i4")][:2] * 2
        return own.numbers(strides, "<i4").tolist(), [1, 1], border

    if kind == _REAL:
        how, out = window(3, 4), own.word(6)
        bias = [own.word(2)] if own.word(2) else []

        def real(g: Sequence[Array]) -> Array:
            made = np.moveaxis(convolved(first(g[0]), g[1], *how), 1, -1)
            return made + g[2] if bias else made

        return [step(out, [own.word(0), own.word(1), *bias], "conv", real)]
    if kind == _BINARY:
        how, out = window(3, 4), own.word(6)
        bits = f"{out}/bits"
        sign = step(bits, [own.word(0)], "quantiser", lambda g: np.where(g[0] > 0, 1.0, -1.0), True)
        sign = Step(
            *(sign.kind, sign.inputs, sign.outputs, sign.function, place, True),
            lambda g: np.asarray(g[0] == 0),
        )

        def differing(g: Sequence[Array]) -> Array:
            x, w = (first(g[0]) > 0) * 1.0, (g[1] > 0) * 1.0
            more = convolved(x, 1.0 - w, *how) + convolved(1.0 - x, w, *how, border=1.0)
            return np.moveaxis(more, 1, -1) + behind[own.word(1)]

        return [sign, step(out, [bits, own.word(1)], "conv", differing)]
    if kind in _POOLS:
        pool, size = _POOLS[kind], own.numbers(1, "<i4").tolist()
        if size == [-1, -1]:
            over: Callable[..., Array] = np.mean if kind == 1 else np.max
            whole = partial(over, axis=(1, 2), keepdims=True)
            return [step(own.word(4), [own.word(0)], "pool", lambda g: whole(g[0]))]
        how = window(2, 3)
        return [
            step(
                *(own.word(4), [own.word(0)], "pool"),
                lambda g: np.moveaxis(pool(first(g[0]), size, *how), 1, -1),
            )
        ]
    if kind == _CONCAT:
        return [step(own.word(2), own.words(0), "concat", lambda g: np.concatenate(g, axis=-1))]
    if kind == _ADD:
        return [step(own.word(2), [own.word(0), own.word(1)], "add", lambda g: g[0] + g[1], True)]
    if kind == _AFFINE:
        names = [own.word(0), own.word(1), own.word(2)]
        return [step(own.word(3), names, "affine", lambda g: g[1] * g[0] + g[2], True)]
    if kind == _PRELU:
        names = [own.word(0), own.word(1)]
        return [
            step(own.word(2), names, "relu", lambda g: np.where(g[0] < 0, g[0] * g[1], g[0]), True)
        ]
    if kind == _SOFTMAX:
        return [step(own.word(1), [own.word(0)], "softmax", lambda g: softmax(g[0]))]
    return [step(own.word(1), [own.word(0)], "relu", lambda g: np.maximum(g[0], 0.0), True)]
