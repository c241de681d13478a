"""An ONNX graph while it is being built from a TensorFlow Lite file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bnnsim.importers.foreign.plain_graph import PlainGraph
from bnnsim.importers.onnx.graph import KERAS, Array
from bnnsim.importers.tflite.file import LiteModel, Operator


class LiteGraph(PlainGraph):
    """Operators and constants. Tensor number ``i`` is called ``t<i>``; maps are channels first inside,
    as ONNX wants them, and ``shapes`` says so: ``(channels, rows, columns)`` or ``(features,)``."""

    def __init__(self, model: LiteModel) -> None:
        super().__init__()
        self.lite = model
        self.shapes: dict[int, tuple[int, ...]] = {}
        shape = list(model.tensors[model.input].shape)
        name = f"t{model.input}"
        self.takes(name, shape[1:])
        self.names = {model.input: name}
        if len(shape) == 4:
            self.names[model.input] = f"{name}/channels"
            self.append("Transpose", [name], f"{name}/channels", perm=[0, 3, 1, 2])
            self.shapes[model.input] = (shape[3], shape[1], shape[2])
        else:
            self.shapes[model.input] = tuple(shape[1:])

    def constant(self, name: str, values: Any, dtype: Any = np.float32) -> str:
        """The name of a constant, which is new."""
        full = f"{name}_{len(self.nodes)}" if self.holds(name) else name
        return self.stored(full, np.ascontiguousarray(values, dtype))

    def op(self, operator: Operator, kind: str, *inputs: str, role: str = "", **how: Any) -> str:
        """Append an ONNX operator; the last one of ``operator`` has no role."""
        name = f"t{operator.output}{f'/{role}' if role else ''}"
        return self.append(kind, inputs, name, **how)

    def data(self, operator: Operator, position: int = 0) -> str:
        """The tensor at an input that depends on the model's. Raises :class:`InputError`."""
        index = operator.inputs[position] if position < len(operator.inputs) else None
        if index is None or index not in self.names:
            raise operator.fault("inputs that were made before", f"tensor {index}")
        return self.names[index]

    def shape(self, operator: Operator, position: int = 0) -> tuple[int, ...]:
        """The shape of the same."""
        self.data(operator, position)
        index = operator.inputs[position]
        assert index is not None
        return self.shapes[index]

    def values(self, operator: Operator, position: int) -> Array:
        """A constant input. Raises :class:`InputError`."""
        found = self.optional(operator, position)
        if found is None:
            raise operator.fault(f"a constant at input {position}", "data or nothing")
        return found

    def optional(self, operator: Operator, position: int) -> Array | None:
        """The same; None where it is left out or no constant."""
        index = operator.inputs[position] if position < len(operator.inputs) else None
        return None if index is None else self.lite.tensors[index].values

    def model(self, outputs: Sequence[int]) -> Any:
        """The ``onnx.ModelProto`` of the graph."""
        return self.proto("tflite", (self.names[one] for one in dict.fromkeys(outputs)), domain=KERAS)
