"""Real values that cannot be folded into thresholds: fixed-point scale, bias, slope, errors bounded.

A layer multiplies its input's integers, shifts right with rounding, and adds a bias at the output's
point: the multiplier's format follows from the input's reach. All errors are counted in steps (units of
the last place) of the integers that a layer puts out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bnnsim.design.network.scaled_rules import MOST_BITS as MOST_PRODUCT_BITS
from bnnsim.importers.draft.draft import LayerDraft, NetworkDraft
from bnnsim.importers.draft.parts import ChannelPart, append_join, append_part, parts_of
from bnnsim.importers.exact.channel_function import ONE, ZERO, Affine
from bnnsim.importers.onnx.fixed_plan import FixedPlan, Kink
from bnnsim.spec.value_type import ValueType

MOST_BITS = 32
"""Of an output word, a multiplier, a bias or a slope."""
PROBE = ValueType("fixed", MOST_BITS, 8)
"""The word with which a network's reach is found before its own is chosen."""
_MOST_SHIFT = 93
_SLACK_BITS = 2
"""A multiplier's rounding moves a result by at most 2**-(this + 1) steps, where its bits allow."""
_FLOAT_BITS = 24
"""A float32 has no more: scores are not written finer, and the model's own run is not more exact."""
_UNREACHED_BITS = 3
"""Sums of many terms stay far below what they could reach: an eighth of it."""


@dataclass(frozen=True)
class FixedLayers:
    """What :func:`append_fixed` has made.

    ``base`` is the last layer, ``word`` what it puts out; each channel's value still lacks its one of
    ``offsets``. ``note`` is a sentence on the error.
    """

    base: str
    word: ValueType
    offsets: list[Fraction]
    note: str


def append_fixed(
    draft: NetworkDraft, base: str, word: ValueType, plan: FixedPlan, keeps_offsets: bool = True
) -> FixedLayers:
    """Layers that bring ``base`` through ``plan`` to integers of ``word``.

    Offsets behind the last kink are left to the reader where ``keeps_offsets``, else added inside.
    """
    made: list[LayerDraft] = []
    unit = Fraction(1, 1 << word.fraction_bits)
    given = [Affine()] * plan.channels
    for position, kink in enumerate(plan.kinks):
        steps = [_joined(a, b) for a, b in zip(given, plan.affines[position], strict=True)]
        layer, given = _append_kink(draft, made, base, word, steps, kink)
        base = layer.name
    steps = [_joined(a, b) for a, b in zip(given, plan.last, strict=True)]
    is_plain = bool(made) and all(step.gain == unit for step in steps)
    alike = keeps_offsets or not any(step.offset for step in steps)
    offsets = [step.offset for step in steps]
    if not is_plain or not alike:
        made.append(_append_affine(draft, base, word, steps))
        base, offsets = made[-1].name, [Fraction(0)] * plan.channels
    error = draft.error_of(base) * unit
    own_names = [one for layer in made for one in (*_parts(layer), layer.name)]
    names = " and ".join(one for layer in made for one in _parts(layer) or [layer.name])
    top, reach = word.maximum * unit, max(layer.reach for layer in made)
    if error < top:
        note = f"{names}: {word}, at most {float(error):.3g} off the model's real values"
    else:
        own = draft.error_behind(base, draft.layers.keys() - set(own_names)) * unit
        note = f"{names}: {word}, rounded by at most {float(own):.3g} (the bounds of all layers in front "
        note += "add up to more than its range)"
    if reach > top:
        joint = " within +-{} and saturated beyond" if error < top else ", saturated beyond +-{}"
        note += joint.format(f"{float(top):.6g}") + f" (a sum could reach {float(reach):.6g})"
    return FixedLayers(base, word, offsets, note)


def _joined(first: Affine, second: Affine) -> Affine:
    return Affine(first.gain * second.gain, first.offset * second.gain + second.offset)


