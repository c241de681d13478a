"""FINN's graph as one of standard and QONNX operators, which the ONNX importer reads.

A window and the unit behind it become a convolution; FIFOs and converters nothing; everything keeps
the names of the tensors that it makes.
"""

from __future__ import annotations

import graphlib
from dataclasses import dataclass
from typing import Any

from bnnsim.importers.finn.emitter import Emitter, WindowOf
from bnnsim.importers.finn.matrix import product
from bnnsim.importers.finn.nodes import (
    PASSING,
    DataflowNode,
    dataflow_nodes,
    is_dataflow,
    renamed,
    resolved,
)
from bnnsim.importers.finn.units import HANDLERS
from bnnsim.importers.onnx.file import QONNX_DOMAINS, model_input, read_array
from bnnsim.importers.onnx.graph import CHANNELS_LAST, FINN, ONNX, QONNX, Array
from bnnsim.spec.faults import InputError, near_names
from bnnsim.spec.value_type import ValueType, parse_value_type

_OPSET = 13
_SPLITS = ("DuplicateStreams", "ReplicateStream")


@dataclass(frozen=True)
class Translation:
    """``model`` is the ``onnx.ModelProto`` of plain operators. ``tensors`` says by node which of its
    tensors holds what the node puts out (windows are none), then which others hold the same numbers."""

    model: Any
    nodes: tuple[DataflowNode, ...]
    tensors: dict[str, tuple[str, ...]]


def translated(model: Any, file: str) -> Translation:
    """The graph of FINN's nodes in plain operators.

    Raises :class:`InputError` where a node is not known, or its attributes do not fit its inputs.
    """
    graph = model.graph
    opset = next((o.version for o in model.opset_import if o.domain in (ONNX, "ai.onnx")), _OPSET)
    out = Emitter({t.name: read_array(t, file) for t in graph.initializer}, int(opset))
    given = model_input(model, file)
    out.ranks.update(_ranks(graph))
    nodes = tuple(_in_order(list(dataflow_nodes(model, file)), given.name, out.constants))
    by_name = {(tuple(n.output), str(n.op_type)): n for n in graph.node}
    input_type = _input_type(graph, given, nodes)
    _read_input(out, given.name, input_type, file)
    held: dict[str, str] = {}
    for node in nodes:
        seen = renamed(node, out.alias)
        proto = by_name[node.outputs, node.op_type]
        made = out.renamed(_emit(out, seen, proto), node)
        if made not in out.windows:
            held[node.name] = made
        if node.outputs and made != node.outputs[0]:
            out.alias[node.outputs[0]] = made
    tensors = {name: out.held(tensor) for name, tensor in held.items()}
    return Translation(_model(model, out, given, input_type), nodes, tensors)


def _emit(out: Emitter, node: DataflowNode, proto: Any) -> str:
    """The operators of one node; returns the tensor that holds what it puts out."""
    hardware = is_dataflow(proto)
    if hardware and node.kind in PASSING:
        _check_outputs(node, 1)
        return node.inputs[0]
    if hardware and node.kind in _SPLITS:
        _check_outputs(node, 1)
        for output in node.outputs[1:]:
            out.alias[output] = node.inputs[0]
        return node.inputs[0]
    if (hardware or _is_general(proto)) and node.kind in HANDLERS:
        _check_outputs(node, 1)
        return HANDLERS[node.kind](out, node)
    if hardware:
        known = sorted([*HANDLERS, *PASSING, *_SPLITS])
        expected = f"a unit that can be imported ({', '.join(known)})"
        place = f"{node.place} ({node.op_type})"
        raise InputError(place, expected, node.op_type, near_names(node.kind, known))
    return _plain(out, node, proto)


def _check_outputs(node: DataflowNode, count: int) -> None:
    if len(node.outputs) < count or not node.inputs:
        raise node.fault("an input and an output", f"{len(node.inputs)} and {len(node.outputs)}")


def _is_general(proto: Any) -> bool:
    return str(proto.domain) in (*QONNX_DOMAINS, CHANNELS_LAST, "finn")


def _plain(out: Emitter, node: DataflowNode, proto: Any) -> str:
    """An operator of another kind as it is; a matrix behind windows becomes a convolution."""
    data = node.inputs[0] if node.inputs else ""
    is_matrix = node.kind in ("MatMul", "XnorPopcountMatMul") and len(node.inputs) == 2
    in_map = data in out.windows or out.ranks.get(data) == 4
    if is_matrix and in_map and node.inputs[1] in out.constants:
        weights = out.constants[node.inputs[1]]
        if weights.ndim != 2:
            raise node.fault("a matrix as its weights", list(weights.shape))
        xnor = node.kind == "XnorPopcountMatMul"
        if data in out.windows:
            return product(out, node, weights, (), xnor)
        return _pointwise(out, node, weights, xnor)
    for name in node.inputs:
        if name in out.windows:
            raise node.fault("a matrix or a unit behind windows", node.kind)
    copy = type(proto)()
    copy.CopyFrom(proto)
    copy.input[:] = list(node.inputs)
    copy.name = node.name
    if str(proto.domain) in ("finn", *QONNX_DOMAINS):
        copy.domain = QONNX
    out.nodes.append(copy)
    if (
        node.kind not in ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose")
        and data in out.ranks
    ):
        out.ranks.setdefault(node.outputs[0], out.ranks[data])
    return node.outputs[0] if node.outputs else ""


