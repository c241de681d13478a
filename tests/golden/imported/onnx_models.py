"""Models for the importer's tests: Brevitas's exports filled with random weights, small built ones."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parent / "onnx"
_QONNX = "qonnx.custom_op.general"


def brevitas_model(name: str, seed: int) -> Any:
    """An export of Brevitas with the contents that were left out drawn from ``seed``.

    Batch norms get gains of both signs, means and variances of the size of the sums they see.
    """
    model = onnx.load(FOLDER / f"brevitas_{name}.onnx")
    rng = np.random.default_rng(seed)
    batch_norms = [node for node in model.graph.node if node.op_type == "BatchNormalization"]
    roles = {name: role for node in batch_norms for role, name in enumerate(node.input) if role}
    for tensor in model.graph.initializer:
        if tensor.doc_string != "left out":
            continue
        role = roles.get(tensor.name, 0)
        shape = tuple(tensor.dims)
        values = {
            0: lambda shape=shape: rng.uniform(-1, 1, shape),
            1: lambda shape=shape: rng.normal(0, 1, shape),
            2: lambda shape=shape: rng.normal(0, 1, shape),
            3: lambda shape=shape: rng.normal(0, 8, shape),
            4: lambda shape=shape: rng.uniform(20, 200, shape),
        }[role]()
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float32), tensor.name))
    return model


class Builder:
    """A graph written operator by operator; every call returns the name of what it puts out."""

    def __init__(self, input_shape: tuple[int | str, ...], seed: int = 0, opset: int = 13) -> None:
        self.rng = np.random.default_rng(seed)
        self.input_shape = input_shape
        self.opset = opset
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, inputs, [name + "_out"], name=name, domain=domain, **attributes)
        )
        return name + "_out"

    def signs(self, *shape: int) -> str:
        return self.constant(self.rng.choice([-1.0, 1.0], shape))

    def scaled_signs(self, *shape: int) -> str:
        """XNOR-Net's weights: signs times one scale for each output channel."""
        scale = self.rng.uniform(0.01, 2, (shape[0], *[1] * (len(shape) - 1)))
        signs = self.rng.choice([-1.0, 1.0], shape)
        return self.constant(signs.astype(np.float32) * scale.astype(np.float32))

    def batch_norm(self, x: str, channels: int, spread: float, gain: str = "both") -> str:
        """Random batch norm; ``gain`` ``both`` draws both signs, ``positive`` one, ``one`` is 1."""
        gains = self.rng.normal(0, 1, channels)
        gains = {"both": gains, "positive": np.abs(gains) + 0.1, "one": np.ones(channels)}[gain]
        drawn = (
            gains,
            self.rng.normal(0, 0.5, channels),
            self.rng.normal(0, spread / 2, channels),
            self.rng.uniform(0.5, 2, channels) * spread**2,
        )
        return self.op("BatchNormalization", x, *(self.constant(v) for v in drawn), epsilon=1e-5)

    def bipolar(self, x: str, scale: float = 1.0) -> str:
        return self.op("BipolarQuant", x, self.constant(scale), domain=_QONNX)

    def conv(self, x: str, weights: str, kernel: int, pad: int = 0, **attributes: Any) -> str:
        return self.op("Conv", x, weights, kernel_shape=[kernel] * 2, pads=[pad] * 4, **attributes)

    def model(self, *names: str, elem_type: int = TensorProto.FLOAT) -> Any:
        inputs = [helper.make_tensor_value_info("x", elem_type, self.input_shape)]
        outputs = [helper.make_empty_tensor_value_info(name) for name in names]
        graph = helper.make_graph(self.nodes, "net", inputs, outputs, self.initializers)
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid(_QONNX, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)

    def save(self, output: str, path: Path) -> Path:
        onnx.save(self.model(output), path)
        return path


def residual(b: Builder, blocks: int = 2, channels: int = 16) -> str:
    """Bi-Real-like: sign, binary 3x3 convolution, batch norm, and a shortcut of real numbers."""
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    x = b.conv(b.bipolar(x), b.signs(channels, 3, 3, 3), 3)
    x = b.batch_norm(x, channels, 5)
    for _ in range(blocks):
        y = b.op("Pad", b.op("Sign", x), b.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64), b.constant(1.0))
        y = b.conv(y, b.scaled_signs(channels, channels, 3, 3), 3)
        x = b.op("Add", b.batch_norm(y, channels, 12), x)
    x = b.op("GlobalAveragePool", x)
    return b.op("Flatten", b.conv(b.bipolar(x), b.signs(10, channels, 1, 1), 1))


def depthwise_separable(b: Builder, channels: int = 16) -> str:
    """Depthwise and pointwise binary convolutions, batch norms with gains of both signs."""
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    x = b.bipolar(b.batch_norm(b.conv(b.bipolar(x), b.signs(channels, 3, 3, 3), 3), channels, 5))
    for stride in (1, 2):
        x = b.conv(x, b.signs(channels, 1, 3, 3), 3, group=channels, strides=[stride] * 2)
        x = b.bipolar(b.batch_norm(x, channels, 3))
        x = b.conv(x, b.scaled_signs(2 * channels, channels, 1, 1), 1)
        x = b.bipolar(b.batch_norm(x, 2 * channels, 4))
        channels *= 2
    x = b.op("Flatten", x)
    return b.op("MatMul", x, b.signs(channels * 9, 10))


def reactnet(b: Builder, blocks: int = 2, channels: int = 16) -> str:
    """ReActNet-like: shifted signs (RSign), shortcuts, and shifted PReLUs (RPReLU)."""
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    x = b.batch_norm(b.conv(b.bipolar(x), b.signs(channels, 3, 3, 3), 3), channels, 5)

    def shift(spread: float) -> str:
        return b.constant(b.rng.normal(0, spread, (channels, 1, 1)))

    for _ in range(blocks):
        y = b.op("Sign", b.op("Add", x, shift(0.3)))
        y = b.conv(y, b.scaled_signs(channels, channels, 3, 3), 3, pad=1)
        x = b.op("Add", b.batch_norm(y, channels, 12), x)
        slope = b.constant(b.rng.uniform(0.05, 0.5, (channels, 1, 1)))
        x = b.op("Add", b.op("PRelu", b.op("Add", x, shift(0.3)), slope), shift(0.3))
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    return b.op("Gemm", b.bipolar(x), b.signs(10, channels), transB=1)


def dense(b: Builder, blocks: int = 3, growth: int = 8) -> str:
    """BinaryDenseNet-like: each layer's sums are joined to all before it."""
    x = b.op("Sub", b.op("Mul", "x", b.constant(2.0)), b.constant(1.0))
    channels = 16
    x = b.conv(b.bipolar(x), b.signs(channels, 3, 3, 3), 3)
    for _ in range(blocks):
        y = b.bipolar(b.batch_norm(x, channels, 6, gain="positive"))
        y = b.op("Pad", y, b.constant([0, 0, 1, 1, 0, 0, 1, 1], np.int64), b.constant(-1.0))
        x = b.op("Concat", x, b.conv(y, b.signs(growth, channels, 3, 3), 3), axis=1)
        channels += growth
    x = b.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = b.bipolar(b.batch_norm(x, channels, 9, gain="positive"))
    return b.op("Gemm", b.op("Flatten", x), b.signs(10, channels * 9), transB=1)


if __name__ == "__main__":
    onnx.save(brevitas_model(sys.argv[1], seed=0), sys.argv[2])