def _append_kink(
    draft: NetworkDraft,
    made: list[LayerDraft],
    base: str,
    word: ValueType,
    steps: Sequence[Affine],
    kink: Kink,
) -> tuple[LayerDraft, list[Affine]]:
    """A kink behind ``steps`` on the integers of ``base``, and the steps from what it puts out on.

    A limit is a ReLU: from below ``max(x, l) = relu(x - l) + l``, from above mirrored. A channel
    without the kink has a slope of 1.
    """
    unit = Fraction(1, 1 << word.fraction_bits)
    if kink.kind == "slope":
        turn, shifts = ONE, [ZERO] * len(steps)
        slopes = [ONE if slope is None else slope for slope in kink.values]
    else:
        turn = ONE if kink.kind == "low" else -ONE
        shifts = [ZERO if limit is None else limit for limit in kink.values]
        slopes = [ONE if limit is None else ZERO for limit in kink.values]
    moved = [_joined(s, Affine(turn, -turn * by)) for s, by in zip(steps, shifts, strict=True)]
    made.append(_append_affine(draft, base, word, moved))
    if any(slope != 1 for slope in slopes):
        made.append(_append_prelu(draft, made[-1], word, slopes))
    return made[-1], [Affine(turn * unit, by) for by in shifts]


def _append_affine(
    draft: NetworkDraft, base: str, word: ValueType, steps: Sequence[Affine]
) -> LayerDraft:
    """``gain * integer + offset`` of each channel as integers of ``word``.

    Sums whose products would take more bits than a workload holds are saturated to a word first; where
    sums of several layers are joined, each part is multiplied by itself and the parts are joined then.
    """
    reach = max(abs(step.gain * x + step.offset) for step in steps for x in draft.bounds_of(base))
    unit_steps = 1 << word.fraction_bits
    gains = [step.gain * unit_steps for step in steps]

    def fits(part: ChannelPart) -> bool:
        return _has_room(draft, part.sources, gains[part.first : part.end])

    if not _has_room(draft, (base,), gains):
        if len(parts := parts_of(draft, base, fits)) > 1:
            return _append_parts(draft, parts, word, steps)
        base, taken = _append_clamp(draft, base, gains)
        gains = [gain / own for gain, own in zip(gains, taken, strict=True)]
    shape, bounds = draft.shape_of(base), draft.bounds_of(base)
    magnitude = max(abs(bound) for bound in bounds)
    biases = [step.offset * unit_steps for step in steps]
    scale, bits, shift = _multipliers(gains, magnitude, _MOST_SHIFT)
    bias_bits = _bits_of([round(bias) for bias in biases])
    bias = [_limited(round(value), bias_bits) for value in biases]

    def value(channel: int, x: int) -> int:
        return _shifted(x * scale[channel], shift) + bias[channel]

    layer = draft.append("affine", [base], shape, *_range(value, bounds, len(steps), word))
    layer.activation = word
    layer.options = {"multiplier_bits": bits, "shift_bits": shift, "bias_bits": bias_bits}
    layer.arrays = {"scale": np.array(scale, np.int64), "bias": np.array(bias, np.int64)}
    layer.error_steps = max(
        _product_error(m, shift, gain, magnitude) + abs(b - offset)
        for m, gain, b, offset in zip(scale, gains, bias, biases, strict=True)
    )
    layer.steepness = max(abs(gain) for gain in gains)
    layer.reach = reach
    return layer


def _append_parts(
    draft: NetworkDraft, parts: Sequence[ChannelPart], word: ValueType, steps: Sequence[Affine]
) -> LayerDraft:
    """The same for each part by itself, and they joined.

    Of integers that are worth little and integers that are worth much no multiplier's format holds both.
    """
    made = [
        _append_affine(draft, append_part(draft, part), word, steps[part.first : part.end])
        for part in parts
    ]
    layer = append_join(draft, tuple(one.name for one in made))
    layer.reach = max(one.reach for one in made)
    return layer


def _parts(layer: LayerDraft) -> list[str]:
    """The layers that a concat joins; none of any other."""
    return layer.inputs if layer.kind == "concat" else []


def _has_room(draft: NetworkDraft, bases: Sequence[str], gains: Sequence[Fraction]) -> bool:
    """Whether products with ``bases`` side by side, of their types, have no more bits than a workload
    holds."""
    magnitude = max(abs(bound) for base in bases for bound in draft.bounds_of(base))
    _, bits, shift = _multipliers(gains, magnitude, _MOST_SHIFT)
    return max(_type_bits(draft, base) for base in bases) + bits - shift <= MOST_PRODUCT_BITS


