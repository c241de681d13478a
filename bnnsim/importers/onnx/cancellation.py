"""What training code leaves in a graph and real arithmetic takes away, before anything is lowered.

A straight-through estimator is exported as ``sign(x) - soft(x) + soft(x)``: a tensor that is added to
its own negation vanishes, whatever made it. Operators that repeat another are one, so that both terms
are seen to be the same. A sign does not see a factor above 0, nor a tanh.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bnnsim.importers.onnx.graph import ONNX, QONNX, Array, ModelGraph, Operator

Form = Mapping[str, int]
"""A tensor as a sum of others, each so many times."""
_MOST_TERMS = 64
_SMALL = 4096
"""Constants of at most so many numbers are compared with each other."""
_SUMS = ("Add", "Sub", "Sum", "Neg", "Identity")
_ABOVE_ZERO = ("Sigmoid", "Exp", "Softplus", "Softmax")
_SIGNS = ((ONNX, "Sign"), (QONNX, "BipolarQuant"))


def simplified(
    graph: ModelGraph, operators: Sequence[Operator]
) -> tuple[list[Operator], list[str]]:
    """The operators, each behind those it reads, without what cancels itself, and what to say of it."""
    unique = _without_repeats(graph, operators)
    return _signs_alone(graph, _signs_inside(graph, _cancelled(graph, unique)))


def _signs_inside(graph: ModelGraph, operators: Sequence[Operator]) -> list[Operator]:
    """A sign of a map with a constant border (as daBNN and BMXNet 2 have their networks exported) is the
    sign of what is inside, with the border's sign around it; so is a sum with one number."""
    read = [name for operator in operators for name in operator.inputs] + list(graph.outputs)
    pads = {one.output: one for one in operators if (one.domain, one.kind) == (ONNX, "Pad")}
    found: list[Operator] = []
    for operator in operators:
        pad = next((pads[one] for one in operator.inputs[:2] if one in pads), None)
        border = None if pad is None or read.count(pad.output) > 1 else _border_of(graph, pad)
        value = None if border is None else _behind(graph, operator, border)
        if pad is None or value is None:
            found.append(operator)
            continue
        inside = f"{operator.output}/inside"
        inputs = tuple(pad.inputs[0] if one == pad.output else one for one in operator.inputs)
        moved = replace(operator, inputs=inputs, outputs=(inside,))
        around = replace(pad, inputs=(inside, *pad.inputs[1:]), outputs=operator.outputs)
        if len(pad.inputs) > 1:
            graph.constants[f"{inside}/border"] = np.array(value)
            rest = (inside, pad.inputs[1], f"{inside}/border", *pad.inputs[3:])
            around = replace(around, inputs=rest)
        else:
            around = replace(around, attributes={**pad.attributes, "value": value})
        found.remove(pad)
        found += [moved, around]
        pads[around.output] = around
    return found


def _behind(graph: ModelGraph, operator: Operator, border: float) -> float | None:
    """What an operator makes of a border's number; None where that depends on more."""
    kind = operator.kind if operator.domain == ONNX else ""
    if kind == "Sign":
        return float(np.sign(border))
    constants = [graph.constants[one] for one in operator.inputs if one in graph.constants]
    if kind == "Add" and len(constants) == 1 and constants[0].size == 1:
        return border + float(constants[0].reshape(-1)[0])
    return None


def _border_of(graph: ModelGraph, pad: Operator) -> float | None:
    """The number that a Pad puts around a map; None where it is no constant."""
    if pad.attributes.get("mode", "constant") not in ("constant", b"constant"):
        return None
    if not pad.has(2):
        return float(pad.attributes.get("value", 0.0))
    value = graph.constants.get(pad.inputs[2])
    return None if value is None or value.size != 1 else float(value.reshape(-1)[0])


def _without_repeats(graph: ModelGraph, operators: Sequence[Operator]) -> list[Operator]:
    """Operators that read the first of equal tensors."""
    first: dict[object, str] = {}
    same: dict[str, str] = {}
    for name, array in graph.constants.items():
        if array.size <= _SMALL:
            key = (array.dtype.str, array.shape, array.tobytes(), name in graph.grids)
            same[name] = first.setdefault(key, name)
    found = []
    for operator in operators:
        inputs = tuple(same.get(name, name) for name in operator.inputs)
        changed = replace(operator, inputs=inputs)
        found.append(changed)
        if len(operator.outputs) == 1:
            kind = (operator.domain, operator.kind, operator.channels_last)
            said = tuple(sorted((k, _frozen(v)) for k, v in operator.attributes.items()))
            made = first.setdefault((kind, inputs, said), operator.output)
            same[operator.output] = made
    return found


def _frozen(value: Any) -> object:
    return value.tobytes() if isinstance(value, np.ndarray) else str(value)


def _cancelled(graph: ModelGraph, operators: Sequence[Operator]) -> list[Operator]:
    forms: dict[str, Form] = {}
    found: list[Operator] = []
    for operator in operators:
        form = _form(operator, forms)
        if form is None:
            found.append(operator)
            continue
        terms = {name: count for name, count in form.items() if count}
        gone = [name for name, count in form.items() if not count]
        if not gone or not any(_are_alike(graph, operator.output, [term]) for term in terms):
            forms[operator.output] = form if not gone else {operator.output: 1}
            found.append(operator)
            continue
        forms[operator.output] = terms
        found += _sum_of(operator, terms)
    return found


