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
from bnnsim.importers.exact.rational import fractions_of, inverse_sqrt
from bnnsim.importers.onnx.constants import quant_bounds
from bnnsim.importers.onnx.graph import Array, Operator, scalar
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.joins import add_signals
from bnnsim.importers.onnx.signal import Signal, channel_values

_MOST_LEVELS = 255


def then(signal: Signal, steps: Sequence[Step]) -> Signal:
    """The signal with a step (for all channels, or one a channel) behind it."""
    return signal.with_function(signal.function.then(steps))


def same(state: Lowering, operator: Operator) -> Signal:
    """Operators that change nothing when a model is only run."""
    return state.signal(operator)


def add(state: Lowering, operator: Operator) -> Signal:
    return _sum(state, operator, Fraction(1))


def subtract(state: Lowering, operator: Operator) -> Signal:
    return _sum(state, operator, Fraction(-1))


def _sum(state: Lowering, operator: Operator, sign: Fraction) -> Signal:
    """``a + sign * b``, either of which may be constant."""
    if len(operator.inputs) == 1 and operator.kind == "Sum":
        return state.signal(operator)
    if all(state.is_data(operator, i) for i in range(len(operator.inputs))):
        if len(operator.inputs) < 2:
            raise operator.fault("two inputs", len(operator.inputs))
        second = [state.signal(operator, i) for i in range(1, len(operator.inputs))]
        if sign < 0:
            second = [then(one, [Affine(sign)]) for one in second]
        return add_signals(state, operator, [state.signal(operator), *second])
    if len(operator.inputs) != 2:
        raise operator.fault("two inputs, or data alone", len(operator.inputs))
    if state.is_data(operator, 0):
        signal = state.signal(operator)
        offsets = channel_values(operator, signal, state.constant(operator, 1, "summand"))
        return then(signal, [Affine(offset=sign * b) for b in offsets])
    signal = state.signal(operator, 1)
    offsets = channel_values(operator, signal, state.constant(operator, 0, "summand"))
    return then(signal, [Affine(sign, b) for b in offsets])


def multiply(state: Lowering, operator: Operator) -> Signal:
    position = 0 if state.is_data(operator, 0) else 1
    if state.is_data(operator, 1 - position):
        raise operator.fault("a constant factor", "two activations (a scale made at run time)")
    signal = state.signal(operator, position)
    gains = channel_values(operator, signal, state.constant(operator, 1 - position, "factor"))
    return then(signal, [Affine(g) for g in gains])


def divide(state: Lowering, operator: Operator) -> Signal:
    signal = state.signal(operator)
    divisors = channel_values(operator, signal, state.constant(operator, 1, "divisor"))
    if any(d == 0 for d in divisors):
        raise operator.fault("divisors other than 0", 0)
    return then(signal, [Affine(1 / d) for d in divisors])


def negate(state: Lowering, operator: Operator) -> Signal:
    return then(state.signal(operator), [Affine(Fraction(-1))])


def batch_norm(state: Lowering, operator: Operator) -> Signal:
    """``gain * (x - mean) / sqrt(variance + epsilon) + shift``, per channel (ONNX's inference mode)."""
    signal = state.signal(operator)
    if operator.attributes.get("training_mode", 0):
        raise operator.fault("a model exported for inference", "training_mode 1")
    names = ("gain", "shift", "mean", "variance")
    given = [state.constant(operator, i + 1, name) for i, name in enumerate(names)]
    last = operator.channels_last
    shape = (1, -1) if len(signal.shape) == 1 or last else (1, -1, *[1] * (len(signal.shape) - 1))
    gains, shifts, means, variances = (
        channel_values(operator, signal, values.reshape(shape)) for values in given
    )
    # The attribute is a float32, whatever Python makes of it.
    epsilon = Fraction(float(np.float32(operator.attributes.get("epsilon", 1e-5))))
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
    return then(signal, steps)


def prelu(state: Lowering, operator: Operator) -> Signal:
    signal = state.signal(operator)
    slope = state.constant(operator, 1, "slope")
    return then(signal, [Prelu(s) for s in channel_values(operator, signal, slope)])


