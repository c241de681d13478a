"""MXNet symbols with their parameters as ONNX graphs, which the ONNX importer then reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bnnsim.files.boundary import foreign_file
from bnnsim.importers.foreign.input_shape import SHAPE_WAY, said_shape
from bnnsim.importers.foreign.settings import shown_value
from bnnsim.importers.mxnet.constants import CONSTANTS, computed
from bnnsim.importers.mxnet.file import Node, Symbol, read_parameters, read_symbol
from bnnsim.importers.mxnet.graph import Shape, SymbolGraph
from bnnsim.importers.mxnet.operators import HANDLERS
from bnnsim.importers.mxnet.understood import KINDS, SETTINGS
from bnnsim.importers.onnx.graph import Array
from bnnsim.spec.faults import InputError, near_names

_MOST_NAMED = 4
_LARGEST_INPUT = 256
"""Rows and columns of an input whose size is found by trying."""


def mxnet_to_onnx(
    symbol_file: Path, parameter_file: Path, input_shape: Sequence[int] | None = None
) -> Any:
    """The model as an ``onnx.ModelProto`` with the nodes' names.

    The input's shape is what the symbol says (``__shape__`` of its variable) or ``input_shape``, else
    the only square one that fits the parameters. Raises :class:`InputError` where a file cannot be
    read, an operator has no counterpart, or the input's shape is not known.
    """
    with foreign_file(symbol_file, "a model as MXNet writes it"):
        symbol, parameters = read_symbol(symbol_file), read_parameters(parameter_file)
        data = _data(symbol, parameters, symbol_file)
        shapes = _possible_shapes(symbol, parameters, data)
        said = _said_shape(symbol.nodes[data], input_shape)
        if said is not None:
            return _built(symbol, parameters, data, said).model()
        fitting = []
        fault: InputError | None = None
        for shape in shapes:
            try:
                fitting.append(_built(symbol, parameters, data, shape))
            except InputError as error:
                fault = fault or error
            if len(fitting) > _MOST_NAMED:
                break
        if len(fitting) == 1:
            return fitting[0].model()
        if not fitting and fault is not None and len(shapes) == 1:
            raise fault
        way = f"a shape ({SHAPE_WAY})"
        sizes = ", ".join(str(one.shapes[data][-1]) for one in fitting[:_MOST_NAMED])
        more = ", ..." if len(fitting) > _MOST_NAMED else ""
        got = f"none ({sizes}{more} rows and columns fit)" if fitting else "none"
        raise InputError(symbol.nodes[data].place, way, got)


def _data(symbol: Symbol, parameters: Mapping[str, Array], file: Path) -> int:
    """The only variable that is no parameter and no label."""
    found = [
        i
        for i, node in enumerate(symbol.nodes)
        if node.op == "null" and node.name not in parameters and "label" not in node.name
    ]
    read = {one for node in symbol.nodes for one in node.inputs}
    found = [i for i in found if i in read]
    if len(found) != 1:
        names = ", ".join(symbol.nodes[i].name for i in found)
        raise InputError(str(file), "one variable that is the input", names or "none")
    return found[0]


def _said_shape(node: Node, input_shape: Sequence[int] | None) -> Shape | None:
    if "__shape__" not in node.settings:
        return None if input_shape is None else tuple(input_shape)
    shape = node.setting("__shape__", ())
    is_shape = isinstance(shape, tuple) and len(shape) in (2, 4)
    if not is_shape or not all(type(one) is int and one > 0 for one in shape[1:]):
        raise node.fault("a __shape__ (batch, channels, rows, columns)", node.settings["__shape__"])
    return tuple(shape[1:] if input_shape is None else said_shape(node.place, shape[1:], input_shape))


def _possible_shapes(symbol: Symbol, parameters: Mapping[str, Array], data: int) -> list[Shape]:
    """What the parameters of the first layer leave open."""
    for node in symbol.nodes:
        if not node.inputs or (node.inputs[0] != data and node.op != "null"):
            continue
        kind = KINDS.get(node.op, node.op)
        weights = [parameters.get(symbol.nodes[i].name) for i in node.inputs[1:2]]
        if not weights or weights[0] is None:
            continue
        shape = weights[0].shape
        if kind == "FullyConnected":
            return [(int(shape[1]),)]
        channels = int(shape[0]) if kind == "BatchNorm" else int(shape[1]) if len(shape) == 4 else 0
        if channels:
            return [(channels, size, size) for size in range(1, _LARGEST_INPUT + 1)]
    return []


def _built(symbol: Symbol, parameters: Mapping[str, Array], data: int, shape: Shape) -> SymbolGraph:
    graph = SymbolGraph(symbol, data, shape)
    for number, node in enumerate(symbol.nodes):
        if number == data:
            continue
        if node.op == "null":
            if node.name in parameters:
                graph.known[number] = parameters[node.name]
            continue
        kind = KINDS.get(node.op, node.op)
        _check(node, kind)
        if kind in CONSTANTS and graph.known.keys() >= set(node.inputs):
            with foreign_file(f"{node.place} ({node.op})", "parameters that fit each other"):
                graph.known[number] = computed(kind, node, [graph.known[i] for i in node.inputs])
            continue
        with foreign_file(f"{node.place} ({node.op})", "settings as MXNet writes them"):
            if kind not in HANDLERS:
                raise node.fault("parameters alone, of which weights are made", "data")
            graph.shapes[number] = HANDLERS[kind](graph, node)
        graph.names[number] = node.name
    missing = [one for one in symbol.outputs if one not in graph.names]
    if missing:
        node = symbol.nodes[missing[0]]
        raise InputError(node.place, "outputs that depend on the input", node.op)
    return graph


def _check(node: Node, kind: str) -> None:
    """Raises :class:`InputError` on an operator or a setting that is not understood."""
    if kind not in SETTINGS:
        known = ", ".join(sorted(SETTINGS))
        near = near_names(node.op, SETTINGS)
        raise InputError(node.place, f"an operator that can be imported ({known})", node.op, near)
    for key, value in node.settings.items():
        if key not in SETTINGS[kind] and not key.startswith("__"):
            known = ", ".join(SETTINGS[kind]) or "none"
            got = f"{key} = {shown_value(value)}"
            raise node.fault(f"settings that are understood ({known})", got)
