"""Small networks of several kinds, in which each planted fault changes some score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx

from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.keras.keras_models import KerasModel

_QONNX = "qonnx.custom_op.general"


def _quant(b: Builder, x: str, scale: float, bits: float, signed: int = 1) -> str:
    values = [b.constant(v) for v in (scale, 0.0, bits)]
    return b.op("Quant", x, *values, domain=_QONNX, signed=signed, narrow=0, rounding_mode="ROUND")


def _gemm(b: Builder, x: str, inputs: int, outputs: int) -> str:
    bias = b.constant(b.rng.normal(0, 3, outputs))
    return b.op("Gemm", x, b.signs(inputs, outputs), bias)


def conv(folder: Path) -> Path:
    """Convolutions with padding and stride, batch norms of both signs, a global average of bits."""
    b = Builder((1, 3, 9, 9), seed=1)
    x = _quant(b, "x", 1 / 128, 8.0)
    x = b.bipolar(b.batch_norm(b.conv(x, b.scaled_signs(6, 3, 3, 3), 3, 1), 6, 2))
    x = b.conv(x, b.signs(8, 6, 3, 3), 3, 1, strides=[2, 2])
    x = b.bipolar(b.batch_norm(x, 8, 7))
    x = b.conv(x, b.signs(8, 2, 3, 3), 3, 1, group=4)
    x = b.bipolar(b.batch_norm(x, 8, 4))
    x = b.op("Flatten", b.op("GlobalAveragePool", x), axis=1)
    return b.save(_gemm(b, x, 8, 5), folder / "conv.onnx")


def pool(folder: Path) -> Path:
    """Pools on sums, maps that are not square, a flatten, scores with gains of their own."""
    b = Builder((1, 3, 8, 10), seed=2)
    x = b.bipolar(b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0)))
    x = b.batch_norm(b.conv(x, b.signs(6, 3, 3, 3), 3), 6, 5)
    x = b.bipolar(b.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]))
    x = b.bipolar(b.batch_norm(b.conv(x, b.scaled_signs(5, 6, 2, 2), 2), 5, 4))
    x = b.op("MatMul", b.op("Flatten", x, axis=1), b.signs(30, 7))
    return b.save(b.batch_norm(x, 7, 5), folder / "pool.onnx")


def mlp(folder: Path) -> Path:
    """Few-bit activations and weights, FINN's thresholds, signs of both kinds on sums that can be 0."""
    b = Builder((1, 12), seed=3)
    x = _quant(b, "x", 0.25, 2.0)
    raw = b.constant(b.rng.normal(0, 1, (12, 10)))
    weights = _quant(b, raw, 0.7, 2.0)
    x = b.op("Relu", b.op("Add", b.op("MatMul", x, weights), b.constant(b.rng.normal(0, 1, 10))))
    thresholds = b.constant(np.sort(b.rng.uniform(0, 6, (10, 3))))
    x = b.op("MultiThreshold", x, thresholds, domain=_QONNX, out_bias=0.0, out_dtype="UINT2")
    x = b.op("Sign", b.op("MatMul", x, b.signs(10, 8)))
    x = b.bipolar(b.op("MatMul", x, b.signs(8, 9)))
    x = b.op("Mul", b.op("MatMul", x, b.signs(9, 6)), b.constant(0.37))
    return b.save(b.op("Add", x, b.constant(1.25)), folder / "mlp.onnx")


def shortcut(folder: Path) -> Path:
    """Real values on a shortcut, which stay in fixed point; a PReLU; padding by -1 and by +1."""
    b = Builder((1, 3, 6, 6), seed=4)
    x = b.bipolar(b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0)))
    x = b.batch_norm(b.conv(x, b.signs(6, 3, 3, 3), 3), 6, 4)
    for border in (-1.0, 1.0):
        pads = b.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64)
        y = b.op("Pad", b.op("Sign", x), pads, b.constant(border))
        y = b.batch_norm(b.conv(y, b.scaled_signs(6, 6, 3, 3), 3), 6, 5)
        y = b.op("PRelu", y, b.constant(b.rng.uniform(0.1, 0.6, (6, 1, 1))))
        x = b.op("Add", y, x)
    x = b.op("Flatten", b.op("GlobalAveragePool", x), axis=1)
    return b.save(b.op("MatMul", b.bipolar(x), b.signs(6, 4)), folder / "shortcut.onnx")


def heads(folder: Path) -> Path:
    """Two branches, concatenated and added, and two outputs of one shape."""
    b = Builder((1, 4, 5, 5), seed=5)
    x = b.bipolar(b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0)))
    left = b.bipolar(b.batch_norm(b.conv(x, b.signs(4, 4, 3, 3), 3), 4, 5))
    right = b.bipolar(b.batch_norm(b.conv(x, b.signs(4, 4, 3, 3), 3), 4, 5))
    joined = b.op("Concat", left, right, axis=1)
    first = b.conv(joined, b.signs(3, 8, 3, 3), 3)
    second = b.op(
        "Add", b.conv(left, b.signs(3, 4, 3, 3), 3), b.conv(right, b.signs(3, 4, 3, 3), 3)
    )
    second = b.op("Mul", second, b.constant(0.5))
    names = [b.op("Flatten", one, axis=1) for one in (first, second)]
    path = folder / "heads.onnx"
    onnx.save(b.model(*names), path)
    return path


def keras(folder: Path) -> Path:
    """Larq's: borders of +1, odd padding, a pool, batch norms with and without gains, an archive whose
    layers' names count otherwise than its groups."""
    model = KerasModel((7, 6, 3), seed=6)
    model.conv((3, 3, 3, 6), quantise_input=False, strides=[2, 1], name="conv_7")
    model.add(
        "BatchNormalization",
        _norm(model, 6, 4),
        axis=[-1], scale=True, center=True, epsilon=1e-3, name="batch_normalization_1",
    )  # fmt: skip
    model.conv((3, 2, 6, 6), padding="same", pad_values=1.0, strides=[2, 1], name="conv_8")
    model.add(
        "BatchNormalization",
        _norm(model, 6, 6),
        axis=[-1], scale=True, center=True, epsilon=0.2, name="batch_normalization_2",
    )  # fmt: skip
    model.add("Flatten", name="flatten")
    kernel = {"kernel": model.rng.normal(0, 1, (48, 4)), "bias": model.rng.normal(0, 2, 4)}
    quantisers = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}
    model.add("QuantDense", kernel, use_bias=True, name="scores", **quantisers)
    return model.save_keras(folder / "larq.keras")


def _norm(model: KerasModel, channels: int, spread: float) -> dict[str, np.ndarray]:
    return {
        "gamma": model.rng.normal(0, 1, channels),
        "beta": model.rng.normal(0, 0.5, channels),
        "moving_mean": model.rng.normal(0, spread / 2, channels),
        "moving_variance": model.rng.uniform(0.5, 2, channels),
    }


NETWORKS: dict[str, Callable[[Path], Path]] = {
    "conv": conv,
    "pool": pool,
    "mlp": mlp,
    "shortcut": shortcut,
    "heads": heads,
    "keras": keras,
}
