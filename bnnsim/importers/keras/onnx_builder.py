"""An ONNX graph while it is being built from Keras layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bnnsim.importers.foreign.input_shape import SHAPE_WAY, said_shape
from bnnsim.importers.foreign.plain_graph import PlainGraph
from bnnsim.importers.keras.unrolling import KerasLayer
from bnnsim.importers.onnx.graph import KERAS, QONNX, Array


class OnnxBuilder(PlainGraph):
    """Operators and constants, named after the layer that they stand for.

    ``tensors`` and ``shapes`` hold each layer's output: its tensor's name, and its shape without the
    batch, channels first as ONNX wants them: ``(channels, rows, columns)``, of a row of samples
    ``(channels, samples)`` (its tensor is a map of one column), of features ``(features,)``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tensors: dict[str, str] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.padded: dict[str, tuple[str, str]] = {}
        """Tensors with a border of zeros: what is inside, and the constant of its widths."""

    def constant(self, layer: KerasLayer, role: str, values: Any, dtype: Any = np.float32) -> str:
        """The name of a constant of ``layer``, in whose name its ``role`` stands."""
        name = f"{layer.name}/{role}{len(self.constants)}"
        return self.stored(name, np.asarray(values, dtype))

    def op(
        self, layer: KerasLayer, kind: str, *inputs: str, role: str | None = None, **attributes: Any
    ) -> str:
        """Append the operator ``kind``; returns the name of the tensor that it makes.

        ``role``: what part of the layer that is, where a layer takes several operators of one kind.
        """
        name = f"{layer.name}/{f'{kind}{len(self.nodes)}' if role is None else role}"
        return self.append(kind, inputs, name, **attributes)

    def limited(self, layer: KerasLayer, x: str, low: float | None, high: float | None) -> str:
        """``x`` within limits; None where there is none."""
        if low is None and high is None:
            return x
        names = ["" if v is None else self.constant(layer, "bound", v) for v in (low, high)]
        return self.op(layer, "Clip", x, *names)

    def quant(self, layer: KerasLayer, x: str, bits: int) -> str:
        """``x`` rounded (halves to even) and limited to 0 .. ``2**bits - 1``."""
        parts = (("scale", 1.0), ("zero", 0.0), ("bits", bits))
        names = [self.constant(layer, role, value) for role, value in parts]
        how = {"signed": 0, "narrow": 0, "rounding_mode": "ROUND", "domain": QONNX}
        return self.op(layer, "Quant", x, *names, role="levels", **how)

    def thresholds(self, layer: KerasLayer, x: str, at: Array, role: str) -> str:
        """How many of the numbers ``at`` ``(1, 2)`` the elements of ``x`` reach, less one."""
        name = self.constant(layer, "thresholds", at)
        how = {"domain": QONNX, "out_dtype": "INT2", "out_bias": -1.0}
        return self.op(layer, "MultiThreshold", x, name, role=role, **how)

    def read_input(self, layer: KerasLayer, said: Sequence[int] | None = None) -> None:
        """The graph's input; an image is channels last in Keras and turned around at once.

        ``said``: the user's sizes, where those of the layer are open. Raises :class:`InputError` where
        neither says a fixed shape, or the layer channels first.
        """
        config = layer.config
        given = config.get("batch_input_shape") or config.get("batch_shape")
        own = given[1:] if isinstance(given, list | tuple) else ()
        sizes = own if said is None else said_shape(layer.place, own, said)
        if not 1 <= len(sizes) <= 3 or not all(type(size) is int and size > 0 for size in sizes):
            expected = (
                "a fixed input shape [batch, height, width, channels], [batch, samples, channels]"
                f" or [batch, features] ({SHAPE_WAY})"
            )
            raise layer.fault(expected, given)
        if config.get("data_format", "channels_last") != "channels_last":
            raise layer.fault("data_format channels_last", config["data_format"])
        shape = [sizes[0], 1, sizes[1]] if len(sizes) == 2 else list(sizes)
        self.takes("input", shape)
        self.tensors[""], self.shapes[""] = "input", tuple(shape)
        if len(shape) == 3:
            self.tensors[""] = self.op(layer, "Transpose", "input", perm=[0, 3, 1, 2])
            self.shapes[""] = (sizes[-1], *sizes[:-1])

    def model(self, layers: Sequence[str]) -> Any:
        """The ``onnx.ModelProto`` that puts out what ``layers`` make, under their names."""
        for name in layers:
            self.append("Identity", [self.tensors[name]], name)
        return self.proto("keras", layers, domain=KERAS)
