"""An ONNX or QONNX file as a graph of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.reference.finn_operators import (
    DOMAINS,
    FRONT_END,
    finn_function,
    is_finn,
    plain_kind,
    typed_input,
)
from bnnsim.reference.graph import Array, ReferenceGraph, Step, Tensors, in_double
from bnnsim.reference.onnx_operators import (
    SPATIAL,
    Function,
    cast,
    channels_last,
    dequantize_linear,
    library_function,
    qonnx_function,
    quantize_linear,
    refusing,
)
from bnnsim.spec.faults import InputError

_STANDARD = ("", "ai.onnx")
_CHANNELS_LAST = "qonnx.custom_op.channels_last"
_CUSTOM = (
    *("qonnx.custom_op.general", "finn.custom_op.general", "onnx.brevitas"),
    *DOMAINS,
)
_ELEMENTWISE = (
    *("Abs", "Add", "BatchNormalization", "Cast", "Clip", "Div", "Dropout", "Equal", "Greater"),
    *("GreaterOrEqual", "HardTanh", "Identity", "LeakyRelu", "Less", "LessOrEqual", "Max", "Min"),
    *("Mul", "Neg", "Not", "PRelu", "Relu", "Sign", "Sub", "Sum", "Where"),
    *("Ceil", "Floor", "HardSigmoid", "Round", "Sigmoid", "Tanh"),
    *("DequantizeLinear", "QuantizeLinear"),
    *("BipolarQuant", "IntQuant", "MultiThreshold", "Quant", "Trunc"),
)


def read_onnx(
    path: str | Path, model: Any = None, shape: Sequence[int] | None = None
) -> ReferenceGraph:
    """The model of a file, every operator a step, those on constants evaluated.

    ``model``: what the file holds, where it is more than a file (FINN's partitions); ``shape``: of an
    input, in the place of the file's. Raises :class:`InputError` where onnx is not
    installed, or an operator has no reference.
    """
    import onnx

    file = str(path)
    model = _loaded(file) if model is None else model
    graph = model.graph
    constants: Tensors = {
        t.name: in_double(onnx.numpy_helper.to_array(t)) for t in graph.initializer
    }
    given = [value for value in graph.input if value.name not in constants]
    opset = next((o.version for o in model.opset_import if o.domain in _STANDARD), 13)
    batch, *own = (int(d.dim_value) for d in given[0].type.tensor_type.shape.dim)
    if batch == 0:  # open, but perhaps written into a shape
        shapes = [constants.get(n.input[1]) for n in graph.node if n.op_type == "Reshape"]
        told = {int(one.flat[0]) for one in shapes if one is not None and one.size}
        batch = told.pop() if len(told) == 1 else 0
    steps = []
    made = [_step(node, i, file, opset) for i, node in enumerate(graph.node)]
    for step in _in_order(_typed(made, model, given[0].name, file), given[0].name, constants):
        if all(name in constants for name in step.inputs if name):
            alone = ReferenceGraph(file, "", (), (), (step,), constants)
            constants.update(alone.run(np.zeros(0)))
        else:
            steps.append(step)
    constants.pop("", None)
    outputs = tuple(value.name for value in graph.output)
    return ReferenceGraph(
        file,
        given[0].name,
        tuple(own if shape is None else shape),
        outputs,
        tuple(steps),
        constants,
        batch=max(1, batch),
    )


def _typed(steps: list[Step], model: Any, name: str, file: str) -> list[Step]:
    """The steps of a graph of FINN with its input in the values that it is for."""
    is_ours = any(is_finn(str(n.domain)) or n.op_type in FRONT_END for n in model.graph.node)
    function = typed_input(model, name) if is_ours else None
    if function is None:
        return steps
    inner = f"{name} as typed"
    first = Step("Quant", (name,), (inner,), function, f"{file}: {name}", True)
    read = [replace(s, inputs=tuple(inner if n == name else n for n in s.inputs)) for s in steps]
    return [first, *read]


def _loaded(file: str) -> Any:
    """A model in whichever of ONNX's forms; in the text forms the suffix need not say which."""
    import onnx

    content = Path(file).read_bytes()
    if content.lstrip()[:1] not in (b"{", b"<") and b"\0" in content:
        return onnx.load(file)
    for form in ("protobuf", "textproto", "json", "onnxtxt"):
        try:
            model = onnx.load_model_from_string(content, form)
        except Exception:  # each form's parser has its own classes
            continue
        if model.graph.node:
            return model
    raise InputError(file, "a whole ONNX file", f"{len(content)} bytes")


def _step(node: Any, index: int, file: str, opset: int) -> Step:
    kind, domain = str(node.op_type), str(node.domain)
    place = f"{file}: {node.name or f'{kind}_{index}'}"
    function, on_step = _function(node, kind, domain, opset, place)
    kind = plain_kind(kind) if is_finn(domain) else kind
    return Step(
        kind,
        tuple(node.input),
        tuple(node.output),
        refusing(function),
        place,
        kind in _ELEMENTWISE,
        on_step,
    )


def _function(
    node: Any, kind: str, domain: str, opset: int, place: str
) -> tuple[Function, Callable[[Sequence[Array]], Array] | None]:
    import onnx

    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    attributes = {k: v.decode() if isinstance(v, bytes) else v for k, v in attributes.items()}
    if is_finn(domain) or kind in FRONT_END:
        unit = finn_function(kind, attributes)
        if unit is not None:
            return unit, None
    if domain in _CUSTOM:
        found = qonnx_function(kind, attributes)
        if found is not None:
            steps = found[1]
            return found[0], None if steps is None else (lambda given: steps(given)[0])
    elif domain == _CHANNELS_LAST and kind in SPATIAL:
        return channels_last(SPATIAL[kind](attributes), kind == "Conv"), None
    elif domain in _STANDARD:
        return _standard(node, kind, attributes, opset, place), _ON_STEP.get(kind)
    raise InputError(place, "an operator whose meaning is known", f"{domain}.{kind}")


_ON_STEP: dict[str, Callable[[Sequence[Array]], Array]] = {
    "Sign": lambda given: given[0] == 0,
    "Round": lambda given: given[0] - np.floor(given[0]) == 0.5,
    "QuantizeLinear": lambda given: (
        (given[0] / given[1]) % 1 == 0.5 if given[1].size == 1 else np.zeros(given[0].shape, bool)
    ),
    **dict.fromkeys(("Ceil", "Floor"), lambda given: given[0] == np.floor(given[0])),
    **dict.fromkeys(
        ("Greater", "GreaterOrEqual", "Less", "LessOrEqual"), lambda given: given[0] == given[1]
    ),
}


_OWN = {"Cast": cast, "DequantizeLinear": dequantize_linear, "QuantizeLinear": quantize_linear}


def _standard(node: Any, kind: str, attributes: dict[str, Any], opset: int, place: str) -> Function:
    if kind in SPATIAL:
        return SPATIAL[kind](attributes)
    if kind in _OWN:
        return _OWN[kind](attributes)
    if kind == "HardTanh":  # as PyTorch's exporter once wrote it
        return lambda given: [np.clip(given[0], -1.0, 1.0)]
    try:
        return library_function(node, opset)
    except Exception as error:  # the library's own classes, and whatever a damaged node trips
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            place, "an operator whose meaning is known", f"{kind} ({reason})"
        ) from None


def _in_order(steps: list[Step], given: str, constants: Tensors) -> list[Step]:
    """Every step behind those it reads; old exporters miss that order."""
    known = {given, "", *constants}
    ordered: list[Step] = []
    while steps:
        ready = [step for step in steps if all(name in known for name in step.inputs)]
        if not ready:
            raise InputError(
                steps[0].place, "inputs that some operator makes", ", ".join(steps[0].inputs)
            )
        known.update(name for step in ready for name in step.outputs)
        ordered += ready
        steps = [step for step in steps if step not in ready]
    return ordered
