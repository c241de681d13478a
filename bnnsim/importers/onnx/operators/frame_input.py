"""The model's input: what a frame holds, and what its integers stand for."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np

from bnnsim.functional.input.frames import pixel_table
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
    evaluate,
)
from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import FrameRule, Lowering
from bnnsim.spec.value_type import BIPOLAR, ValueType, parse_value_type
from bnnsim.spec.workload import InputSpec

_PIXEL_SCALE = 64
"""A model that divides its input by more than this takes pixels of 0 .. 255."""
_ROUNDING = Fraction(1, 1 << 10)
"""By how much of a step thresholds in float32 may lie apart otherwise: all pixels are tried as well."""


def pixel_range(state: Lowering) -> tuple[Fraction, Fraction]:
    """What pixels 0 and 255 are at the model's input: the least and the greatest of all channels."""
    ranges = _pixel_ranges(state)
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _pixel_ranges(state: Lowering) -> list[tuple[Fraction, Fraction]]:
    """The same for all channels, or one of each."""
    given = state.options.image_range
    if given is not None:
        return [(Fraction(low), Fraction(high)) for low, high in given]
    takes_pixels = state.graph.input_kind == "uint8" or _shrinks_its_input(state)
    return [(Fraction(0), Fraction(255 if takes_pixels else 1))]


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


def quantised_input(
    state: Lowering, head: ChannelFunction, tail: ChannelFunction
) -> tuple[ValueType, ChannelFunction] | None:
    """An input that the model itself quantises, the same for all channels; None where it does not."""
    head = head.simplest
    if not head.is_shared or len(_pixel_ranges(state)) > 1:
        return None
    chain = head.chains[0]
    before = as_affine(chain[:-1])
    if before is None or before.gain <= 0:
        return None
    low, high = (evaluate(chain[:-1], x) for x in pixel_range(state))
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
    elif isinstance(step, Count) and len(step.thresholds) > 1:
        return _counted_input(state, chain, step, low, high, tail)
    elif isinstance(step, Count):
        threshold, function = step.thresholds[0], (Affine(Fraction(1, 2), Fraction(1, 2)),)
    else:
        return None
    state.draft.image_range = (float(low - threshold), float(high - threshold))
    return BIPOLAR, ChannelFunction((function,)).before(tail)


def _counted_input(
    state: Lowering, chain: Chain, step: Count, low: Fraction, high: Fraction, tail: ChannelFunction
) -> tuple[ValueType, ChannelFunction] | None:
    """An input that reaches some of several thresholds: how many, as an unsigned integer.

    None where the thresholds do not rise in steps that are one but for their rounding, or another number
    than their count comes out of a pixel (where a type holds more than they are, and a pixel lies above
    the last).
    """
    first, last = step.thresholds[0], step.thresholds[-1]
    bits, one = len(step.thresholds).bit_length(), (last - first) / (len(step.thresholds) - 1)
    steps = (b - a for a, b in itertools.pairwise(step.thresholds))
    if bits > 8 or one <= 0 or any(abs(found - one) > one * _ROUNDING for found in steps):
        return None
    half = Fraction(1, 2)  # pixels are rounded half up
    image_range = [float((x - first) / one + half) for x in (low, high)]
    value_type = ValueType("uint", bits)
    frame = InputSpec(shape=[1], type=value_type, image_range=image_range)
    given_low, given_high = pixel_range(state)
    table = pixel_table(frame, np.arange(256, dtype=np.uint8), "pixels")
    reals = (given_low + (given_high - given_low) * Fraction(p, 255) for p in range(256))
    if any(evaluate(chain, real) != int(count) for real, count in zip(reals, table, strict=True)):
        return None
    state.draft.image_range = (image_range[0], image_range[1])
    return value_type, tail.simplest


def decide_input(state: Lowering, operator: Operator, value_type: ValueType, rule: FrameRule) -> None:
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


def given_input(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding:
    """Frames of the type that the user names, or of the integers that the model itself takes."""
    value_type = state.options.input_type
    if value_type is None and state.graph.input_kind != "float":
        value_type = parse_value_type(state.graph.input_kind)
    if value_type is None:
        quantiser = binding.function.quantiser_position >= 0
        raise operator.fault(
            "a quantiser in front of the first layer, or an input type that you choose "
            "(such as uint8 or fixed8.7)",
            "one whose levels no input type holds" if quantiser else "a float input",
        )
    ranges = _pixel_ranges(state)
    if len(ranges) not in (1, binding.channels):
        expected = f"one image range, or one for each of {binding.channels} channels"
        raise operator.fault(expected, len(ranges))
    low, high = pixel_range(state)
    if value_type.kind == "uint" and value_type.bits == 8:
        steps = tuple(Affine((end - start) / 255, start) for start, end in ranges)  # the pixel itself
        state.draft.image_range = None
    elif len(ranges) > 1:
        raise operator.fault("input type uint8 where channels have image ranges of their own", value_type)
    else:
        steps = (Affine(Fraction(1, 1 << value_type.fraction_bits)),)
        state.draft.image_range = (float(low), float(high))
        if value_type.is_bipolar and state.options.image_range is None:
            state.draft.image_range = None  # pixels from 0 on would all be +1
    decide_input(state, operator, value_type, FrameRule(None, steps, low, high))
    function = ChannelFunction().then(steps).before(binding.function)
    return replace(binding, function=function, is_raw=False, base=INPUT)
