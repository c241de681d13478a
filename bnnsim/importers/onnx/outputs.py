"""A model's declared outputs: which are kept, what may end a network, and what leads to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.graph import ModelGraph, Operator
from bnnsim.spec.faults import InputError, near_names

_MONOTONE = ("LogSoftmax", "Sigmoid", "Softmax", "Tanh")
"""They keep the order of the scores that they read."""
_ELEMENTWISE = ("Sigmoid", "Tanh")
_SHAPING = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")
_PASSING = ("Cast", "Dropout", "Identity")
_FLOATS = (1, 10, 11, 16)
"""ONNX's numbers of the floating-point types."""


@dataclass(frozen=True)
class End:
    """What stands in a tensor behind a Softmax, ArgMax or TopK: no numbers that a network can go on with.

    ``tensor`` holds the scores in front, ``binding`` says what they are. ``kinds`` are the operators
    between, first to last; ``operator`` is the first. ``is_reshaped``: the axes may have changed since.
    """

    tensor: str
    binding: TensorBinding
    operator: Operator
    kinds: tuple[str, ...]
    is_reshaped: bool = False


@dataclass(frozen=True)
class Head:
    """One output that is kept: its name in the model, the ``tensor`` whose values the workload gives,
    and the operators between that were ``dropped``."""

    output: str
    tensor: str
    binding: TensorBinding
    dropped: tuple[str, ...] = ()


def chosen_outputs(graph: ModelGraph, chosen: str | None) -> tuple[str, ...]:
    """The outputs to keep: ``chosen``, or all. Raises :class:`InputError` on a name that is none."""
    declared = tuple(dict.fromkeys(graph.outputs))
    if chosen is None:
        return declared
    if chosen not in declared:
        expected = f"one of the model's outputs ({', '.join(declared)})"
        raise InputError(f"{graph.file}: output", expected, repr(chosen), near_names(chosen, declared))
    return (chosen,)


def leading_to(operators: Sequence[Operator], outputs: Iterable[str]) -> list[Operator]:
    """The operators that ``outputs`` depend on, in their order."""
    needed, kept = set(outputs), []
    for operator in reversed(operators):
        if needed & set(operator.outputs):
            needed.update(operator.inputs)
            kept.append(operator)
    return kept[::-1]


def softmax_axis(operator: Operator, rank: int, opset: int) -> int:
    """The axis (the batch is 0) of a Softmax or LogSoftmax on a tensor of so many dimensions.

    Raises :class:`InputError` where it is the batch, or (before opset 13) more than one axis.
    """
    axis = _axis_of_classes(operator, 1 if opset < 13 else -1, rank)
    if opset < 13 and axis % rank != rank - 1:
        raise operator.fault("the last axis (before opset 13 all axes behind it count)", f"axis {axis}")
    return axis % rank


def _axis_of_classes(operator: Operator, default: int, rank: int) -> int:
    axis = int(operator.attributes.get("axis", default))
    if not -rank <= axis < rank or axis % rank == 0:
        raise operator.fault("an axis of classes", f"axis {axis} of {rank}")
    return axis


def classifier_end(operator: Operator, binding: TensorBinding, opset: int) -> End:
    """The end that Softmax, LogSoftmax, ArgMax or TopK makes of scores.

    Raises :class:`InputError` where it is not the classes, highest first, that it goes over.
    """
    default = 0 if operator.kind == "ArgMax" else -1
    if operator.kind in _MONOTONE and opset < 13:
        default = 1
    rank = len(binding.shape) + 1
    axis = _axis_of_classes(operator, default, rank)
    along = binding.dimensions[axis % rank - 1]
    is_whole = all(size == 1 for i, size in enumerate(binding.shape) if i != axis % rank - 1)
    if not is_whole and any(label != "C" for label, _ in along):
        raise operator.fault("the axis of the classes (channels)", f"axis {axis} of {rank}")
    return End(operator.inputs[0], binding, operator, (operator.kind,))


def behind_end(operator: Operator, ends: Mapping[str, End], opset: int) -> End:
    """What an operator that reads an end makes of it.

    Raises :class:`InputError` where that is more than another form of the same answer: then numbers
    are used that a binary network does not have.
    """
    found = next(ends[name] for name in operator.inputs if name in ends)
    last = found.kinds[-1]
    reads_one = sum(name in ends for name in operator.inputs) == 1 and operator.inputs[0] in ends
    to_float = operator.kind != "Cast" or operator.attributes.get("to") in _FLOATS
    if reads_one and operator.kind in _SHAPING:
        return replace(found, is_reshaped=True)
    if reads_one and operator.kind in _PASSING and (to_float or last not in _MONOTONE):
        return found
    ends_again = operator.kind in (*_MONOTONE, "ArgMax", "TopK") and last in _MONOTONE
    if reads_one and ends_again and operator.kind in _ELEMENTWISE:
        return replace(found, kinds=(*found.kinds, operator.kind))
    if reads_one and ends_again and not found.is_reshaped:
        classifier_end(operator, found.binding, opset)
        return replace(found, kinds=(*found.kinds, operator.kind))
    expected = "outputs of the model alone behind it (its numbers cannot be used further)"
    raise found.operator.fault(expected, f"{operator.kind} ({operator.name or operator.output})")


def leads_to_outputs(graph: ModelGraph, name: str) -> bool:
    """Whether a tensor is read by nothing but what ends a classifier, up to outputs of the model."""
    kinds = (*_MONOTONE, "ArgMax", "TopK", *_SHAPING, *_PASSING)
    readers = [one for one in graph.operators if name in one.inputs]
    if not all(one.kind in kinds for one in readers):
        return False
    return all(leads_to_outputs(graph, one.output) for one in readers)


def head_of(
    graph: ModelGraph,
    name: str,
    bindings: Mapping[str, TensorBinding],
    ends: Mapping[str, End],
) -> Head:
    """What output ``name`` is. Raises :class:`InputError` where no layer decides it."""
    if name in ends:
        end = ends[name]
        return Head(name, end.tensor, end.binding, end.kinds)
    place = f"{graph.file}: output {name}"
    binding = bindings.get(name)
    if binding is None:
        got = "a constant" if name in graph.constants else "one that no import computes"
        raise InputError(place, "an output that depends on the input", got)
    if binding.is_raw and binding.function.quantiser_position < 0:
        raise InputError(place, "an output behind at least one layer", "the input itself")
    if binding.border is not None:
        raise InputError(place, "a convolution behind a Pad", "an output of the model")
    return Head(name, name, binding)


def dropped_note(head: Head) -> str | None:
    """What the user should know of the operators that end an output, None where there are none."""
    if not head.dropped:
        return None
    kinds = ", ".join(head.dropped)
    if all(kind in _MONOTONE for kind in head.dropped):
        return (
            f"output {head.output}: {kinds} left out, the scores in front of it ({head.tensor}) are "
            "kept; it keeps their order, so the highest is the same"
        )
    return (
        f"output {head.output}: {kinds} left out; kept are the scores that it reads ({head.tensor}), "
        "not the indices or values that the model puts out"
    )
