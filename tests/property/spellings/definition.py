"""A random binary network as data, and its scores in plain numpy, made from nothing but that data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EPSILON = 0.01


@dataclass(frozen=True)
class Conv:
    """Signs of the input, a border of ``border``, weights -1 and +1 ``(out, in, rows, columns)``."""

    weights: np.ndarray
    stride: tuple[int, int]
    is_same: bool
    border: float

    def pads(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Top, left, bottom, right: ceil(size / stride) windows, what is odd below and to the right."""
        if not self.is_same:
            return 0, 0, 0, 0
        totals = []
        for size, kernel, step in zip(
            (height, width), self.weights.shape[2:], self.stride, strict=True
        ):
            totals.append(max(0, (-(-size // step) - 1) * step + kernel - size))
        return totals[0] // 2, totals[1] // 2, -(-totals[0] // 2), -(-totals[1] // 2)


@dataclass(frozen=True)
class Norm:
    """Batch norm of channels, float32: gain, bias, mean, variance, each ``(channels,)``."""

    columns: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Pool:
    """Maximum over windows of 2 x 2, side by side; a row or column that is left over is dropped."""


@dataclass(frozen=True)
class Block:
    """One or two convolutions of the same signs, added; then pool and batch norm, in either order."""

    convs: tuple[Conv, ...]
    has_pool: bool
    norm: Norm


@dataclass(frozen=True)
class Definition:
    """``shape``: channels, rows, columns of pixels, whose sign about the middle is taken. ``hidden``
    and ``last`` are weights ``(features, out)``; features lie row, column, channel."""

    shape: tuple[int, int, int]
    blocks: tuple[Block, ...]
    hidden: np.ndarray
    hidden_norm: Norm
    last: np.ndarray

    def sizes(self) -> list[tuple[int, int, int]]:
        """Channels, rows, columns in front of each block, and behind the last."""
        found = [self.shape]
        for block in self.blocks:
            _, height, width = found[-1]
            conv = block.convs[0]
            top, left, bottom, right = conv.pads(height, width)
            rows = (height + top + bottom - conv.weights.shape[2]) // conv.stride[0] + 1
            columns = (width + left + right - conv.weights.shape[3]) // conv.stride[1] + 1
            if block.has_pool:
                rows, columns = rows // 2, columns // 2
            found.append((len(conv.weights), rows, columns))
        return found


def drawn(seed: int) -> Definition:
    """A network whose axes are as easy to mistake for each other as can be: 3 channels, 3 x 3."""
    rng = np.random.default_rng(seed)
    shape = (3, int(rng.integers(6, 10)), int(rng.integers(6, 10)))
    blocks: list[Block] = []
    channels, height, width = shape
    for number in range(int(rng.integers(1, 4))):
        out = 3 if number == 0 else int(rng.integers(3, 6))
        kernel = (3, 3) if number == 0 else (min(height, int(rng.integers(1, 4))), min(width, 3))
        stride = (1, 1) if rng.random() < 0.5 else (int(rng.integers(1, 3)), 2)
        is_same = bool(rng.random() < 0.6) or min(height, width) < 4
        border = float(rng.choice([0.0, 1.0]))
        convs = tuple(
            Conv(rng.choice([-1.0, 1.0], (out, channels, *kernel)), stride, is_same, border)
            for _ in range(int(rng.integers(1, 3)))
        )
        one = Definition(shape, (*blocks, Block(convs, False, _norm(rng, out, 5))), *_NOTHING)
        channels, height, width = one.sizes()[-1]
        has_pool = bool(rng.random() < 0.5) and min(height, width) >= 4
        blocks.append(Block(convs, has_pool, _norm(rng, out, 5)))
        if has_pool:
            height, width = height // 2, width // 2
    features, units = channels * height * width, int(rng.integers(4, 9))
    hidden = rng.choice([-1.0, 1.0], (features, units))
    last = rng.choice([-1.0, 1.0], (units, int(rng.integers(3, 7))))
    return Definition(shape, tuple(blocks), hidden, _norm(rng, units, 6), last)


_EMPTY = np.zeros((1, 1))
_NOTHING = (_EMPTY, Norm((_EMPTY[0],) * 4), _EMPTY)


def _norm(rng: np.random.Generator, channels: int, spread: float) -> Norm:
    columns = (
        rng.normal(0, 1, channels),
        rng.normal(0, 0.5, channels),
        rng.normal(0, spread / 2, channels),
        rng.uniform(0.5, 2, channels) * spread**2,
    )
    return Norm(tuple(one.astype(np.float32) for one in columns))  # type: ignore[arg-type]


# ---- what it computes --------------------------------------------------------------------------------


def scores(network: Definition, images: np.ndarray) -> np.ndarray:
    """Integer scores of pixels ``(n, channels, rows, columns)``, 0 to 255."""
    x = np.where(images.astype(np.int64) * 2 >= 255, 1.0, -1.0)
    for block in network.blocks:
        total = sum(_convolved(x, conv) for conv in block.convs)
        if block.has_pool:
            total = _pooled(total)
        x = _sign(_normed(total, block.norm, axis=1))
    features = x.transpose(0, 2, 3, 1).reshape(len(x), -1)
    hidden = _sign(_normed(features @ network.hidden, network.hidden_norm, axis=1))
    return hidden @ network.last


def _convolved(x: np.ndarray, conv: Conv) -> np.ndarray:
    top, left, bottom, right = conv.pads(*x.shape[2:])
    n, channels, height, width = x.shape
    padded = np.full((n, channels, height + top + bottom, width + left + right), conv.border)
    padded[:, :, top : top + height, left : left + width] = x
    out, _, rows, columns = conv.weights.shape
    down, across = conv.stride
    high = (padded.shape[2] - rows) // down + 1
    wide = (padded.shape[3] - columns) // across + 1
    made = np.zeros((n, out, high, wide))
    for i in range(high):
        for j in range(wide):
            window = padded[:, :, i * down : i * down + rows, j * across : j * across + columns]
            for o in range(out):
                made[:, o, i, j] = (window * conv.weights[o]).sum(axis=(1, 2, 3))
    return made


def _pooled(x: np.ndarray) -> np.ndarray:
    high, wide = x.shape[2] // 2, x.shape[3] // 2
    made = np.zeros((*x.shape[:2], high, wide))
    for i in range(high):
        for j in range(wide):
            made[:, :, i, j] = x[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max(axis=(2, 3))
    return made


def _normed(x: np.ndarray, norm: Norm, axis: int) -> np.ndarray:
    shape = [1] * x.ndim
    shape[axis] = -1
    gain, bias, mean, variance = (c.astype(np.float64).reshape(shape) for c in norm.columns)
    return (x - mean) / np.sqrt(variance + np.float32(EPSILON)) * gain + bias


def _sign(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, 1.0, -1.0)