def leaky_relu(state: Lowering, operator: Operator) -> Signal:
    slope = Fraction(float(np.float32(operator.attributes.get("alpha", 0.01))))
    return then(state.signal(operator), [Prelu(slope)])


def relu(state: Lowering, operator: Operator) -> Signal:
    return then(state.signal(operator), [Prelu(Fraction(0))])


def clip(state: Lowering, operator: Operator) -> Signal:
    bounds: list[Fraction | None] = []
    for position, key in ((1, "min"), (2, "max")):
        array = state.optional(operator, position, key)
        if array is None and key in operator.attributes:
            array = np.array(operator.attributes[key], np.float32)
        bounds.append(None if array is None else _finite_bound(array))
    return then(state.signal(operator), [Clip(bounds[0], bounds[1])])


def _finite_bound(array: Array) -> Fraction | None:
    value = scalar(array)
    return None if abs(value) >= float(np.finfo(np.float32).max) else Fraction(value)


def hard_tanh(state: Lowering, operator: Operator) -> Signal:
    return then(state.signal(operator), [Clip(Fraction(-1), Fraction(1))])


def sign(state: Lowering, operator: Operator) -> Signal:
    if state.options.sign_of_zero == "plus":
        return _plus_sign(state.signal(operator))
    return then(state.signal(operator), [Sign()])


def _plus_sign(signal: Signal) -> Signal:
    return then(then(signal, [AtLeastZero()]), [Affine(Fraction(2), Fraction(-1))])


def compare(state: Lowering, operator: Operator) -> Signal:
    """Greater, GreaterOrEqual, Less, LessOrEqual against a constant: 0 or 1."""
    is_less = operator.kind.startswith("Less")
    strict = not operator.kind.endswith("OrEqual")
    position = 0 if state.is_data(operator, 0) else 1
    signal = state.signal(operator, position)
    bounds = channel_values(operator, signal, state.constant(operator, 1 - position, "bound"))
    # x > b, x >= b as x - b against 0; x < b, x <= b as b - x; mirrored where x comes second.
    gain = Fraction(1 if (position == 0) != is_less else -1)
    shifted = then(signal, [Affine(gain, -gain * b) for b in bounds])
    return then(shifted, [AtLeastZero(strict)])


def where(state: Lowering, operator: Operator) -> Signal:
    """A choice between two constants by a comparison."""
    signal = state.signal(operator)
    last = signal.function.chains[0][-1:]
    if not last or not isinstance(last[0], AtLeastZero):
        raise operator.fault("a comparison that chooses between two constants", "something else")
    yes = channel_values(operator, signal, state.constant(operator, 1, "value where true"))
    no = channel_values(operator, signal, state.constant(operator, 2, "value where false"))
    count = max(len(yes), len(no))
    pairs = [(yes[c if len(yes) > 1 else 0], no[c if len(no) > 1 else 0]) for c in range(count)]
    return then(signal, [Affine(y - n, n) for y, n in pairs])


def cast(state: Lowering, operator: Operator) -> Signal:
    """Between floats, or from a comparison's outcome; to integers only what is one already."""
    import onnx

    target = int(operator.attributes.get("to", 1))
    kinds = onnx.TensorProto
    signal = state.signal(operator)
    if target in (kinds.FLOAT, kinds.FLOAT16, kinds.DOUBLE, kinds.BFLOAT16):
        return signal
    chain = signal.function.chains[0]
    if target == kinds.BOOL or not chain or not isinstance(chain[-1], Round | Sign | Count | AtLeastZero):
        raise operator.fault("a cast to floats", kinds.DataType.Name(target))
    return signal


# ---- QONNX -----------------------------------------------------------------------------------------


def bipolar_quant(state: Lowering, operator: Operator) -> Signal:
    """``scale`` where ``x >= 0``, else ``-scale``."""
    signal = state.signal(operator)
    scales = channel_values(operator, signal, state.constant(operator, 1, "scale"))
    return then(_plus_sign(signal), [Affine(s) for s in scales])


