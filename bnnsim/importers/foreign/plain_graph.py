"""The ONNX graph of plain operators that a model of another format becomes, while it is being built."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bnnsim.importers.onnx.graph import QONNX, Array

_OPSET = 13


class PlainGraph:
    """Operators, each with one output of its own name, and constants, in the order in which they came.

    ``input``: the ``onnx.ValueInfoProto`` of the only input, None until it is known.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[tuple[str, Array]] = []
        self.input: Any = None

    def takes(self, name: str, shape: Iterable[int]) -> None:
        """The graph's input, of reals; ``shape`` without the batch."""
        from onnx import TensorProto, helper

        self.input = helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *shape])

    def holds(self, name: str) -> bool:
        """Whether there is a constant of this name."""
        return any(one == name for one, _ in self.constants)

    def stored(self, name: str, values: Array) -> str:
        """The name of a constant, which is new."""
        self.constants.append((name, values))
        return name

    def append(self, kind: str, inputs: Sequence[str], name: str, **how: Any) -> str:
        """The operator ``kind``; returns the name of the tensor that it makes."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **how))
        return name

    def proto(self, producer: str, outputs: Iterable[str], **said: str) -> Any:
        """The ``onnx.ModelProto``; ``said``: further fields of it."""
        from onnx import helper, numpy_helper

        made = [helper.make_empty_tensor_value_info(name) for name in outputs]
        constants = [numpy_helper.from_array(values, name) for name, values in self.constants]
        graph = helper.make_graph(self.nodes, producer, [self.input], made, constants)
        opsets = [helper.make_opsetid("", _OPSET)]
        if any(node.domain == QONNX for node in self.nodes):
            opsets.append(helper.make_opsetid(QONNX, 1))
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=8, producer_name=producer, **said
        )