def _form(operator: Operator, forms: Mapping[str, Form]) -> Form | None:
    """The operator's output as a sum; None where it is none. Terms that cancel stay, 0 times."""
    if operator.domain != ONNX or operator.kind not in _SUMS or len(operator.outputs) != 1:
        return None
    form: dict[str, int] = {}
    for position, name in enumerate(operator.inputs):
        falls = operator.kind == "Neg" or (operator.kind == "Sub" and position == 1)
        for term, count in forms.get(name, {name: 1}).items():
            form[term] = form.get(term, 0) + (-count if falls else count)
    return form if len(form) <= _MOST_TERMS else None


def _are_alike(graph: ModelGraph, name: str, others: Iterable[str]) -> bool:
    """Whether all are known to have the shape of ``name``: what is left may not be smaller."""
    shape = graph.shapes.get(name)
    is_known = shape is not None and all(shape[1:])  # the batch alone may be open
    return is_known and all(graph.shapes.get(other) == shape for other in others)


def _sum_of(operator: Operator, terms: Form) -> list[Operator]:
    """Operators that make the output of ``operator`` from what is left of its terms."""
    signed = [(name, count > 0) for name, count in terms.items() for _ in range(abs(count))]
    signed.sort(key=lambda one: not one[1])
    (total, is_positive), *rest = signed
    steps: list[tuple[str, tuple[str, ...]]] = []
    if not is_positive:
        steps.append(("Neg", (total,)))
    steps += [("Add" if rises else "Sub", (name,)) for name, rises in rest]
    if not steps:
        steps.append(("Identity", (total,)))
    made = []
    for number, (kind, names) in enumerate(steps):
        is_last = number == len(steps) - 1
        output = operator.output if is_last else f"{operator.output}/{number}"
        inputs = names if kind in ("Neg", "Identity") else (total, *names)
        made.append(
            replace(operator, kind=kind, inputs=inputs, outputs=(output,), attributes={})
        )
        total = output
    return made


def _signs_alone(
    graph: ModelGraph, operators: Sequence[Operator]
) -> tuple[list[Operator], list[str]]:
    """Signs that read what decides them, and a note where float32 may see that otherwise."""
    makers = {operator.outputs[0]: operator for operator in operators if operator.outputs}
    found, notes = [], []
    for operator in operators:
        if (operator.domain, operator.kind) in _SIGNS:
            name = _decisive(graph, makers, operator.inputs[0])
            factors = _factors(makers, operator.inputs[0], name)
            if factors:
                notes.append(
                    f"{operator.name or operator.output}: {factors} taken as above 0 in front of a sign "
                    "(float32 rounds a Sigmoid of less than -87 to 0, and the sign with it)"
                )
            operator = replace(operator, inputs=(name, *operator.inputs[1:]))
        found.append(operator)
    return found, notes


def _factors(makers: Mapping[str, Operator], name: str, end: str) -> str:
    """The factors between a tensor and the one that decides its sign, by what makes them."""
    kinds: list[str] = []
    while name != end:
        maker = makers[name]
        inside = [i for i in maker.inputs if i == end or _leads(makers, i, end)]
        kinds += [makers[i].kind for i in maker.inputs if i not in inside and i in makers]
        name = inside[0]
    return ", ".join(dict.fromkeys(kinds))


def _leads(makers: Mapping[str, Operator], name: str, end: str) -> bool:
    maker = makers.get(name)
    if maker is None or maker.kind not in ("Mul", "Div", "Tanh"):
        return False
    return any(one == end or _leads(makers, one, end) for one in maker.inputs)


def _decisive(graph: ModelGraph, makers: Mapping[str, Operator], name: str) -> str:
    """The tensor of the same shape whose sign ``name`` has everywhere."""
    while name in makers and makers[name].domain == ONNX:
        maker = makers[name]
        if maker.kind == "Tanh":
            candidates = [maker.inputs[0]]
        elif maker.kind in ("Mul", "Div") and len(maker.inputs) == 2:
            first, second = maker.inputs
            candidates = [first] if _is_above_zero(graph, makers, second) else []
            if maker.kind == "Mul" and _is_above_zero(graph, makers, first):
                candidates.append(second)
        else:
            candidates = []
        alike = [c for c in candidates if _are_alike(graph, name, [c])]
        if not alike:
            return name
        name = alike[0]
    return name


def _is_above_zero(graph: ModelGraph, makers: Mapping[str, Operator], name: str) -> bool:
    constant: Array | None = graph.constants.get(name)
    if constant is not None:
        return False  # constant factors fold, whatever their sign
    maker = makers.get(name)
    if maker is None or maker.domain != ONNX:
        return False
    if maker.kind in ("Mul", "Add", "Div"):
        return all(_is_above_zero(graph, makers, one) for one in maker.inputs)
    if maker.kind in ("Reshape", "Identity", "Unsqueeze", "Squeeze", "Expand"):
        return _is_above_zero(graph, makers, maker.inputs[0])
    return maker.kind in _ABOVE_ZERO
