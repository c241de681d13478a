"""Reading an ONNX file: whole, static, self-contained and of a version that is known, or refused."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.files.boundary import foreign_file
from bnnsim.importers.foreign.formats import ONNX as ONNX_FILE
from bnnsim.importers.foreign.formats import check_format, is_text
from bnnsim.importers.foreign.input_shape import SHAPE_WAY, said_shape
from bnnsim.importers.onnx.graph import CHANNELS_LAST, ONNX, QONNX, Array, ModelGraph, Operator
from bnnsim.importers.onnx.understood import NEWEST_OPSET, OLDEST_OPSET
from bnnsim.spec.bounds import MAX_ARRAY_BYTES, MAX_ELEMENTS
from bnnsim.spec.faults import InputError

QONNX_DOMAINS = (QONNX, "finn.custom_op.general", "onnx.brevitas")
"""Names under which QONNX's operators are known: qonnx's own, FINN's, Brevitas's older exports'."""
CHANNELS_LAST_DOMAIN = CHANNELS_LAST
_STANDARD = (ONNX, "ai.onnx")
_HEAD_BYTES = 4096



def load_model(path: str | Path) -> Any:
    """The ``onnx.ModelProto`` of a file, with its external data.

    Raises :class:`InputError` where the extra ``onnx`` is not installed, the file is missing or
    broken, or its weights lie in files outside its folder.
    """
    onnx = _onnx(str(path))
    file = Path(path)
    check_format(file, ONNX_FILE)
    with foreign_file(path, "a whole ONNX file", _size(file)):
        model = _parsed(onnx, file.read_bytes())
    if not model.graph.node:
        raise InputError(str(path), "a whole ONNX file", f"{_size(file)} without a graph")
    if not all(isinstance(text, str) for text in _texts(model.graph)):  # protocol buffers give bytes
        raise InputError(str(path), "a whole ONNX file", f"{_size(file)} with names that are no text")
    _load_external(onnx, model, file)
    return model


def _texts(graph: Any) -> Iterator[Any]:
    """Names and types of a graph's nodes and tensors."""
    for node in graph.node:
        yield from (node.op_type, node.domain, node.name, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)
    for one in (*graph.initializer, *graph.input, *graph.output, *graph.value_info):
        yield one.name


def _parsed(onnx: Any, content: bytes) -> Any:
    """A model in any form that the package writes: protocol buffer, its text, JSON, ONNX's language."""
    if not is_text(content[:_HEAD_BYTES]):
        return onnx.load_model_from_string(content)
    form = {b"{": "json", b"<": "onnxtxt"}.get(content.lstrip()[:1], "textproto")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ONNX calls its own language experimental
        return onnx.load_model_from_string(content, form)


def read_graph(model: Any, file: str) -> ModelGraph:
    """The operators and constants of a model; ``file`` stands for it in messages.

    Raises :class:`InputError` on versions, shapes and structures that the importer does not read.
    """
    opset = _opset(model, file)
    graph = model.graph
    own = {(one.domain, one.name) for one in model.functions}
    constants = {t.name: read_array(t, file) for t in graph.initializer}
    given = model_input(model, file)
    if not graph.output:
        raise InputError(file, "a model with an output", "none")
    shape = _static_shape(given, file)
    operators = []
    for index, node in enumerate(graph.node):
        operator = _operator(node, index, file)
        if (node.domain, node.op_type) in own:
            raise operator.fault("operators of known domains", "a function that the model defines")
        if (operator.domain, operator.kind) == (ONNX, "Constant"):
            constants[operator.output] = _constant(operator)
        else:
            operators.append(operator)
    return ModelGraph(
        file,
        operators,
        constants,
        given.name,
        shape,
        _element_kind(model, given),
        tuple(value.name for value in graph.output),
        opset,
        max(1, int(given.type.tensor_type.shape.dim[0].dim_value)),
        shapes=_shapes(model),
    )


def _shapes(model: Any) -> dict[str, tuple[int, ...]]:
    """Shapes that follow from the standard operators, open sizes as 0; none of damaged graphs."""
    import onnx.shape_inference

    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # the library's own classes: what is wrong is said where it is read
        return {}
    found = {}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        if value.type.HasField("tensor_type") and value.type.tensor_type.HasField("shape"):
            dims = value.type.tensor_type.shape.dim
            found[value.name] = tuple(int(dim.dim_value) for dim in dims)
    return found


