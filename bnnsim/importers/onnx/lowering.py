"""From a model's graph to a network draft: walks the operators once, each handler adding layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any, Literal, TypeVar

from bnnsim.importers.draft.draft import INPUT, NetworkDraft
from bnnsim.importers.exact.channel_function import Affine, ChannelFunction
from bnnsim.importers.onnx.binding import (
    Dimension,
    LayoutMismatch,
    TensorBinding,
    VaryingConstants,
    dimension,
    map_dimensions,
    regrouped,
)
from bnnsim.importers.onnx.cancellation import simplified
from bnnsim.importers.onnx.constants import evaluate_constants
from bnnsim.importers.onnx.fixed_point import PROBE
from bnnsim.importers.onnx.graph import FINN, Array, ModelGraph, Operator
from bnnsim.importers.onnx.outputs import (
    End,
    Head,
    behind_end,
    chosen_outputs,
    head_of,
    leading_to,
)
from bnnsim.importers.onnx.understood import check_operator
from bnnsim.spec.faults import InputError, SpecError, near_names
from bnnsim.spec.value_type import ValueType

SignOfZero = Literal["exact", "plus"]


@dataclass(frozen=True)
class ImportOptions:
    """What the user decides where the model leaves a choice.

    ``fixed`` is the word of values that cannot be folded into thresholds; None leaves it to their
    reach. ``input_type`` is what the
    frames hold where the model does not quantise its input itself (or quantises it channel by
    channel); ``image_range`` the numbers that pixels 0 and 255 stand for at the model's input (one
    pair for all channels, or one each), by
    default 0 and 1, or 0 and 255 where the model divides by 255 or takes integers.
    ``sign_of_zero``: ONNX's Sign gives 0 on 0; ``exact`` keeps it (three values where 0 occurs),
    ``plus`` makes it +1.
    """

    fixed: ValueType | None = None
    input_type: ValueType | None = None
    image_range: tuple[tuple[float, float], ...] | None = None
    sign_of_zero: SignOfZero = "exact"
    output: str | None = None
    """The only output to keep; default: all of the model's."""
    real_layers: int | None = None
    """To how many bits real-valued weights are rounded; None: they are refused."""
    input_shape: tuple[int, ...] | None = None
    """Of one input, as the model takes it; None: what the file says."""


@dataclass(frozen=True)
class RoundedWeights:
    """A constant of real weights that was rounded: the largest magnitude of each row of ``row_axis``
    is the largest integer of so many bits."""

    row_axis: int
    bits: int


@dataclass(frozen=True)
class FrameRule:
    """How the model's float input and a frame's integers belong together.

    Where the model quantises its input, ``encode`` maps a float to the integer (0 and 1 where the
    frame is bipolar); else ``decode`` maps the integer to the float, the same for all channels or one
    step each. Pixels 0 and 255 are ``low`` and ``high`` at the model's input (of channels that differ
    the least and the greatest).
    """

    encode: ChannelFunction | None
    decode: tuple[Affine, ...] | None
    low: Fraction
    high: Fraction


@dataclass
class Lowering:
    """The state of the walk.

    ``bindings`` maps every tensor that depends on the input to what it is, ``ends`` those behind the
    operators that end a classifier (TopK, Softmax, ...). ``heads`` are the outputs that are kept.
    ``notes`` are sentences for the user.
    """

    graph: ModelGraph
    options: ImportOptions
    draft: NetworkDraft
    bindings: dict[str, TensorBinding]
    add: Adder
    """Adds tensors up: what a sum of quantisers comes to that is no quantiser itself."""
    frame: FrameRule | None = None
    ends: dict[str, End] = field(default_factory=dict)
    heads: list[Head] = field(default_factory=list)
    integers: dict[str, TensorBinding] = field(default_factory=dict)
    """Tensors that an operator has read as integers of a layer."""
    notes: list[str] = field(default_factory=list)
    rounded: dict[str, RoundedWeights] = field(default_factory=dict)
    """Weights that are the model's only nearly, by the constant's name."""
    may_flatten: bool = True
    """Whether a map that is only ever flattened may become a flat frame."""
    may_part: bool = False
    """Whether elements of a channel may become channels, where each has constants of its own."""
    channels_last: bool = False
    """Whether the model's input is read as maps with their channels last."""
    flat_orders: set[tuple[str, ...]] = field(default_factory=set)
    """How the axes of such a map lay where it was flattened."""
    made: dict[object, Any] = field(default_factory=dict)
    """Layers that stand for a function of another layer, so that none is made twice."""

    @property
    def word(self) -> ValueType:
        """The word of values that cannot be folded into thresholds."""
        return self.options.fixed or PROBE

    def binding(self, operator: Operator, position: int = 0) -> TensorBinding:
        """The binding at an input that must depend on the model's input."""
        found = self.bindings.get(operator.inputs[position])
        if found is None:
            raise operator.fault(f"data at input {position}", operator.inputs[position] or "nothing")
        if found.border is not None and operator.kind not in ("Conv", "Concat"):
            raise operator.fault("a convolution behind a Pad", operator.kind)
        return found

    def constant(self, operator: Operator, position: int, role: str) -> Array:
        """The constant at an input, whose ``role`` a message names."""
        name = operator.inputs[position] if operator.has(position) else ""
        found = self.graph.constants.get(name)
        if found is None:
            raise operator.fault(f"a constant as its {role}", name or "nothing")
        return found

    def optional(self, operator: Operator, position: int, role: str) -> Array | None:
        """As :meth:`constant`; None where the input is left out."""
        return self.constant(operator, position, role) if operator.has(position) else None

    def is_data(self, operator: Operator, position: int) -> bool:
        return operator.inputs[position] in self.bindings


