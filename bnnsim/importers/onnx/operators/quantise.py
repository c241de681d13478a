"""Quantisers into thresholds: the one place where a chain of reals becomes integers again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from bnnsim.importers.exact.channel_function import (
    Affine,
    AtLeastZero,
    ChannelFunction,
    Count,
    Round,
    Sign,
    Stairs,
    direction,
    evaluate,
)
from bnnsim.importers.exact.inversion import least_inputs
from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import FrameRule, Lowering
from bnnsim.importers.onnx.operators.frame_input import (
    decide_input,
    given_input,
    pixel_range,
    quantised_input,
)
from bnnsim.importers.onnx.operators.maps.levels import without_sums
from bnnsim.importers.onnx.operators.monotone import make_monotone, negated
from bnnsim.spec.value_type import BIPOLAR, ValueType, integer_type

_MOST_BITS = 8


def quantised(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding:
    """``binding`` on integers that exist: where its chain has quantisers, a threshold layer is made.

    The result's function holds no quantiser. ``operator`` is who asks, for messages.
    """
    result = _quantised(state, operator, binding)
    for name in operator.inputs:
        if result is not binding and state.bindings.get(name) is binding:
            state.integers[name] = result
    return result


def _quantised(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding:
    while binding.function.sum_position >= 0:
        binding = without_sums(state, operator, binding)
    if binding.function.quantiser_position < 0:
        if binding.is_raw:
            return given_input(state, operator, binding)
        return binding
    head, tail = binding.function.split()
    if binding.is_raw and state.options.input_type is None:
        found = quantised_input(state, head, tail)
        if found is not None:
            value_type, function = found
            rule = FrameRule(head.simplest, None, *pixel_range(state))
            decide_input(state, operator, value_type, rule)
            return replace(binding, function=function, is_raw=False)
    if binding.is_raw:
        binding = given_input(state, operator, binding)
        head, tail = binding.function.split()
    return _threshold_layer(state, operator, binding, head, tail)


@dataclass(frozen=True)
class _Encoding:
    """How a quantiser's levels ``low .. high`` are carried: integer n of ``type`` stands for the
    level ``gain * n + offset``; ``shift`` is n - level for types that are not bipolar."""

    type: ValueType
    gain: Fraction
    offset: Fraction
    shift: int


def _encoding(operator: Operator, low: int, high: int, tail: ChannelFunction) -> _Encoding:
    """The smallest type for the levels; shifted so that the real zero becomes the integer 0."""
    if high - low == 1:
        return _Encoding(BIPOLAR, Fraction(1, 2), Fraction(low + high, 2), 0)
    shift = 0
    after = {chain[0] if chain else Affine() for chain in tail.chains}
    first = after.pop()
    if not after and isinstance(first, Affine) and first.gain:
        zero = first.offset / first.gain
        shift = int(zero) if zero.denominator == 1 and abs(zero) <= 256 else 0
    value_type = integer_type(low + shift, high + shift)
    if value_type.bits > _MOST_BITS and high - low < 1 << _MOST_BITS:
        shift = -low  # a zero point within: levels of 8 bits that 0 does not part in the middle
        value_type = integer_type(0, high + shift)
    if value_type.bits > _MOST_BITS:
        expected = f"activations of at most {_MOST_BITS} bits"
        raise operator.fault(expected, f"{value_type.bits} bits")
    return _Encoding(value_type, Fraction(1), Fraction(-shift), shift)


def _levels(head: ChannelFunction, low: int, high: int) -> tuple[int, int]:
    """The least and greatest level that the last quantiser may give."""
    step = head.chains[0][-1]
    if isinstance(step, Sign):
        return -1, 1
    if isinstance(step, AtLeastZero):
        return 0, 1
    if isinstance(step, Count):
        return 0, len(step.thresholds)
    if isinstance(step, Stairs):
        return 0, len(step.bounds)
    assert isinstance(step, Round)
    ends = [int(evaluate(chain, x)) for chain in head.chains for x in (low, high)]
    lowest = min(ends) if step.low is None else step.low
    highest = max(ends) if step.high is None else step.high
    return lowest, max(highest, lowest + 1)


def _threshold_layer(
    state: Lowering,
    operator: Operator,
    binding: TensorBinding,
    head: ChannelFunction,
    tail: ChannelFunction,
) -> TensorBinding:
    draft = state.draft
    base, head = make_monotone(state, operator, binding.base, head)
    channels = draft.shape_of(base)[0]
    key = ("threshold", base, head.simplest)
    falling = [direction(chain) < 0 for chain in head.chains]
    if any(falling):
        base, head = negated(state, base, head, falling)
    low, high = draft.bounds_of(base)
    lowest, highest = _levels(head, low, high)
    is_sign = isinstance(head.chains[0][-1], Sign)
    # Before thresholds are looked for: too many levels are refused here.
    encoding = None if is_sign else _encoding(operator, lowest, highest, tail)
    found = _thresholds(head, range(lowest + 1, highest + 1), low, high)
    if encoding is None:
        # Two values where the sum never hits zero, or does so only because it was rounded.
        if draft.is_rounded(base) or not _meets(found, draft.parity_of(base)):
            found = found[:, :1]
            encoding = _Encoding(BIPOLAR, Fraction(1), Fraction(0), 0)
        else:
            encoding = _encoding(operator, lowest, highest, tail)
    value_type = encoding.type
    function = ChannelFunction().then([Affine(encoding.gain, encoding.offset)])
    if value_type.is_bipolar and is_sign:
        function = ChannelFunction()
    result = binding.with_function(function.before(tail))
    if (key, value_type) in state.made:
        return replace(result, base=state.made[key, value_type])
    layer = draft.append(
        "threshold", [base], draft.shape_of(base), value_type.minimum, value_type.maximum
    )
    layer.activation = value_type
    if not value_type.is_bipolar:
        found = _filled(found, lowest + encoding.shift, highest + encoding.shift, value_type, low, high)
    layer.thresholds = np.broadcast_to(found, (channels, found.shape[1])).copy()
    state.made[key, value_type] = layer.name
    return replace(result, base=layer.name)


def _thresholds(
    head: ChannelFunction, levels: Sequence[int], low: int, high: int
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    rows = [least_inputs(chain, levels, low, high) for chain in head.chains]
    return np.array(rows, np.int64).reshape(len(rows), len(levels))


def _meets(found: np.ndarray[tuple[int, int], np.dtype[np.int64]], parity: int | None) -> bool:
    """Whether some sum lies between the two thresholds of a Sign, where it gives zero."""
    first, end = found[:, 0], found[:, 1]
    if parity is not None:
        first = first + (first + parity) % 2  # the first sum of that parity
    return bool(np.any(first < end))


def _filled(
    found: np.ndarray[tuple[int, int], np.dtype[np.int64]],
    lowest: int,
    highest: int,
    value_type: ValueType,
    low: int,
    high: int,
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Thresholds for every level of the type: below the least always firing, above the greatest never."""
    rows = found.shape[0]
    always = np.full((rows, lowest - value_type.minimum), low, np.int64)
    never = np.full((rows, value_type.maximum - highest), high + 1, np.int64)
    return np.concatenate([always, found, never], axis=1)