def model_input(model: Any, file: str) -> Any:
    """The ``onnx.ValueInfoProto`` of the model's input; old files list constants beside it.

    Raises :class:`InputError` where there is not exactly one.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    if len(inputs) != 1:
        names = ", ".join(value.name for value in inputs) or "none"
        raise InputError(file, "a model with one input", names)
    return inputs[0]


def take_shape(model: Any, file: str, shape: Sequence[int] | None) -> None:
    """Give the model's input the sizes ``shape`` (without the batch) where its own are open.

    Raises :class:`InputError` where one that is not open differs.
    """
    if shape is None:
        return
    value = model_input(model, file)
    dims = value.type.tensor_type.shape.dim
    own = [int(dim.dim_value) or None for dim in dims[1:]]
    for dim, size in zip(dims[1:], said_shape(f"{file}: input {value.name}", own, shape), strict=True):
        dim.dim_value = size


def _onnx(place: str) -> Any:
    try:
        import onnx
        import onnx.external_data_helper
        import onnx.numpy_helper
    except ImportError:
        raise InputError(
            place, "the package onnx (pip install onnx)", "it is not installed"
        ) from None
    return onnx


def _size(file: Path) -> str:
    return f"{file.stat().st_size} bytes"


def _load_external(onnx: Any, model: Any, file: Path) -> None:
    """Bring in weights stored beside the model; a path that leads elsewhere is refused unread."""
    folder = Path(os.path.realpath(file)).parent
    attributes = [a for node in model.graph.node for a in node.attribute if a.HasField("t")]
    for tensor in [*model.graph.initializer, *(attribute.t for attribute in attributes)]:
        if not onnx.external_data_helper.uses_external_data(tensor):
            continue
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        target = Path(os.path.realpath(folder / location))
        place = f"{file}: {tensor.name}"
        if not location or not target.is_relative_to(folder):
            raise InputError(place, f"external data inside {folder}", repr(location))
        if not target.is_file():
            raise InputError(place, f"its external data {location}", "nothing there")
        with foreign_file(place, f"readable data in {location}"):
            onnx.external_data_helper.load_external_data_for_tensor(tensor, str(folder))
            tensor.data_location = onnx.TensorProto.DEFAULT
            del tensor.external_data[:]


def _opset(model: Any, file: str) -> int:
    versions = {entry.domain: entry.version for entry in model.opset_import}
    version = int(versions.get("", versions.get("ai.onnx", 0)))
    if not OLDEST_OPSET <= version <= NEWEST_OPSET:
        expected = f"standard operators of opset {OLDEST_OPSET} to {NEWEST_OPSET}"
        raise InputError(file, expected, f"opset {version}")
    return version


def _static_shape(value: Any, file: str) -> tuple[int, ...]:
    """The input's shape without the batch, whose size may be left open."""
    if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
        raise InputError(f"{file}: input {value.name}", "a tensor with a shape", "none")
    dims = list(value.type.tensor_type.shape.dim)
    shown = ", ".join(str(d.dim_value) if d.dim_value > 0 else d.dim_param or "?" for d in dims)
    fixed = [int(d.dim_value) for d in dims]
    if len(dims) < 2 or any(size <= 0 for size in fixed[1:]):
        expected = f"a shape that is fixed but for the batch ({SHAPE_WAY})"
        raise InputError(f"{file}: input {value.name}", expected, f"[{shown}]")
    if prod(fixed[1:]) > MAX_ELEMENTS:
        expected = f"a frame of at most {MAX_ELEMENTS} elements"
        raise InputError(f"{file}: input {value.name}", expected, f"[{shown}]")
    return tuple(fixed[1:])


def _element_kind(model: Any, value: Any) -> str:
    """``float``, ``uint8`` or ``int8``; QONNX notes the type of a float tensor beside the graph."""
    import onnx

    for annotation in model.graph.quantization_annotation:
        if annotation.tensor_name != value.name:
            continue
        for entry in annotation.quant_parameter_tensor_names:
            if entry.key == "finn_datatype" and entry.value in ("UINT8", "INT8"):
                return str(entry.value).lower()
    kinds = {onnx.TensorProto.UINT8: "uint8", onnx.TensorProto.INT8: "int8"}
    return kinds.get(value.type.tensor_type.elem_type, "float")


def read_array(tensor: Any, file: str) -> Array:
    """The numbers of an ``onnx.TensorProto``. Raises :class:`InputError` where they do not fit it."""
    import onnx

    with foreign_file(f"{file}: {tensor.name}", "a type of elements that ONNX knows"):
        onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    numbers = prod(tensor.dims)
    if not 0 <= numbers <= MAX_ARRAY_BYTES // 8:
        expected = f"a tensor of at most {MAX_ARRAY_BYTES // 8} numbers"
        raise InputError(f"{file}: {tensor.name}", expected, f"shape {list(tensor.dims)}")
    with foreign_file(f"{file}: {tensor.name}", "as many numbers as its shape says"):
        return np.asarray(onnx.numpy_helper.to_array(tensor))


def _operator(node: Any, index: int, file: str) -> Operator:
    import onnx

    domain = str(node.domain)
    name = node.name or f"{node.op_type}_{index}"
    place = f"{file}: {name}"
    attributes: dict[str, Any] = {}
    for attribute in node.attribute:
        value = onnx.helper.get_attribute_value(attribute)
        if attribute.type == onnx.AttributeProto.TENSOR:
            value = read_array(value, place)
        elif isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if attribute.name in attributes:
            raise InputError(f"{place} ({node.op_type})", "each attribute once", attribute.name)
        attributes[attribute.name] = value
    return Operator(
        str(node.op_type),
        name,
        tuple(node.input),
        tuple(node.output),
        attributes,
        place,
        domain == CHANNELS_LAST,
        ONNX if domain in _STANDARD else QONNX if domain in QONNX_DOMAINS else domain,
    )


def _constant(operator: Operator) -> Array:
    for key in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if key in operator.attributes:
            dtype = np.float32 if "float" in key else np.int64 if "int" in key else None
            return np.asarray(operator.attributes[key], dtype)
    raise operator.fault("a dense tensor or numbers", ", ".join(operator.attributes) or "nothing")
