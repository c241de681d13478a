"""Where branches meet: sums and concatenations, on integers as they are or in fixed point."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from bnnsim.design.network.scaled_rules import MOST_BITS
from bnnsim.importers.draft.draft import LayerDraft
from bnnsim.importers.exact.channel_function import Affine, ChannelFunction, Smooth
from bnnsim.importers.onnx.binding import TensorBinding, is_ordered, lies_channels_last
from bnnsim.importers.onnx.fixed_plan import FixedPlan, fixed_plan
from bnnsim.importers.onnx.fixed_point import append_fixed, own_word, score_word
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.maps.borders import joined_border
from bnnsim.importers.onnx.operators.maps.repeats import broadcast
from bnnsim.importers.onnx.operators.maps.tables import append_table, smooth_curve
from bnnsim.importers.onnx.operators.monotone import negated
from bnnsim.importers.onnx.operators.orders import in_order
from bnnsim.importers.onnx.operators.quantise import quantised
from bnnsim.spec.bounds import MAX_JOINED_CHANNELS
from bnnsim.spec.value_type import ValueType

MOST_TABLE_BITS = 24
"""Of what a table reads."""


def add_bindings(state: Lowering, operator: Operator, bindings: list[TensorBinding]) -> TensorBinding:
    """The sum of tensors of one shape.

    Where every channel has one gain (up to its sign) in all of them, integers are added as they are;
    else each is first brought to fixed point. Raises :class:`InputError` where shapes differ.
    """
    ready = [quantised(state, operator, one) for one in bindings]
    ready = _of_one_size(state, operator, ready)
    if len({one.dimensions for one in ready}) > 1:
        ready = [_laid_out(state, operator, one) for one in ready]
    for one in ready[1:]:
        if one.dimensions != ready[0].dimensions:
            expected = f"shapes that are equal ({list(ready[0].shape)})"
            raise operator.fault(expected, list(one.shape))
    ready = [with_room(state, operator, one, len(ready)) for one in ready]
    channels = ready[0].channels
    if not _gains_agree(ready, channels):
        ready = [in_fixed_point(state, operator, one) for one in ready]
    ready = [_same_sign(state, one, ready[0], channels) for one in ready]
    bounds = [state.draft.bounds_of(one.base) for one in ready]
    shape = state.draft.shape_of(ready[0].base)
    low, high = (sum(pair[side] for pair in bounds) for side in (0, 1))
    layer = state.draft.append("add", [one.base for one in ready], shape, low, high)
    count = 1 if all(one.function.is_shared for one in ready) else channels
    steps = []
    for c in range(count):
        affine = [_affine(one, c) for one in ready]
        steps.append(Affine(affine[0].gain, sum((a.offset for a in affine), Fraction(0))))
    return replace(ready[0], base=layer.name, function=ChannelFunction().then(steps).simplest)


def _of_one_size(
    state: Lowering, operator: Operator, bindings: list[TensorBinding]
) -> list[TensorBinding]:
    """Tensors with dimensions of one element as large as the others; as they are where shapes differ
    otherwise."""
    if len({len(one.dimensions) for one in bindings}) > 1:
        return bindings
    wanted = tuple(
        next((one for one in along if one), ())
        for along in zip(*(binding.dimensions for binding in bindings), strict=True)
    )
    for binding in bindings:
        if any(mine not in ((), whole) for mine, whole in zip(binding.dimensions, wanted, strict=True)):
            return bindings
    return [broadcast(state, operator, binding, wanted) for binding in bindings]


def _laid_out(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding:
    """A map with its channels in order, whichever way it lies; anything else as it is."""
    if len(binding.dimensions) != 3 or is_ordered(binding):
        return binding
    turned = replace(operator, channels_last=lies_channels_last(binding))
    return in_order(state, turned, binding)


def _affine(binding: TensorBinding, channel: int) -> Affine:
    step = ChannelFunction((binding.function.of(channel),)).shared_affine()
    assert step is not None
    return step


def _gains_agree(bindings: list[TensorBinding], channels: int) -> bool:
    if any(one.function.affine() is None for one in bindings):
        return False
    return all(
        len({abs(_affine(one, c).gain) for one in bindings}) == 1 and _affine(bindings[0], c).gain != 0
        for c in range(channels)
    )


def _same_sign(
    state: Lowering, binding: TensorBinding, first: TensorBinding, channels: int
) -> TensorBinding:
    """``binding`` with the sign of each channel's gain as ``first`` has it."""
    differs = [_affine(binding, c).gain != _affine(first, c).gain for c in range(channels)]
    if not any(differs):
        return binding
    base, function = negated(state, binding.base, binding.function, differs)
    return replace(binding, base=base, function=function.simplest)


