"""Operators that act on each element alone: batch-norm, scaling, activation functions, quantisers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from bnnsim.importers.exact.channel_function import (
    Affine,
    AtLeastZero,
    Clip,
    Count,
    Prelu,
    Round,
    Sign,
    Step,
)
from bnnsim.importers.exact.rational import inverse_sqrt
from bnnsim.importers.onnx.binding import TensorBinding, channel_values
from bnnsim.importers.onnx.graph import Array, Operator, scalar
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.joins import add_bindings
from bnnsim.importers.onnx.operators.maps.levels import sum_of_one
from bnnsim.importers.onnx.operators.maps.products import product


def then(binding: TensorBinding, steps: Sequence[Step]) -> TensorBinding:
    """The binding with a step (for all channels, or one a channel) behind it."""
    return binding.with_function(binding.function.then(steps))


def same(state: Lowering, operator: Operator) -> TensorBinding:
    """Operators that change nothing when a model is only run."""
    return state.binding(operator)


def dropout(state: Lowering, operator: Operator) -> TensorBinding:
    """Nothing, unless it is told to drop when run too."""
    is_training = state.optional(operator, 2, "training mode")
    if is_training is not None and np.any(is_training):
        raise operator.fault("a model exported for inference", "training_mode true")
    return state.binding(operator)


def add(state: Lowering, operator: Operator) -> TensorBinding:
    return _sum(state, operator, Fraction(1))


def subtract(state: Lowering, operator: Operator) -> TensorBinding:
    return _sum(state, operator, Fraction(-1))


def _sum(state: Lowering, operator: Operator, sign: Fraction) -> TensorBinding:
    """``a + sign * b``, either of which may be constant."""
    if len(operator.inputs) == 1 and operator.kind == "Sum":
        return state.binding(operator)
    if all(state.is_data(operator, i) for i in range(len(operator.inputs))):
        if len(operator.inputs) < 2:
            raise operator.fault("two inputs", len(operator.inputs))
        second = [state.binding(operator, i) for i in range(1, len(operator.inputs))]
        if sign < 0:
            second = [then(one, [Affine(sign)]) for one in second]
        bindings = [state.binding(operator), *second]
        return sum_of_one(bindings) or add_bindings(state, operator, bindings)
    if len(operator.inputs) != 2:
        raise operator.fault("two inputs, or data alone", len(operator.inputs))
    if state.is_data(operator, 0):
        binding = state.binding(operator)
        offsets = channel_values(operator, binding, state.constant(operator, 1, "summand"))
        return then(binding, [Affine(offset=sign * b) for b in offsets])
    binding = state.binding(operator, 1)
    offsets = channel_values(operator, binding, state.constant(operator, 0, "summand"))
    return then(binding, [Affine(sign, b) for b in offsets])


def multiply(state: Lowering, operator: Operator) -> TensorBinding:
    position = 0 if state.is_data(operator, 0) else 1
    if state.is_data(operator, 1 - position):
        return product(state, operator)
    binding = state.binding(operator, position)
    gains = channel_values(operator, binding, state.constant(operator, 1 - position, "factor"))
    return then(binding, [Affine(g) for g in gains])


def divide(state: Lowering, operator: Operator) -> TensorBinding:
    binding = state.binding(operator)
    divisors = channel_values(operator, binding, state.constant(operator, 1, "divisor"))
    if any(d == 0 for d in divisors):
        raise operator.fault("divisors other than 0", 0)
    return then(binding, [Affine(1 / d) for d in divisors])


def negate(state: Lowering, operator: Operator) -> TensorBinding:
    return then(state.binding(operator), [Affine(Fraction(-1))])


def batch_norm(state: Lowering, operator: Operator) -> TensorBinding:
    """``gain * (x - mean) / sqrt(variance + epsilon) + shift``, per channel (ONNX's inference mode)."""
    binding = state.binding(operator)
    if operator.attributes.get("training_mode", 0):
        raise operator.fault("a model exported for inference", "training_mode 1")
    names = ("gain", "shift", "mean", "variance")
    given = [state.constant(operator, i + 1, name) for i, name in enumerate(names)]
    last = operator.channels_last
    shape = (1, -1) if len(binding.shape) == 1 or last else (1, -1, *[1] * (len(binding.shape) - 1))
    gains, shifts, means, variances = (
        channel_values(operator, binding, values.reshape(shape)) for values in given
    )
    epsilon = operator.real("epsilon", 1e-5)
    count = max(len(values) for values in (gains, shifts, means, variances))
    steps = []
    for c in range(count):
        gain, shift, mean, variance = (
            values[c if len(values) > 1 else 0] for values in (gains, shifts, means, variances)
        )
        if variance + epsilon <= 0:
            raise operator.fault("variances above 0", float(variance))
        scale = gain * inverse_sqrt(variance + epsilon)
        steps.append(Affine(scale, shift - mean * scale))
    return then(binding, steps)


def prelu(state: Lowering, operator: Operator) -> TensorBinding:
    binding = state.binding(operator)
    slope = state.constant(operator, 1, "slope")
    return then(binding, [Prelu(s) for s in channel_values(operator, binding, slope)])


def leaky_relu(state: Lowering, operator: Operator) -> TensorBinding:
    slope = operator.real("alpha", 0.01)
    return then(state.binding(operator), [Prelu(slope)])


def relu(state: Lowering, operator: Operator) -> TensorBinding:
    return then(state.binding(operator), [Prelu(Fraction(0))])


def clip(state: Lowering, operator: Operator) -> TensorBinding:
    bounds: list[Fraction | None] = []
    for position, key in ((1, "min"), (2, "max")):
        array = state.optional(operator, position, key)
        if array is None and key in operator.attributes:
            array = np.array(operator.attributes[key], np.float32)
        bounds.append(None if array is None else _finite_bound(array))
    return then(state.binding(operator), [Clip(bounds[0], bounds[1])])


def absolute(state: Lowering, operator: Operator) -> TensorBinding:
    return then(state.binding(operator), [Prelu(Fraction(-1))])


def limit(state: Lowering, operator: Operator) -> TensorBinding:
    """Max and Min of data and constants."""
    places = [i for i in range(len(operator.inputs)) if state.is_data(operator, i)]
    if len(places) != 1:
        raise operator.fault("constants beside one activation", f"{len(places)} activations")
    binding = state.binding(operator, places[0])
    is_max = operator.kind == "Max"
    for position in range(len(operator.inputs)):
        if position != places[0]:
            bounds = channel_values(operator, binding, state.constant(operator, position, "limit"))
            binding = then(binding, [Clip(b, None) if is_max else Clip(None, b) for b in bounds])
    return binding


def hard_sigmoid(state: Lowering, operator: Operator) -> TensorBinding:
    """``alpha * x + beta``, limited to 0 .. 1."""
    alpha, beta = operator.real("alpha", 0.2), operator.real("beta", 0.5)
    line = then(state.binding(operator), [Affine(alpha, beta)])
    return then(line, [Clip(Fraction(0), Fraction(1))])


def round_whole(state: Lowering, operator: Operator) -> TensorBinding:
    """Round (half to even), Floor and Ceil."""
    mode = {"Round": "HALF_EVEN", "Floor": "FLOOR", "Ceil": "CEIL"}[operator.kind]
    return then(state.binding(operator), [Round(mode)])


def _finite_bound(array: Array) -> Fraction | None:
    value = scalar(array)
    return None if abs(value) >= float(np.finfo(np.float32).max) else Fraction(value)


def sign(state: Lowering, operator: Operator) -> TensorBinding:
    if state.options.sign_of_zero == "plus":
        return plus_sign(state.binding(operator))
    return then(state.binding(operator), [Sign()])


def plus_sign(binding: TensorBinding) -> TensorBinding:
    """-1 below 0, else +1."""
    return then(then(binding, [AtLeastZero()]), [Affine(Fraction(2), Fraction(-1))])


def compare(state: Lowering, operator: Operator) -> TensorBinding:
    """Greater, GreaterOrEqual, Less, LessOrEqual against a constant: 0 or 1."""
    is_less = operator.kind.startswith("Less")
    strict = not operator.kind.endswith("OrEqual")
    position = 0 if state.is_data(operator, 0) else 1
    binding = state.binding(operator, position)
    bounds = channel_values(operator, binding, state.constant(operator, 1 - position, "bound"))
    # x > b, x >= b as x - b against 0; x < b, x <= b as b - x; mirrored where x comes second.
    gain = Fraction(1 if (position == 0) != is_less else -1)
    shifted = then(binding, [Affine(gain, -gain * b) for b in bounds])
    return then(shifted, [AtLeastZero(strict)])


def where(state: Lowering, operator: Operator) -> TensorBinding:
    """A choice between two constants by a comparison."""
    binding = state.binding(operator)
    last = binding.function.chains[0][-1:]
    if not last or not isinstance(last[0], AtLeastZero):
        raise operator.fault("a comparison that chooses between two constants", "something else")
    yes = channel_values(operator, binding, state.constant(operator, 1, "value where true"))
    no = channel_values(operator, binding, state.constant(operator, 2, "value where false"))
    count = max(len(yes), len(no))
    pairs = [(yes[c if len(yes) > 1 else 0], no[c if len(no) > 1 else 0]) for c in range(count)]
    return then(binding, [Affine(y - n, n) for y, n in pairs])


def cast(state: Lowering, operator: Operator) -> TensorBinding:
    """Between floats, or from a comparison's outcome; to integers only what is one already."""
    import onnx

    target = int(operator.attributes.get("to", 1))
    kinds = onnx.TensorProto
    binding = state.binding(operator)
    if target in (kinds.FLOAT, kinds.FLOAT16, kinds.DOUBLE, kinds.BFLOAT16):
        return binding
    chain = binding.function.chains[0]
    if target == kinds.BOOL or not chain or not isinstance(chain[-1], Round | Sign | Count | AtLeastZero):
        raise operator.fault("a cast to floats", kinds.DataType.Name(target))
    return binding