Result = TypeVar("Result")
Handler = Callable[[Lowering, Operator], TensorBinding | End]
"""What an operator makes of its inputs, with the layers for it added to the draft. Raises
:class:`InputError` where its attributes or the shapes of its inputs cannot be brought into a workload."""

Handlers = Mapping[tuple[str, str], Handler]
"""Who reads what: by domain and kind."""


Adder = Callable[[Lowering, Operator, list[TensorBinding]], TensorBinding]
"""The sum of tensors of one shape, as layers."""


def lower(graph: ModelGraph, options: ImportOptions, handlers: Handlers, add: Adder) -> Lowering:
    """Walk the graph with the input taken as channels first, else as channels last.

    Either way of reading the input's axes is exact; only one of them lets each channel have its own
    function. A model with channels-last operators is tried channels last at first. Where constants vary
    within the channels of either, elements become channels.

    What depends on constants alone is evaluated before, once; ``graph.constants`` takes it in. Raises
    :class:`InputError` at the first operator that has no place in a binary network.
    """
    outputs = chosen_outputs(graph, options.output)
    operators, notes = simplified(graph, _without_constants(graph))
    graph = replace(graph, operators=leading_to(operators, outputs), outputs=outputs)
    last_first = any(operator.channels_last for operator in graph.operators)
    faults: list[SpecError] = []
    mismatches: list[SpecError] = []
    waiting = [(layout, False) for layout in _layouts(graph, last_first)]
    parted: list[tuple[Layout, bool]] = []
    tried: set[tuple[Layout, bool]] = set()
    while waiting or parted:
        layout, may_part = reading = (waiting or parted).pop(0)
        if reading in tried:
            continue
        tried.add(reading)
        try:
            state = _walk_fitting(graph, options, handlers, add, layout, may_part)
            state.notes[:0] = notes
            return state
        except LayoutMismatch as error:
            expected = "channels where the operator wants them (a Transpose in front of it)"
            got = f"shape {list(error.binding.shape)}"
            mismatches.append(error.operator.fault(expected, got))
            waiting += [(one, may_part) for one in _map_layouts(graph, error)]
        except InputError as error:  # constants of a channel may only seem to vary within one
            faults.append(error)
            if isinstance(error, VaryingConstants):
                parted.append((layout, True))
    raise (*faults, *mismatches)[0]


def _without_constants(graph: ModelGraph) -> list[Operator]:
    """The operators in order, without those on constants, which are evaluated."""
    rest = []
    for operator in _in_order(graph):
        if all(name in graph.constants for name in operator.inputs if name):
            _checked(operator, lambda one: evaluate_constants(graph, one))
        else:
            rest.append(operator)
    return rest


def _fresh(graph: ModelGraph) -> ModelGraph:
    return replace(graph, constants=dict(graph.constants), grids=dict(graph.grids))


def _walk_fitting(
    graph: ModelGraph,
    options: ImportOptions,
    handlers: Handlers,
    add: Adder,
    layout: Layout,
    may_part: bool,
) -> Lowering:
    """The walk with a flat frame where that fits all that read it, else with the frame as a map."""
    state = _walk(_fresh(graph), options, handlers, add, layout, True, may_part)
    others = any(INPUT in one.inputs and one.kind != "linear" for one in state.draft.layers.values())
    if state.flat_orders and (others or len(state.flat_orders) > 1):
        return _walk(_fresh(graph), options, handlers, add, layout, False, may_part)
    return state


def _walk(
    graph: ModelGraph,
    options: ImportOptions,
    handlers: Handlers,
    add: Adder,
    layout: Layout,
    may_flatten: bool,
    may_part: bool,
) -> Lowering:
    frame = TensorBinding(INPUT, ChannelFunction(), layout.dimensions, is_raw=True)
    draft = NetworkDraft((frame.extent("C"), frame.extent("H"), frame.extent("W")))
    state = Lowering(graph, options, draft, {graph.input: frame}, add, may_flatten=may_flatten)
    state.channels_last, state.may_part = layout.channels_last, may_part
    for operator in graph.operators:
        if any(name in state.ends for name in operator.inputs):
            _handler_of(handlers, operator, graph.opset)
            end = behind_end(operator, state.ends, graph.opset)
            state.ends.update(dict.fromkeys(operator.outputs, end))
            continue
        if not any(name in state.bindings for name in operator.inputs):  # behind a Shape
            _checked(operator, lambda one: evaluate_constants(graph, one))
            continue
        handler = _handler_of(handlers, operator, graph.opset)
        result = _checked(operator, partial(handler, state))
        if operator.output in graph.constants:  # Shape
            continue
        if isinstance(result, End):
            state.ends.update(dict.fromkeys(operator.outputs, result))
        else:
            state.bindings[operator.output] = result
    state.heads = [head_of(graph, name, state.bindings, state.ends) for name in graph.outputs]
    return state


