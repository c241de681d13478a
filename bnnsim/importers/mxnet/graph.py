"""An ONNX graph while it is being built from an MXNet symbol."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnnsim.importers.foreign.plain_graph import PlainGraph
from bnnsim.importers.mxnet.file import Node, Symbol
from bnnsim.importers.onnx.graph import Array

Shape = tuple[int, ...]


class SymbolGraph(PlainGraph):
    """Operators and constants, called as the nodes are. ``shapes``: without the batch, of data nodes;
    ``known``: of nodes that depend on parameters alone."""

    def __init__(self, symbol: Symbol, data: int, shape: Shape) -> None:
        super().__init__()
        self.symbol = symbol
        self.shapes: dict[int, Shape] = {data: shape}
        self.known: dict[int, Array] = {}
        name = symbol.nodes[data].name
        self.names: dict[int, str] = {data: name}
        self.takes(name, shape)

    def constant(self, node: Node, role: str, values: Any, dtype: Any = np.float32) -> str:
        """The name of a constant of ``node``."""
        name = f"{node.name}/{role}{len(self.constants)}"
        return self.stored(name, np.ascontiguousarray(values, dtype))

    def parameter(self, node: Node, position: int, values: Any) -> str:
        """The name of the parameter at an input, as the file has it."""
        name = self.symbol.nodes[node.inputs[position]].name
        if self.holds(name):
            return name
        return self.stored(name, np.ascontiguousarray(values, np.float32))

    def op(self, node: Node, kind: str, *inputs: str, role: str = "", **how: Any) -> str:
        """Append an ONNX operator; the last of ``node`` has no role and its name."""
        return self.append(kind, inputs, f"{node.name}/{role}" if role else node.name, **how)

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
        found = self.known.get(node.inputs[position])
        if found is None:
            name = self.symbol.nodes[node.inputs[position]].name
            raise node.fault(f"a parameter {name}", "none of that name")
        return found

    def model(self) -> Any:
        """The ``onnx.ModelProto`` of the graph."""
        return self.proto("mxnet", dict.fromkeys(self.names[one] for one in self.symbol.outputs))