def _append_clamp(
    draft: NetworkDraft, base: str, gains: Sequence[Fraction]
) -> tuple[str, list[Fraction]]:
    """``base`` saturated to a word of as many bits as there are, and what each channel was multiplied by:
    where its gain is below 1 by as much of that as the word needs, so that nothing saturates that could
    be put out; else by 1, or less where even a product with 1 has no room.

    What stands behind it saturates sooner, as far as its gain is above 1.
    """
    word, shape, ends = ValueType("fixed", MOST_BITS, 0), draft.shape_of(base), draft.bounds_of(base)
    magnitude = max(abs(end) for end in ends)
    dropped = max(0, _type_bits(draft, base) + 2 - MOST_PRODUCT_BITS)
    needed = Fraction(1, 1 << max(0, magnitude.bit_length() - MOST_BITS + 1))
    taken = [min(Fraction(1, 1 << dropped), max(abs(gain), needed)) for gain in gains]
    scale, bits, shift = _multipliers(taken, magnitude, MOST_BITS - 2 + dropped)

    def value(channel: int, x: int) -> int:
        return _shifted(x * scale[channel], shift)

    layer = draft.append("affine", [base], shape, *_range(value, ends, shape[0], word))
    layer.activation = word
    layer.options = {"multiplier_bits": bits, "shift_bits": shift, "bias_bits": 2}
    layer.arrays = {"scale": np.array(scale, np.int64), "bias": np.zeros(shape[0], np.int64)}
    layer.error_steps = max(
        _product_error(m, shift, gain, min(magnitude, math.ceil(word.maximum / gain)))
        for m, gain in zip(scale, taken, strict=True)
    )
    layer.steepness = max(taken)
    return layer.name, taken


def _type_bits(draft: NetworkDraft, base: str) -> int:
    low, high = draft.type_bounds_of(base)
    return 1 + max((-low - 1).bit_length() if low < 0 else 0, high.bit_length())


def _append_prelu(
    draft: NetworkDraft, source: LayerDraft, word: ValueType, slopes: list[Fraction]
) -> LayerDraft:
    bounds = draft.bounds_of(source.name)
    below = max(0, -bounds[0])
    slope, bits, point = _multipliers(slopes, below, MOST_BITS - 1)

    def value(channel: int, x: int) -> int:
        return x if x >= 0 else _shifted(x * slope[channel], point)

    ends = (bounds[0], min(bounds[1], 0), max(bounds[0], 0), bounds[1])
    layer = draft.append("prelu", [source.name], source.shape, *_range(value, ends, len(slopes), word))
    layer.activation = word
    # a format has no fewer bits than lie behind its point
    layer.options = {"parameters": ValueType("fixed", max(bits, point), point)}
    layer.arrays = {"slope": np.array(slope, np.int64)}
    pairs = zip(slope, slopes, strict=True)
    layer.error_steps = max(_product_error(m, point, true, below) for m, true in pairs)
    layer.steepness = max(Fraction(1), *(abs(true) for true in slopes))
    layer.reach = source.reach * layer.steepness
    return layer


def widest_word(draft: NetworkDraft) -> ValueType | None:
    """The finest word that holds all that fixed-point layers of a draft can put out; None without any."""
    reaches = [layer.reach for layer in draft.layers.values() if layer.kind in ("affine", "prelu")]
    return _word_of(max(reaches)) if reaches else None


