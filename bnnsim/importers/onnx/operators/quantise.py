"""Quantisers into thresholds: the one place where a chain of reals becomes integers again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from bnnsim.importers.draft.draft import INPUT
from bnnsim.importers.exact.channel_function import (
    Affine,
    AtLeastZero,
    Chain,
    ChannelFunction,
    Count,
    Round,
    Sign,
    apply,
    as_affine,
    direction,
    evaluate,
    extended,
    least_input,
)
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import FrameRule, Lowering
from bnnsim.importers.onnx.operators.kinks import without_falls
from bnnsim.importers.onnx.signal import Signal
from bnnsim.spec.value_type import BIPOLAR, ValueType

_MOST_BITS = 8
_PIXEL_SCALE = 64
"""A model that divides its input by more than this takes pixels of 0 .. 255."""


def quantised(state: Lowering, operator: Operator, signal: Signal) -> Signal:
    """``signal`` on integers that exist: where its chain has quantisers, a threshold layer is made.

    The result's function holds no quantiser. ``operator`` is who asks, for messages.
    """
    result = _quantised(state, operator, signal)
    for name in operator.inputs:
        if state.signals.get(name) is signal:
            state.integers[name] = result
    return result


def _quantised(state: Lowering, operator: Operator, signal: Signal) -> Signal:
    if signal.function.quantiser_position < 0:
        if signal.is_raw:
            return _given_input(state, operator, signal)
        return signal
    head, tail = signal.function.split()
    if signal.is_raw and state.options.input_type is None:
        found = _quantised_input(state, head, tail)
        if found is not None:
            value_type, function = found
            rule = FrameRule(head.simplest, None, *_pixel_range(state))
            _decide_input(state, operator, value_type, rule)
            return replace(signal, function=function, is_raw=False)
    if signal.is_raw:
        signal = _given_input(state, operator, signal)
        head, tail = signal.function.split()
    return _threshold_layer(state, operator, signal, head, tail)


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
    low, high = low + shift, high + shift
    if low >= 0:
        bits = max(1, high.bit_length())
        value_type = ValueType("uint", bits)
    else:
        bits = 1 + max((-low - 1).bit_length(), high.bit_length() if high > 0 else 0, 1)
        value_type = ValueType("int", bits)
    if bits > _MOST_BITS:
        raise operator.fault(f"activations of at most {_MOST_BITS} bits", f"{bits} bits")
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
    assert isinstance(step, Round)
    ends = [int(evaluate(chain, x)) for chain in head.chains for x in (low, high)]
    lowest = min(ends) if step.low is None else step.low
    highest = max(ends) if step.high is None else step.high
    return lowest, max(highest, lowest + 1)


def _threshold_layer(
    state: Lowering,
    operator: Operator,
    signal: Signal,
    head: ChannelFunction,
    tail: ChannelFunction,
) -> Signal:
    draft = state.draft
    base, head = without_falls(state, operator, signal.base, head)
    channels = draft.shape_of(base)[0]
    key = ("threshold", base, head.simplest)
    falling = [direction(chain) < 0 for chain in head.chains]
    if any(falling):
        base, head = negated(state, base, head, falling)
    low, high = draft.bounds_of(base)
    lowest, highest = _levels(head, low, high)
    levels = range(lowest + 1, highest + 1)
    found = _thresholds(head, levels, low, high)
    if isinstance(head.chains[0][-1], Sign):
        # Two values where the sum never hits zero, or does so only because it was rounded.
        if draft.is_rounded(base) or not _meets(found, draft.parity_of(base)):
            found = found[:, :1]
            encoding = _Encoding(BIPOLAR, Fraction(1), Fraction(0), 0)
        else:
            encoding = _encoding(operator, lowest, highest, tail)
    else:
        encoding = _encoding(operator, lowest, highest, tail)
    value_type = encoding.type
    function = ChannelFunction().then([Affine(encoding.gain, encoding.offset)])
    if value_type.is_bipolar and isinstance(head.chains[0][-1], Sign):
        function = ChannelFunction()
    result = signal.with_function(_followed(function, tail))
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


def _followed(first: ChannelFunction, second: ChannelFunction) -> ChannelFunction:
    """``first`` (one affine chain for all), then the chains of ``second``."""
    result = []
    for chain in second.chains:
        grown = ChannelFunction((first.chains[0],))
        for step in chain:
            grown = grown.then([step])
        result.append(grown.chains[0])
    return ChannelFunction(tuple(result)).simplest


def _thresholds(
    head: ChannelFunction, levels: Sequence[int], low: int, high: int
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    rows: list[list[int]] = []
    for chain in head.chains:
        row: list[int] = []
        start = low
        for level in levels:
            if start <= high:
                start = least_input(chain, level, start, high)
            row.append(start)
        rows.append(row)
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


def negated(
    state: Lowering, base: str, function: ChannelFunction, falling: Sequence[bool]
) -> tuple[str, ChannelFunction]:
    """A layer whose falling channels count the other way, and the function on its integers."""
    draft = state.draft
    channels = draft.shape_of(base)[0]
    flips = [falling[0 if len(falling) == 1 else c] for c in range(channels)]
    key = ("negate", base, tuple(flips))
    if key not in state.made:
        low, high = draft.bounds_of(base)
        reach = max(abs(low), abs(high))
        layer = draft.append("negate", [base], draft.shape_of(base), -reach, reach)
        layer.signs = np.where(np.array(flips), -1, 1).astype(np.int64)
        state.made[key] = layer.name
    chains = []
    count = 1 if len(falling) == 1 and function.is_shared else channels
    for c in range(count):
        chain = function.of(c)
        if flips[c]:
            flipped: Chain = (Affine(Fraction(-1)),)
            for step in chain:
                flipped = extended(flipped, step)
            chain = flipped
        chains.append(chain)
    return state.made[key], ChannelFunction(tuple(chains))


# ---- the model's input -----------------------------------------------------------------------------


def _pixel_range(state: Lowering) -> tuple[Fraction, Fraction]:
    """What pixels 0 and 255 are at the model's input."""
    given = state.options.image_range
    if given is not None:
        return Fraction(given[0]), Fraction(given[1])
    takes_pixels = state.graph.input_kind == "uint8" or _shrinks_its_input(state)
    return Fraction(0), Fraction(255 if takes_pixels else 1)