def quant(state: Lowering, operator: Operator) -> Signal:
    """``scale * (clip(round(x / scale + zero)) - zero)``."""
    signal = state.signal(operator)
    scales = channel_values(operator, signal, state.constant(operator, 1, "scale"))
    zeros = channel_values(operator, signal, state.constant(operator, 2, "zero point"))
    bounds = quant_bounds(operator, scalar(state.constant(operator, 3, "bit width")))
    scaled = _scaled(operator, signal, scales, zeros)
    if bounds is None:
        levels = _plus_sign(scaled)
    else:
        mode = _rounding_mode(operator, "ROUND")
        levels = then(scaled, [Round(mode, *bounds)])
    return _unscaled(levels, scales, zeros)


def trunc(state: Lowering, operator: Operator) -> Signal:
    """QONNX's Trunc, both of its versions: integers, shifted right, rounded (floor by default)."""
    signal = state.signal(operator)
    count = len(operator.inputs)
    scales = channel_values(operator, signal, state.constant(operator, 1, "scale"))
    zeros = channel_values(operator, signal, state.constant(operator, 2, "zero point"))
    in_bits = scalar(state.constant(operator, 3, "input bit width"))
    out_bits = scalar(state.constant(operator, count - 1, "output bit width"))
    mode = _rounding_mode(operator, "FLOOR")
    integers = then(_scaled(operator, signal, scales, zeros), [Round("ROUND")])
    if count == 5:
        shifted = then(integers, [Affine(1 / Fraction(2) ** int(in_bits - out_bits))])
        return _unscaled(then(shifted, [Round(mode)]), scales, zeros)
    out_scales = channel_values(operator, signal, state.constant(operator, 4, "output scale"))
    if len(set(scales)) > 1 or len(set(out_scales)) > 1:
        raise operator.fault("one scale for all channels", "one a channel")
    factor = Fraction(2) ** round(np.log2(float(out_scales[0] / scales[0])))
    bounds = quant_bounds(operator, out_bits)
    if bounds is None:
        raise operator.fault("an output of at least 2 bits", "1 bit")
    shifted = then(integers, [Affine(1 / factor)])
    return _unscaled(then(shifted, [Round(mode, *bounds)]), out_scales, [z / factor for z in zeros])


def multi_threshold(state: Lowering, operator: Operator) -> Signal:
    """``out_scale * (number of thresholds <= x) + out_bias``."""
    signal = state.signal(operator)
    table = state.constant(operator, 1, "thresholds")
    if table.ndim != 2 or table.shape[0] not in (1, signal.channels):
        expected = f"thresholds of shape [{signal.channels} or 1, levels]"
        raise operator.fault(expected, list(table.shape))
    if not 1 <= table.shape[1] <= _MOST_LEVELS:
        raise operator.fault(f"at most {_MOST_LEVELS} thresholds a channel", table.shape[1])
    steps = [Count(tuple(sorted(fractions_of(row)))) for row in table]
    scale = Fraction(float(np.float32(operator.attributes.get("out_scale", 1.0))))
    bias = Fraction(float(np.float32(operator.attributes.get("out_bias", 0.0))))
    return then(then(signal, steps), [Affine(scale, bias)])


def _rounding_mode(operator: Operator, default: str) -> str:
    mode = str(operator.attributes.get("rounding_mode", default)).upper()
    known = ("ROUND", "HALF_EVEN", "FLOOR", "CEIL", "UP", "DOWN", "ROUND_TO_ZERO", "HALF_UP", "HALF_DOWN")
    if mode not in known:
        raise operator.fault(f"a rounding mode of {', '.join(known)}", mode)
    return mode


def _scaled(operator: Operator, signal: Signal, scales: list[Fraction], zeros: list[Fraction]) -> Signal:
    if any(s <= 0 for s in scales):
        raise operator.fault("scales above 0", float(min(scales)))
    return then(then(signal, [Affine(1 / s) for s in scales]), [Affine(offset=z) for z in zeros])


def _unscaled(signal: Signal, scales: list[Fraction], zeros: list[Fraction]) -> Signal:
    return then(then(signal, [Affine(offset=-z) for z in zeros]), [Affine(s) for s in scales])