def _handler_of(handlers: Handlers, operator: Operator, opset: int) -> Handler:
    """Who reads an operator of this domain. Raises :class:`InputError` on one that is not understood."""
    handler = handlers.get((operator.domain, operator.kind))
    if handler is None:
        domains = sorted({domain or "ai.onnx" for domain, _ in handlers} - {FINN})
        if operator.domain and operator.domain not in domains:
            got = f"{operator.domain}.{operator.kind}"
            raise InputError(operator.place, f"an operator of {', '.join(domains)}", got)
        known = sorted(kind for domain, kind in handlers if domain == operator.domain)
        expected = f"an operator that can be imported ({', '.join(known)})"
        got = f"{operator.domain}.{operator.kind}" if operator.domain else operator.kind
        raise InputError(operator.place, expected, got, near_names(operator.kind, known))
    check_operator(operator, opset)
    return handler


def _checked(operator: Operator, work: Callable[[Operator], Result]) -> Result:
    """``work`` on an operator; whatever its inputs and attributes trip over is the model's fault."""
    try:
        return work(operator)
    except (LookupError, ValueError, TypeError, ArithmeticError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise operator.fault("inputs and attributes as ONNX defines them", reason) from error


@dataclass(frozen=True)
class Layout:
    """How the input's dimensions are read; ``channels_last``: as maps of rows, columns, channels."""

    dimensions: tuple[Dimension, ...]
    channels_last: bool = False


def _layouts(graph: ModelGraph, channels_last_first: bool) -> list[Layout]:
    """How the input's dimensions may be read, what is likely first."""
    shape, rank = graph.input_shape, len(graph.input_shape)
    if rank == 4:  # volumes: depth lies among the channels
        channels, depth, *spatial = shape
        label = f"C{depth}" if depth > 1 else "C"
        first: Dimension = ((label, channels),) if channels > 1 else ()
        rest = (dimension("C", depth), dimension("H", spatial[0]), dimension("W", spatial[1]))
        return [Layout((first, *rest))]
    if rank > 4:
        place = f"{graph.file}: input {graph.input}"
        expected = (
            "[batch, features], [batch, channels, steps], a batch of maps or of volumes "
            "(2 to 5 dimensions)"
        )
        raise InputError(place, expected, f"{rank + 1} dimensions")
    orders = {1: ("C",), 2: ("HW", "CW"), 3: ("CHW", "HWC")}[rank]
    found = [
        Layout(tuple(map(dimension, order, shape)), channels_last=order == "HWC") for order in orders
    ]
    if channels_last_first:
        found.reverse()
    return found


def _map_layouts(graph: ModelGraph, error: LayoutMismatch) -> Iterator[Layout]:
    """Where an operator wants a map that is all of a flat input: the input as such a map."""
    shape, last = error.binding.shape, error.operator.channels_last
    if len(shape) != 3 or math.prod(shape) != math.prod(graph.input_shape):
        return
    channels, rows, columns = shape[-1:] + shape[:-1] if last else shape
    for is_last in (last, not last):
        lies = map_dimensions(channels, rows, columns, is_last)
        whole = TensorBinding(INPUT, ChannelFunction(), lies)
        with suppress(InputError):  # no whole part of it lies along a dimension of the input
            flat = regrouped(error.operator, whole, graph.input_shape)
            yield Layout(flat.dimensions, channels_last=is_last)


def _in_order(graph: ModelGraph) -> Sequence[Operator]:
    """The operators, each behind those it reads; ONNX demands that order, old exporters miss it."""
    known = {graph.input, "", *graph.constants}
    unmade = [set(one.inputs) - known for one in graph.operators]
    readers: dict[str, list[int]] = {}
    for position, names in enumerate(unmade):
        for name in names:
            readers.setdefault(name, []).append(position)
    ready = [position for position, names in enumerate(unmade) if not names]
    ordered: list[int] = []
    while ready:  # all whose inputs are there by now, in the file's order
        ordered += ready
        made = {name for position in ready for name in graph.operators[position].outputs} - known
        known |= made
        reached = {position for name in made for position in readers.get(name, ())}
        for position in reached:
            unmade[position] -= made
        ready = sorted(position for position in reached if not unmade[position])
    if len(ordered) < len(graph.operators):
        stuck = graph.operators[next(i for i in range(len(unmade)) if unmade[i])]
        missing = next(name for name in stuck.inputs if name not in known)
        raise stuck.fault("inputs that some operator makes", missing)
    return [graph.operators[position] for position in ordered]