def _pointwise(out: Emitter, node: DataflowNode, weights: Array, xnor: bool) -> str:
    """A matrix on each pixel of a map with its channels last."""
    name = f"{node.outputs[0]}/windows"
    out.windows[name] = WindowOf(node.inputs[0], weights.shape[0], (1, 1), (1, 1), (1, 1))
    pixel = DataflowNode(
        node.kind, node.op_type, node.name, "", (name,), node.outputs, {}, node.place
    )
    return product(out, pixel, weights, (), xnor)


def _ranks(graph: Any) -> dict[str, int]:
    """Dimensions of the tensors whose shapes the file says."""
    found = {}
    for value in (*graph.value_info, *graph.input, *graph.output):
        kind = value.type.tensor_type
        if kind.HasField("shape") and len(kind.shape.dim):
            found[value.name] = len(kind.shape.dim)
    return found


def _input_type(graph: Any, given: Any, nodes: tuple[DataflowNode, ...]) -> str:
    """FINN's name of the input's type: as noted beside the graph, else as its first reader says."""
    for annotation in graph.quantization_annotation:
        if annotation.tensor_name == given.name:
            for entry in annotation.quant_parameter_tensor_names:
                if entry.key == "finn_datatype":
                    return str(entry.value)
    for node in nodes:
        if given.name in node.inputs:
            return str(node.attributes.get("inputDataType", node.attributes.get("dataType", "")))
    return ""


def _read_input(out: Emitter, name: str, text: str, file: str) -> None:
    """What the first unit reads: a quantiser stands for the integers that come in."""
    if text in ("", "FLOAT32", "UINT8", "INT8"):  # the last two are said beside the graph
        return
    place = DataflowNode("input", "input", f"{name}/input", "", (), (), {}, f"{file}: input {name}")
    rank = out.ranks.get(name, 2)
    if text == "BIPOLAR":
        made = out.op(
            place, "BipolarQuant", [name, out.constant(place, "scale", 1.0)], domain=QONNX
        )
    elif text == "BINARY":
        table = out.constant(place, "thresholds", [[0.5]])
        layout: dict[str, Any] = {
            "data_layout": {2: "NC", 4: "NHWC"}.get(rank, "NC"),
            "out_dtype": text,
        }
        made = out.op(place, "MultiThreshold", [name, table], domain=QONNX, **layout)
    else:
        kind = _integer(text, place)
        values = (("scale", 1.0), ("zero", 0.0), ("bits", float(kind.bits)))
        parts = [out.constant(place, role, value) for role, value in values]
        flags: dict[str, Any] = {"signed": int(kind.is_signed), "narrow": 0}
        made = out.op(place, "Quant", [name, *parts], domain=QONNX, **flags)
    out.ranks[made] = rank
    out.alias[name] = made


def _integer(text: str, place: DataflowNode) -> ValueType:
    try:
        kind = parse_value_type(text.lower())
    except ValueError:
        kind = None
    if kind is None or kind.kind not in ("int", "uint") or not 2 <= kind.bits <= 8:
        raise place.fault("an input of BIPOLAR, BINARY, or integers of at most 8 bits", text)
    return kind


def _in_order(
    nodes: list[DataflowNode], given: str, constants: dict[str, Array]
) -> list[DataflowNode]:
    """Each node behind those it reads.

    Raises :class:`InputError` on a circle, and on a tensor that two nodes make.
    """
    makers: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in node.outputs:
            if name and (name in makers or name == given or name in constants):
                raise node.fault("each tensor made once", name)
            makers[name] = index
    known = {given, "", *constants}
    graph = {i: {makers[n] for n in node.inputs if n in makers} for i, node in enumerate(nodes)}
    for node in nodes:
        missing = [name for name in node.inputs if name not in known and name not in makers]
        if missing:
            raise node.fault("inputs that some node makes", missing[0])
    try:
        return [nodes[i] for i in graphlib.TopologicalSorter(graph).static_order()]
    except graphlib.CycleError as error:
        circle = [nodes[i] for i in error.args[1]]
        raise circle[0].fault("nodes in an order", f"a circle of {len(circle) - 1}") from None


def _model(model: Any, out: Emitter, given: Any, input_type: str) -> Any:
    from onnx import helper

    outputs = []
    for value in model.graph.output:
        source = resolved(value.name, out.alias)
        if source in out.windows:
            raise InputError(given.name, "an output of numbers", f"windows in {value.name}")
        if source != value.name:
            out.nodes.append(helper.make_node("Identity", [source], [value.name], name=value.name))
        outputs.append(helper.make_empty_tensor_value_info(value.name))
    made = {one.name for one in out.initializers}
    plain = [t for t in model.graph.initializer if t.name not in made]
    read = {name for node in out.nodes for name in node.input}
    constants = [t for t in [*plain, *out.initializers] if t.name in read]
    graph = helper.make_graph(out.nodes, "finn", [given], outputs, constants)
    if input_type in ("UINT8", "INT8"):
        note = graph.quantization_annotation.add()
        note.tensor_name = given.name
        entry = note.quant_parameter_tensor_names.add()
        entry.key, entry.value = "finn_datatype", input_type
    opsets = [helper.make_opsetid("", out.opset)]
    producer = model.producer_name or "finn"
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=8, producer_name=producer, domain=FINN
    )