def in_fixed_point(
    state: Lowering, operator: Operator, binding: TensorBinding, keeps_offsets: bool = True
) -> TensorBinding:
    """``binding`` as fixed-point integers of the network's word, through an ``affine`` layer if needed.

    Integers that only lack offsets stay as they are where ``keeps_offsets``; else none is left.
    """
    unit = Fraction(1, 1 << state.word.fraction_bits)
    binding = tabled(state, operator, quantised(state, operator, binding))
    shared = binding.function.affine()
    lacks = shared is not None and not keeps_offsets and any(step.offset for step in shared)
    if shared is not None and all(step.gain == unit for step in shared) and not lacks:
        return binding  # already so: only offsets differ, and they stay exact
    key = ("fixed", binding.base, binding.function.simplest, keeps_offsets)
    if key not in state.made:
        plan = _plan(state, operator, binding)
        state.made[key] = _through(state, binding.base, state.word, plan, keeps_offsets)
    base, function = state.made[key]
    return replace(binding, base=base, function=function)


def in_own_word(
    state: Lowering, operator: Operator, binding: TensorBinding, most_bits: int
) -> TensorBinding:
    """``binding`` as fixed-point integers without offsets, of at most so many bits.

    As fine as their reach leaves bits, and no finer than a float32; or in the user's word, if it is no
    longer.
    """
    binding = tabled(state, operator, quantised(state, operator, binding))
    key = ("own", binding.base, binding.function.simplest, most_bits)
    if key not in state.made:
        plan = _plan(state, operator, binding)
        word = own_word(state.draft.bounds_of(binding.base), state.options.fixed, plan, most_bits)
        state.made[key] = _through(state, binding.base, word, plan, keeps_offsets=False)
    base, function = state.made[key]
    return replace(binding, base=base, function=function)


def with_room(state: Lowering, operator: Operator, binding: TensorBinding, times: int) -> TensorBinding:
    """``binding`` on integers whose sums, with weights of a magnitude of ``times`` in all, have no more
    bits than a workload holds: as it is, or in a word of its own that leaves them room."""
    reach = max(abs(bound) for bound in state.draft.type_bounds_of(binding.base)) * times
    if 1 + reach.bit_length() <= MOST_BITS:
        return binding
    return in_own_word(state, operator, binding, MOST_BITS - times.bit_length())


