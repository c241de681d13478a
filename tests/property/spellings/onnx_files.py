"""The same network as ONNX with channels first, and as QONNX with channels last."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from tests.golden.imported.onnx_models import Builder
from tests.property.spellings.definition import EPSILON, Block, Conv, Definition, Norm

LAST = "qonnx.custom_op.channels_last"


class OnnxWriter:
    """``is_last``: maps lie (rows, columns, channels), weights (out, rows, columns, in)."""

    def __init__(self, network: Definition, is_last: bool) -> None:
        self.network, self.is_last = network, is_last
        channels, height, width = network.shape
        shape = (height, width, channels) if is_last else network.shape
        self.b = Builder((1, *shape))
        self.domain = LAST if is_last else ""

    def save(self, path: Path) -> Path:
        """Features lie as the maps do: with channels first the weights behind them are reordered."""
        b, network = self.b, self.network
        x = b.bipolar("x")
        sizes = network.sizes()
        for block, (_, height, width) in zip(network.blocks, sizes, strict=False):
            x = self._block(x, block, height, width)
        x = b.op("Flatten", x, axis=1)
        channels, height, width = sizes[-1]
        hidden = network.hidden
        if not self.is_last:
            maps = hidden.reshape(height, width, channels, -1).transpose(2, 0, 1, 3)
            hidden = maps.reshape(hidden.shape)
        x = b.op("MatMul", x, b.constant(hidden))
        x = b.op("BatchNormalization", x, *self._columns(network.hidden_norm), epsilon=EPSILON)
        model = b.model(b.op("MatMul", b.bipolar(x), b.constant(network.last)))
        model.opset_import.append(helper.make_opsetid(LAST, 13))
        onnx.save(model, path)
        return path

    def _block(self, x: str, block: Block, height: int, width: int) -> str:
        b = self.b
        made = [self._conv(x, conv, height, width) for conv in block.convs]
        y = made[0] if len(made) == 1 else b.op("Add", *made)
        if block.has_pool:
            sizes = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0] * 4}
            y = b.op("MaxPool", y, domain=self.domain, **sizes)
        columns = self._columns(block.norm)
        y = b.op("BatchNormalization", y, *columns, domain=self.domain, epsilon=EPSILON)
        return b.bipolar(y)

    def _conv(self, x: str, conv: Conv, height: int, width: int) -> str:
        b, pads = self.b, list(conv.pads(height, width))
        weights = conv.weights.transpose(0, 2, 3, 1) if self.is_last else conv.weights
        if conv.border and any(pads):
            around = [[0, 0], [pads[0], pads[2]], [pads[1], pads[3]]]
            around.insert(3 if self.is_last else 1, [0, 0])
            before, behind = zip(*around, strict=True)
            border = b.constant([*before, *behind], np.int64)
            x, pads = b.op("Pad", x, border, b.constant(conv.border)), [0] * 4
        return b.op(
            "Conv",
            x,
            b.constant(weights),
            domain=self.domain,
            kernel_shape=list(conv.weights.shape[2:]),
            strides=list(conv.stride),
            pads=pads,
            dilations=[1, 1],
            group=1,
        )

    def _columns(self, norm: Norm) -> list[str]:
        return [self.b.constant(column) for column in norm.columns]
