"""Real values that cannot be folded into thresholds: fixed-point scale, bias, slope, errors bounded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from bnnsim.importers.draft.draft import NetworkDraft
from bnnsim.importers.exact.channel_function import Affine, Chain, Clip, Prelu
from bnnsim.importers.onnx.graph import Operator
from bnnsim.spec.value_type import ValueType

PARAMETER_BITS = 32


@dataclass(frozen=True)
class PiecewiseLinear:
    """``max(t, 0) + slope * min(t, 0) + offset`` with ``t = gain * n + bias``: two segments, one at
    slope 1."""

    gain: Fraction
    bias: Fraction
    slope: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)


def piecewise_linear(operator: Operator, chain: Chain) -> PiecewiseLinear:
    """A chain of affine steps with at most one PReLU as two segments.

    Raises :class:`InputError` for chains with more PReLUs or with limits (HardTanh, Clip).
    """
    gain, bias = Fraction(1), Fraction(0)
    found: PiecewiseLinear | None = None
    for step in chain:
        if isinstance(step, Affine) and found is None:
            gain, bias = gain * step.gain, bias * step.gain + step.offset
        elif isinstance(step, Prelu) and found is None:
            found = PiecewiseLinear(gain, bias, step.slope)
        elif isinstance(step, Affine) and found is not None and step.gain >= 0:
            found = PiecewiseLinear(
                found.gain * step.gain,
                found.bias * step.gain,
                found.slope,
                found.offset * step.gain + step.offset,
            )
        else:
            kind = "a limit (HardTanh or Clip)" if isinstance(step, Clip) else "a second kink"
            expected = "at most one PReLU where values stay real"
            raise operator.fault(expected, kind if not isinstance(step, Affine) else "a falling one")
    return found or PiecewiseLinear(gain, bias)


@dataclass(frozen=True)
class FixedNumbers:
    """Numbers in one format: ``integers`` times 2**-fraction_bits, each at most ``error`` off."""

    type: ValueType
    integers: npt.NDArray[np.int64]
    error: Fraction


def in_one_format(numbers: Sequence[Sequence[Fraction]]) -> tuple[ValueType, list[FixedNumbers]]:
    """Rows of numbers in the finest format of ``PARAMETER_BITS`` that holds them all."""
    largest = max((abs(v) for row in numbers for v in row), default=Fraction(0))
    whole = math.floor(largest).bit_length() + 1  # one more where rounding up carries
    value_type = ValueType("fixed", PARAMETER_BITS, max(0, PARAMETER_BITS - 1 - whole))
    scale = 1 << value_type.fraction_bits
    rows = []
    for row in numbers:
        integers = [min(max(round(v * scale), value_type.minimum), value_type.maximum) for v in row]
        pairs = zip(integers, row, strict=True)
        error = max((abs(Fraction(i, scale) - v) for i, v in pairs), default=Fraction(0))
        rows.append(FixedNumbers(value_type, np.array(integers, np.int64), error))
    return value_type, rows


def append_fixed(
    draft: NetworkDraft, base: str, word: ValueType, forms: Sequence[PiecewiseLinear]
) -> tuple[str, list[Fraction], str]:
    """Layers that bring ``base`` through ``forms`` (one a channel) to integers of ``word``.

    Returns the last layer's name, the offset that each channel still lacks, and a sentence on the
    error.
    """
    fraction = draft.fraction_bits_of(base)
    shape = draft.shape_of(base)
    gains = [form.gain * (1 << fraction) for form in forms]
    parameters, (scale, bias) = in_one_format([gains, [form.bias for form in forms]])
    layer = draft.append("affine", [base], shape, word.minimum, word.maximum)
    layer.activation = word
    layer.options = {"parameters": parameters}
    layer.arrays = {"scale": scale.integers, "bias": bias.integers}
    low, high = draft.bounds_of(base)
    reach = Fraction(max(abs(low), abs(high)), 1 << fraction)
    half = Fraction(1, 2 << word.fraction_bits)
    error = half + scale.error * reach + bias.error
    pairs = zip(gains, forms, strict=True)
    largest = max(abs(g) * reach + abs(form.bias) for g, form in pairs)
    layer.error, layer.steepness = error, max(abs(gain) for gain in gains)
    names = [layer.name]
    if any(form.slope != 1 for form in forms):
        slopes_type, (slopes,) = in_one_format([[form.slope for form in forms]])
        layer = draft.append("prelu", [layer.name], shape, word.minimum, word.maximum)
        layer.activation = word
        layer.options = {"parameters": slopes_type}
        layer.arrays = {"slope": slopes.integers}
        steepest = max(Fraction(1), *(abs(form.slope) for form in forms))
        limit = Fraction(word.maximum, 1 << word.fraction_bits)
        layer.error, layer.steepness = half + slopes.error * min(largest, limit), steepest
        error = error * steepest + layer.error
        names.append(layer.name)
    note = f"{' and '.join(names)}: {word}, at most {float(error):.3g} off the model's real values"
    top = Fraction(word.maximum, 1 << word.fraction_bits)
    if largest > top:
        note += f" within +-{float(top):.6g} (the largest sum could reach {float(largest):.6g})"
    return layer.name, [form.offset for form in forms], note
