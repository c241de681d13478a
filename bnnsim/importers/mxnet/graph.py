"""An ONNX graph while it is being built from an MXNet symbol."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnnsim.importers.mxnet.file import Node, Symbol
from bnnsim.importers.onnx.graph import QONNX, Array

_OPSET = 13
Shape = tuple[int, ...]


class SymbolGraph:
    """Operators and constants, called as the nodes are. ``shapes``: without the batch, of data nodes;
    ``constants``: of nodes that depend on parameters alone."""

    def __init__(self, symbol: Symbol, data: int, shape: Shape) -> None:
        from onnx import TensorProto, helper

        self.symbol = symbol
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.shapes: dict[int, Shape] = {data: shape}
        self.constants: dict[int, Array] = {}
        name = symbol.nodes[data].name
        self.names: dict[int, str] = {data: name}
        self.input = helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *shape])

    def constant(self, node: Node, role: str, values: Any, dtype: Any = np.float32) -> str:
        """The name of a constant of ``node``."""
        return self._stored(f"{node.name}/{role}{len(self.initializers)}", values, dtype)

    def parameter(self, node: Node, position: int, values: Any) -> str:
        """The name of the parameter at an input, as the file has it."""
        name = self.symbol.nodes[node.inputs[position]].name
        is_new = all(one.name != name for one in self.initializers)
        return self._stored(name, values, np.float32) if is_new else name

    def _stored(self, name: str, values: Any, dtype: Any) -> str:
        from onnx import numpy_helper

        array = np.ascontiguousarray(values, dtype)
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def op(self, node: Node, kind: str, *inputs: str, role: str = "", **how: Any) -> str:
        """Append an ONNX operator; the last of ``node`` has no role and its name."""
        from onnx import helper

        name = f"{node.name}/{role}" if role else node.name
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **how))
        return name

    def data(self, node: Node, position: int = 0) -> str:
        """The tensor at an input that depends on the data. Raises :class:`InputError`."""
        found = self.names.get(node.inputs[position]) if position < len(node.inputs) else None
        if found is None:
            raise node.fault(f"data at input {position}", "a parameter or nothing")
        return found

    def shape(self, node: Node, position: int = 0) -> Shape:
        """The shape of the same."""
        self.data(node, position)
        return self.shapes[node.inputs[position]]

    def weight(self, node: Node, position: int) -> Array:
        """The parameter at an input. Raises :class:`InputError`."""
        if position >= len(node.inputs):
            raise node.fault(f"a parameter at input {position}", "nothing")
        found = self.constants.get(node.inputs[position])
        if found is None:
            name = self.symbol.nodes[node.inputs[position]].name
            raise node.fault(f"a parameter {name}", "none of that name")
        return found

    def model(self) -> Any:
        """The ``onnx.ModelProto`` of the graph."""
        from onnx import helper

        names = dict.fromkeys(self.names[one] for one in self.symbol.outputs)
        made = [helper.make_empty_tensor_value_info(name) for name in names]
        graph = helper.make_graph(self.nodes, "mxnet", [self.input], made, self.initializers)
        opsets = [helper.make_opsetid("", _OPSET)]
        if any(node.domain == QONNX for node in self.nodes):
            opsets.append(helper.make_opsetid(QONNX, 1))
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=8, producer_name="mxnet"
        )
