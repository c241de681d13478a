"""An ONNX graph while it is being built from Keras layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bnnsim.importers.keras.file import KerasLayer
from bnnsim.importers.onnx.graph import KERAS

_OPSET = 13


class OnnxBuilder:
    """Operators and constants, named after the layer that they stand for.

    ``tensors`` and ``shapes`` hold each layer's output: its tensor's name, and its shape without the
    batch. Maps are channels first inside, as ONNX wants them.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.tensors: dict[str, str] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.input: Any = None

    def constant(self, layer: KerasLayer, role: str, values: Any, dtype: Any = np.float32) -> str:
        """The name of a constant of ``layer``, in whose name its ``role`` stands."""
        from onnx import numpy_helper

        name = f"{layer.name}/{role}{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def op(self, layer: KerasLayer, kind: str, *inputs: str, **attributes: Any) -> str:
        """Append the operator ``kind``; returns the name of the tensor that it makes."""
        from onnx import helper

        name = f"{layer.name}/{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def limited(self, layer: KerasLayer, x: str, low: float | None, high: float | None) -> str:
        """``x`` within limits; None where there is none."""
        if low is None and high is None:
            return x
        names = ["" if v is None else self.constant(layer, "bound", v) for v in (low, high)]
        return self.op(layer, "Clip", x, *names)

    def read_input(self, layer: KerasLayer) -> None:
        """The graph's input; an image is channels last in Keras and turned around at once.

        Raises :class:`InputError` where ``layer`` says no fixed shape, or channels first.
        """
        from onnx import TensorProto, helper

        config = layer.config
        given = config.get("batch_input_shape") or config.get("batch_shape")
        sizes = given[1:] if isinstance(given, list | tuple) else ()
        if len(sizes) not in (1, 3) or not all(type(size) is int and size > 0 for size in sizes):
            expected = "a fixed input shape [batch, height, width, channels] or [batch, features]"
            raise layer.fault(expected, given)
        if config.get("data_format", "channels_last") != "channels_last":
            raise layer.fault("data_format channels_last", config["data_format"])
        shape = list(sizes)
        self.input = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, *shape])
        self.tensors[""], self.shapes[""] = "input", tuple(shape)
        if len(shape) == 3:
            self.tensors[""] = self.op(layer, "Transpose", "input", perm=[0, 3, 1, 2])
            self.shapes[""] = (shape[2], shape[0], shape[1])

    def model(self, layers: Sequence[str]) -> Any:
        """The ``onnx.ModelProto`` that puts out what ``layers`` make, under their names."""
        from onnx import helper

        for name in layers:
            self.nodes.append(helper.make_node("Identity", [self.tensors[name]], [name], name=name))
        outputs = [helper.make_empty_tensor_value_info(name) for name in layers]
        graph = helper.make_graph(self.nodes, "keras", [self.input], outputs, self.initializers)
        opsets = [helper.make_opsetid("", _OPSET)]
        said = {"producer_name": "keras", "domain": KERAS}
        return helper.make_model(graph, opset_imports=opsets, ir_version=8, **said)