def _shrinks_its_input(state: Lowering) -> bool:
    """Whether the model's first arithmetic divides by something like 255."""
    names = {state.graph.input}
    for operator in state.graph.operators:
        if not names & set(operator.inputs):
            continue
        constants = [state.graph.constants[n] for n in operator.inputs if n in state.graph.constants]
        if operator.kind in ("Reshape", "Flatten", "Transpose", "Identity", "Cast"):
            names.add(operator.output)
        elif operator.kind == "Div" and constants:
            return float(np.min(np.abs(constants[0]))) >= _PIXEL_SCALE
        elif operator.kind == "Mul" and constants:
            return float(np.max(np.abs(constants[0]))) <= 1 / _PIXEL_SCALE
    return False


def _quantised_input(
    state: Lowering, head: ChannelFunction, tail: ChannelFunction
) -> tuple[ValueType, ChannelFunction] | None:
    """An input that the model itself quantises, the same for all channels; None where it does not."""
    head = head.simplest
    if not head.is_shared:
        return None
    chain = head.chains[0]
    before = as_affine(chain[:-1])
    if before is None or before.gain <= 0:
        return None
    low, high = (evaluate(chain[:-1], x) for x in _pixel_range(state))
    step = chain[-1]
    function: Chain
    if isinstance(step, Round) and step.low is not None and step.high is not None:
        if step.low > 0 or step.high < 1 or step.mode.upper() not in ("ROUND", "HALF_EVEN", "HALF_UP"):
            return None
        reached = apply(Round(step.mode), low), apply(Round(step.mode), high)
        value_type, fraction = _input_type(step.low, step.high, tail)
        if value_type is None or (
            (step.low, step.high) != (value_type.minimum, value_type.maximum)
            and not step.low <= min(reached) <= max(reached) <= step.high
        ):
            return None  # the type's own limits would clip a pixel elsewhere
        scale = 1 << fraction
        state.draft.image_range = (float(low / scale), float(high / scale))
        return value_type, tail.simplest
    if isinstance(step, Sign):
        threshold, function = Fraction(0), ()
        state.notes.append("the input's sign is taken as +1 on zero, where ONNX's Sign gives 0")
    elif isinstance(step, AtLeastZero):
        threshold, function = Fraction(0), (Affine(Fraction(1, 2), Fraction(1, 2)),)
    elif isinstance(step, Count) and len(step.thresholds) == 1:
        threshold, function = step.thresholds[0], (Affine(Fraction(1, 2), Fraction(1, 2)),)
    else:
        return None
    state.draft.image_range = (float(low - threshold), float(high - threshold))
    return BIPOLAR, _followed(ChannelFunction((function,)), tail)


def _decide_input(state: Lowering, operator: Operator, value_type: ValueType, rule: FrameRule) -> None:
    """Fix what a frame holds; a second reader must want the same."""
    if state.frame not in (None, rule):
        expected = "one quantiser of the input (or an input type that you choose)"
        raise operator.fault(expected, "several that differ")
    state.frame = rule
    state.draft.input_type = value_type


def _input_type(low: int, high: int, tail: ChannelFunction) -> tuple[ValueType | None, int]:
    """The type of a Quant's integers, and its fraction bits where the scale is a power of two."""
    after = as_affine(tail.simplest.chains[0]) if tail.simplest.is_shared else None
    if low == 0:
        bits = high.bit_length()
        return (ValueType("uint", bits), 0) if bits <= 8 else (None, 0)
    bits = max((-low - 1).bit_length(), high.bit_length()) + 1
    if after is not None and after.gain.numerator == 1 and after.offset == 0:
        fraction = after.gain.denominator.bit_length() - 1
        if after.gain.denominator == 1 << fraction and 0 < fraction <= bits <= 32:
            return ValueType("fixed", bits, fraction), fraction
    return (ValueType("int", bits), 0) if bits <= 8 else (None, 0)


def _given_input(state: Lowering, operator: Operator, signal: Signal) -> Signal:
    """Frames of the type that the user names, or of the integers that the model itself takes."""
    value_type = state.options.input_type
    if value_type is None and state.graph.input_kind != "float":
        value_type = ValueType(state.graph.input_kind.rstrip("0123456789"), 8)
    if value_type is None:
        raise operator.fault(
            "a quantiser in front of the first layer, or an input type that you choose "
            "(such as uint8 or fixed8.7)",
            "a float input",
        )
    low, high = _pixel_range(state)
    if value_type.kind == "uint" and value_type.bits == 8:
        step = Affine((high - low) / 255, low)  # the pixel itself
        state.draft.image_range = None
    else:
        step = Affine(Fraction(1, 1 << value_type.fraction_bits))
        state.draft.image_range = (float(low), float(high))
    _decide_input(state, operator, value_type, FrameRule(None, step, low, high))
    chains = ChannelFunction(((step,),) if step != Affine() else ((),))
    function = _followed(chains, signal.function)
    return replace(signal, function=function, is_raw=False, base=INPUT)
