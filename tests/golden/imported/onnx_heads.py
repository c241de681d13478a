"""Random small ONNX networks with one to three outputs of all sorts, in standard operators alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from tests.golden.imported.onnx_models import Builder


@dataclass(frozen=True)
class Tensor:
    """A tensor in the making: its name and ``(channels, height, width)``, or ``(features,)``."""

    name: str
    shape: tuple[int, ...]


class Heads:
    """A trunk of binary layers that grows, and the outputs that leave it on the way."""

    def __init__(self, seed: int) -> None:
        self.rng: Generator = np.random.default_rng(seed)
        self.b = Builder((1, 3, 6, 6), seed=seed, opset=17)
        self.bits = [Tensor(self._bits("x"), (3, 6, 6))]
        self.sums: list[Tensor] = []
        self.outputs: list[str] = []

    # ---- the trunk ---------------------------------------------------------------------------

    def _bits(self, x: str) -> str:
        at_least = self.b.op("GreaterOrEqual", x, self.b.constant(0.0))
        return self.b.op("Where", at_least, self.b.constant(1.0), self.b.constant(-1.0))

    def _pick(self, tensors: list[Tensor]) -> Tensor:
        return tensors[int(self.rng.integers(len(tensors)))]

    def conv(self, source: Tensor, out: int, kernel: int) -> Tensor:
        """Sums of a binary convolution that keeps the map's size only with a kernel of 1."""
        channels, height, width = source.shape
        kernel = kernel if min(height, width) >= kernel else 1
        weights = self.b.signs(out, channels, kernel, kernel)
        sums = Tensor(
            self.b.conv(source.name, weights, kernel), (out, height - kernel + 1, width - kernel + 1)
        )
        self.sums.append(sums)
        return sums

    def grow(self) -> None:
        """One more layer of bits."""
        sums = self.conv(
            self._pick(self.bits), int(self.rng.choice([2, 4])), int(self.rng.choice([1, 3]))
        )
        x = sums.name
        if self.rng.random() < 0.6:
            x = self.b.batch_norm(x, sums.shape[0], 4)
        self.bits.append(Tensor(self._bits(x), sums.shape))

    def join(self) -> None:
        """The sum of two branches, as bits again."""
        first = self._pick(self.sums)
        second = self.b.op(
            "Add", first.name, self._pick([t for t in self.sums if t.shape == first.shape]).name
        )
        self.bits.append(Tensor(self._bits(self.b.op("Sub", second, self.b.constant(0.5))), first.shape))

    # ---- what leaves it ----------------------------------------------------------------------

    def linear(self) -> str:
        source = self._pick(self.bits)
        rows = int(np.prod(source.shape))
        return self.b.op("MatMul", self.b.op("Flatten", source.name), self.b.signs(rows, 4))

    def scaled(self) -> str:
        """Sums with a gain of either sign and an offset, exact in float32."""
        gain = float(self.rng.choice([0.5, -0.25, 2.0]))
        x = self.b.op("Mul", self.linear(), self.b.constant(gain))
        return self.b.op("Add", x, self.b.constant(float(self.rng.integers(-3, 4)) / 4))

    def boxes(self) -> str:
        return self.conv(self._pick(self.bits), 3, 1).name

    def turned(self) -> str:
        return self.b.op("Transpose", self.boxes(), perm=[0, 2, 3, 1])

    def read_on(self) -> str:
        """Bits that further layers may read."""
        return self._pick(self.bits[1:]).name

    def sums_read_on(self) -> str:
        """Sums whose bits are read."""
        return self._pick(self.sums).name

    def end(self) -> str:
        kind = str(self.rng.choice(["Softmax", "LogSoftmax", "ArgMax"]))
        return self.b.op("Identity", self.b.op(kind, self.linear(), axis=1))

    def twice(self) -> str:
        """What is an output already, under another name."""
        return self.b.op("Identity", self.outputs[-1]) if self.outputs else self.linear()

    def output(self) -> None:
        kinds: tuple[Callable[[], str], ...] = (
            *(self.linear, self.scaled, self.boxes, self.turned),
            *(self.read_on, self.sums_read_on, self.end, self.twice),
        )
        self.outputs.append(kinds[int(self.rng.integers(len(kinds)))]())


def random_heads(seed: int) -> Any:
    """The ``onnx.ModelProto`` of a network drawn from ``seed``."""
    heads = Heads(seed)
    heads.grow()
    for _ in range(int(heads.rng.integers(1, 4))):
        if heads.rng.random() < 0.5:
            heads.grow()
        elif heads.rng.random() < 0.5:
            heads.join()
        heads.output()
    names = list(dict.fromkeys(heads.outputs))
    heads.rng.shuffle(names)
    return heads.b.model(*names)