def scores_in_fixed_point(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding:
    """Scores with a gain or an offset of their own for each class, as fixed-point integers.

    Their word follows from their reach and from the user's, see :func:`score_word`.
    """
    binding = tabled(state, operator, quantised(state, operator, binding))
    plan = _plan(state, operator, binding)
    word = score_word(state.draft, binding.base, state.options.fixed, plan)
    base, function = _through(state, binding.base, word, plan, keeps_offsets=False)
    return replace(binding, base=base, function=function)


def tabled(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding:
    """``binding`` with a layer for each sigmoid or tanh of its function, behind which no quantiser is."""
    while True:
        places = [
            next((i for i, step in enumerate(chain) if isinstance(step, Smooth)), -1)
            for chain in binding.function.chains
        ]
        if all(place < 0 for place in places):
            return binding
        steps = {chain[i] for chain, i in zip(binding.function.chains, places, strict=True)}
        step = steps.pop()
        if steps or min(places) < 0 or not isinstance(step, Smooth):
            raise operator.fault("the same sigmoid or tanh in every channel", "some that differ")
        pairs = list(zip(binding.function.chains, places, strict=True))
        head = ChannelFunction(tuple(chain[:i] for chain, i in pairs)).simplest
        tail = ChannelFunction(tuple(chain[i + 1 :] for chain, i in pairs))
        inner = in_own_word(state, operator, replace(binding, function=head), MOST_TABLE_BITS)
        steps_in = inner.function.affine()
        assert steps_in is not None
        base, unit = append_table(state, inner.base, steps_in[0].gain, smooth_curve(step))
        function = ChannelFunction().then([Affine(unit)]).before(tail).simplest
        binding = replace(binding, base=base, function=function)


def _plan(state: Lowering, operator: Operator, binding: TensorBinding) -> FixedPlan:
    channels = state.draft.shape_of(binding.base)[0]
    return fixed_plan(operator, [binding.function.of(c) for c in range(channels)])


def _through(
    state: Lowering, base: str, word: ValueType, plan: FixedPlan, keeps_offsets: bool = True
) -> tuple[str, ChannelFunction]:
    found = append_fixed(state.draft, base, word, plan, keeps_offsets)
    state.notes.append(found.note)
    unit = Fraction(1, 1 << word.fraction_bits)
    return found.base, ChannelFunction().then([Affine(unit, offset) for offset in found.offsets]).simplest


def concat(state: Lowering, operator: Operator) -> TensorBinding:
    """Maps side by side along the channels, each channel keeping its own function."""
    given = [i for i in range(len(operator.inputs)) if state.is_data(operator, i)]
    if len(given) == 1 < len(operator.inputs):
        rank = len(state.binding(operator, given[0]).shape) + 1
        along = int(operator.attributes.get("axis", 1)) % rank
        return joined_border(state, operator, along, given[0])
    bindings = [state.binding(operator, i) for i in range(len(operator.inputs))]
    if any(one.border is not None for one in bindings):
        raise operator.fault("a convolution behind a Pad", operator.kind)
    ready = [_laid_out(state, operator, quantised(state, operator, one)) for one in bindings]
    rank = len(ready[0].shape) + 1
    axis = int(operator.attributes.get("axis", 1)) % rank - 1
    dimensions = ready[0].dimensions
    elsewhere = {label for i, one in enumerate(dimensions) if i != axis for label, _ in one}
    if axis < 0 or any(label != "C" for label, _ in dimensions[axis]) or "C" in elsewhere:
        raise operator.fault("a concatenation of channels", f"axis {axis + 1}")
    if len({_others(one, axis) for one in ready}) > 1:
        shapes = ", ".join(str(list(one.shape)) for one in ready)
        raise operator.fault("maps of one height and width", shapes)
    types = {state.draft.type_of(one.base) for one in ready}
    have_points = [_has_point(state, one.base) for one in ready]
    if any(have_points) and (len(types) > 1 or not all(have_points)):
        ready = [in_fixed_point(state, operator, one) for one in ready]
    elif len(types) > 1:
        ready = [_as_sums(state, one) for one in ready]
    bases = [one.base for one in ready]
    channels = sum(one.channels for one in ready)
    joins = [layer for layer in state.draft.layers.values() if layer.kind == "concat"]
    if channels + sum(layer.channels for layer in joins) > MAX_JOINED_CHANNELS:
        expected = f"at most {MAX_JOINED_CHANNELS} channels in all joins"
        raise operator.fault(expected, f"{channels} in the one after {len(joins)} others")
    _, height, width = state.draft.shape_of(bases[0])
    bounds = [state.draft.bounds_of(base) for base in bases]
    shape = (channels, height, width)
    low, high = min(b[0] for b in bounds), max(b[1] for b in bounds)
    layer = state.draft.append("concat", bases, shape, low, high)
    chains = [one.function.of(c) for one in ready for c in range(one.channels)]
    joined = list(dimensions)
    joined[axis] = (("C", channels),)
    return TensorBinding(layer.name, ChannelFunction(tuple(chains)).simplest, tuple(joined))


def _has_point(state: Lowering, base: str) -> bool:
    """Whether a layer's integers are of fixed point, a sum of such numbers included."""
    draft = state.draft

    def passes(layer: LayerDraft) -> bool:
        keeps = layer.kind in ("add", "concat", "max_pool", "repeat", "sum_pool")
        return keeps and draft.type_of(layer.name) is None

    def is_fixed(name: str) -> bool:
        value_type, layer = draft.type_of(name), draft.layers.get(name)
        if value_type is not None:
            return value_type.kind == "fixed"
        return layer is not None and layer.kind in ("multiply", "matmul")

    return any(is_fixed(name) for name in draft.seen_through(base, passes))


def _as_sums(state: Lowering, binding: TensorBinding) -> TensorBinding:
    """``binding`` as plain sums, which one stream can carry beside others, however many bits they have.

    Elements of a type of their own pass through weights of +1: their words then get as wide as
    the join's, which a quantiser's cannot.
    """
    if state.draft.type_of(binding.base) is None:
        return binding
    key = ("sums", binding.base)
    if key not in state.made:
        shape, (low, high) = state.draft.shape_of(binding.base), state.draft.bounds_of(binding.base)
        layer = state.draft.append("conv", [binding.base], shape, low, high)
        layer.weights = np.ones((shape[0], 1, 1, 1), np.int64)
        layer.options = {"kernel": (1, 1), "groups": shape[0]}
        state.made[key] = layer.name
    return replace(binding, base=state.made[key])


def _others(binding: TensorBinding, axis: int) -> tuple[int, ...]:
    return (*binding.shape[:axis], *binding.shape[axis + 1 :])