def likely_word(word: ValueType, reach: Fraction | None) -> ValueType:
    """The word for values that have reached ``reach`` on drawn frames, at least as fine as ``word``,
    which holds all that could be reached.

    It has room for sixteen times what was reached; for less, down to twice, where that leaves half of its
    bits behind the point. What sums of sums could reach grows with every layer, what they do reach does
    not: behind a few real layers a word that holds the one has no bits left for the other.
    """
    if reach is None:
        return word
    roomy, close = _word_of(reach * 16), _word_of(reach * 2)
    fraction = max(roomy.fraction_bits, min(close.fraction_bits, MOST_BITS // 2))
    return ValueType("fixed", MOST_BITS, max(word.fraction_bits, fraction))


def is_coarse(word: ValueType) -> bool:
    """Whether less than half of a word's bits are behind the point."""
    return word.fraction_bits < word.bits // 2


def _word_of(reach: Fraction) -> ValueType:
    return ValueType("fixed", MOST_BITS, max(0, MOST_BITS - 1 - _whole_bits(reach)))


def score_word(
    draft: NetworkDraft, base: str, word: ValueType | None, plan: FixedPlan
) -> ValueType:
    """The word of scores: no finer than a float32 of what sums do reach, nor than ``word``, with half of
    its bits behind the point where that has them.

    ``word`` is what the user chose, or what the network's other fixed-point layers have. How far the
    layers in front may be off is no measure: they are off by far less, and scores differ by less.
    """
    whole = _whole_bits(plan.reach(draft.bounds_of(base)))
    fraction = max(0, _FLOAT_BITS - 1 - whole)
    if word is None:
        return ValueType("fixed", min(MOST_BITS, max(2, 1 + whole + fraction)), fraction)
    finest = min(_FLOAT_BITS + _UNREACHED_BITS, word.bits) - 1 - whole
    return ValueType("fixed", word.bits, min(max(fraction, finest, word.bits // 2), word.fraction_bits))


def own_word(
    bounds: tuple[int, int], word: ValueType | None, plan: FixedPlan, most_bits: int
) -> ValueType:
    """A word for what is multiplied at run time: as many bits as a float32 has behind its reach.

    ``word`` is what the user chose, which stays unless it is longer than ``most_bits``.
    """
    if word is not None and word.bits <= most_bits:
        return word
    whole = _whole_bits(plan.reach(bounds))
    fraction = max(0, min(_FLOAT_BITS, most_bits - 1) - whole)
    return ValueType("fixed", min(most_bits, max(2, 1 + whole + fraction)), fraction)


def float_error(reach: Fraction, is_sum: bool) -> Fraction:
    """By how much a model's own float32 run may be off where values reach ``reach``: an ulp there."""
    return reach / (1 << (_FLOAT_BITS - 1 + (_UNREACHED_BITS if is_sum else 0)))


def _whole_bits(reach: Fraction) -> int:
    """Bits in front of the point, one more where rounding carries."""
    return math.floor(reach + 1).bit_length()


def _multipliers(
    gains: Sequence[Fraction], magnitude: int, most_shift: int
) -> tuple[list[int], int, int]:
    """Integers for ``gains``, their bits, and the shift behind the product.

    Rounded so that no product with up to ``magnitude`` moves by more than a fraction of a step, in
    as many bits as that takes; exact where that takes fewer.
    """
    largest = max(abs(gain) for gain in gains)
    shift = magnitude.bit_length() + _SLACK_BITS
    finest = max(gain.denominator for gain in gains)
    if all(finest % gain.denominator == 0 for gain in gains) and finest & (finest - 1) == 0:
        shift = min(shift, finest.bit_length() - 1)
    while shift and _bits_of([round(largest * (1 << shift))], 64) > MOST_BITS:
        shift -= 1
    shift = min(shift, most_shift)
    integers = [round(gain * (1 << shift)) for gain in gains]
    bits = _bits_of(integers)
    return [_limited(one, bits) for one in integers], bits, shift


def _product_error(factor: int, shift: int, gain: Fraction, magnitude: int) -> Fraction:
    """How far a shifted product may lie from ``gain`` times the input, in steps."""
    rounding = Fraction(1, 2) if factor % (1 << shift) else Fraction(0)
    return rounding + abs(Fraction(factor, 1 << shift) - gain) * magnitude


def _shifted(product: int, shift: int) -> int:
    return (product + ((1 << shift) >> 1)) >> shift


def _bits_of(integers: Sequence[int], most: int = MOST_BITS) -> int:
    """Bits of the narrowest symmetric two's complement for ``integers``, no more than ``most``."""
    return min(most, max(2, 1 + max(abs(one).bit_length() for one in integers)))


def _limited(value: int, bits: int) -> int:
    most = (1 << (bits - 1)) - 1
    return min(max(value, -most), most)


def _range(
    value: Callable[[int, int], int], ends: Sequence[int], channels: int, word: ValueType
) -> tuple[int, int]:
    """Least and greatest of a layer's integers; each channel is monotone between ``ends``."""
    found = [value(channel, x) for channel in range(channels) for x in ends]
    low, high = min(found), max(found)
    return (
        min(max(low, word.minimum), word.maximum),
        min(max(high, word.minimum), word.maximum),
    )
