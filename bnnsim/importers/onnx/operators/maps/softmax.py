"""Softmax of scores that the network reads on: a maximum, powers in a table, and a product with the
inverse of their sum."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from bnnsim.importers.exact.channel_function import Affine, ChannelFunction
from bnnsim.importers.exact.smooth import power_of_e
from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.joins import MOST_TABLE_BITS, add_bindings, in_own_word, tabled
from bnnsim.importers.onnx.operators.maps.products import multiplied
from bnnsim.importers.onnx.operators.maps.repeats import append_repeat
from bnnsim.importers.onnx.operators.maps.tables import Curve, append_table
from bnnsim.importers.onnx.operators.orders import picked
from bnnsim.importers.onnx.operators.quantise import quantised
from bnnsim.importers.onnx.outputs import End, classifier_end, leads_to_outputs, softmax_axis
from bnnsim.spec.value_type import integer_type

LEAST_EXPONENT = Fraction(-17)
"""Powers below it are taken for this one: e to it is a tenth of a table's last bit."""


def softmax(state: Lowering, operator: Operator) -> TensorBinding | End:
    """``exp(x - max) / sum(exp(x - max))`` along one axis; at the end of a model it is left out.

    Scores that share a gain stay integers; an offset that all share is nothing to a softmax.
    """
    binding = state.binding(operator)
    if leads_to_outputs(state.graph, operator.output):
        return classifier_end(operator, binding, state.graph.opset)
    scores = _scores(state, operator, quantised(state, operator, binding))
    axis = softmax_axis(operator, len(scores.shape) + 1, state.graph.opset)
    run = _run_of(state, operator, scores, axis)
    below = _below_highest(state, operator, scores, run)
    unit = below.function.affine()
    assert unit is not None
    powers, power_unit = append_table(state, below.base, unit[0].gain, _power())
    count = Fraction(run.length)
    inverses, inverse_unit = append_table(state, _sum(state, powers, run), power_unit, _inverse(count))
    factors = [
        _on_integers(scores, base, gain)
        for base, gain in ((powers, power_unit), (_all_along(state, inverses, run), inverse_unit))
    ]
    return multiplied(state, *factors)


@dataclass(frozen=True)
class _Run:
    """The elements that a softmax is over: ``channels`` of a pixel one behind the other, or a ``window``
    of rows and columns, of which a map may have several beside each other."""

    channels: int = 1
    window: tuple[int, int] = (1, 1)

    @property
    def length(self) -> int:
        return self.channels * self.window[0] * self.window[1]


def _run_of(state: Lowering, operator: Operator, binding: TensorBinding, axis: int) -> _Run:
    along = binding.dimensions[axis - 1]
    channels, *sizes = state.draft.shape_of(binding.base)
    places, count = dict(along), binding.shape[axis - 1]
    if not along or (len(along) == 1 and places.keys() < {"H", "W"}):
        return _Run(window=(places.get("H", 1), places.get("W", 1)))
    if len(along) == 2 and [places.get("H"), places.get("W")] == sizes:
        return _Run(window=(sizes[0], sizes[1]))
    if all(label[0] == "C" for label, _ in along) and (count == channels or along == (("C", count),)):
        return _Run(count)
    expected = "an axis of all channels or those of a head, or of whole rows, columns or both"
    raise operator.fault(expected, f"axis {axis} of {[1, *binding.shape]}")


def _on_integers(binding: TensorBinding, base: str, gain: Fraction) -> TensorBinding:
    return replace(binding, base=base, function=ChannelFunction().then([Affine(gain)]))


def _scores(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding:
    """``binding`` as integers with one gain above 0."""
    binding = tabled(state, operator, binding)
    steps = binding.function.affine()
    bits = integer_type(*state.draft.bounds_of(binding.base)).bits
    if steps is not None and len(set(steps)) == 1 and steps[0].gain > 0 and bits <= MOST_TABLE_BITS:
        return _on_integers(binding, binding.base, steps[0].gain)
    return in_own_word(state, operator, binding, MOST_TABLE_BITS)


def _below_highest(
    state: Lowering, operator: Operator, scores: TensorBinding, run: _Run
) -> TensorBinding:
    """How far each score lies below the highest of its run. Whatever is taken for the highest, a softmax
    is the same: that it may be off is nothing to the model's values."""
    draft = state.draft
    if run.channels > 1:
        highest = _highest_channel(state, scores.base, run.channels)
    else:
        highest = _pooled(state, "max_pool", scores.base, run, *draft.bounds_of(scores.base))
    if highest != scores.base:
        draft.layers[highest].is_free = True
    steps = scores.function.affine()
    assert steps is not None
    opposite = _on_integers(scores, _all_along(state, highest, run), -steps[0].gain)
    below = add_bindings(state, operator, [scores, opposite])
    low, high = draft.bounds_of(scores.base)
    draft.layers[below.base].low, draft.layers[below.base].high = low - high, 0
    return below


def _highest_channel(state: Lowering, base: str, length: int) -> str:
    """The greatest of each ``length`` channels: some at a time are laid side by side, of which a pool
    takes one."""
    channels, height, width = state.draft.shape_of(base)
    groups = channels // length
    while length > 1:
        count = next((n for n in (4, 5, 6, 7, 3, 2) if length % n == 0), length)
        if count > 7:  # the last channel again and again changes no maximum
            more = -(-length // 4) * 4
            places = np.minimum(np.arange(more), length - 1) + length * np.arange(groups)[:, None]
            base = picked(state, base, places.reshape(-1))
            length, count = more, 4
        run = _Run(window=(count, 1) if height == 1 < width else (1, count))
        beside = _side_by_side(state, base, run)
        base = _pooled(state, "max_pool", beside, run, *state.draft.bounds_of(base))
        length //= count
    return base


def _side_by_side(state: Lowering, base: str, run: _Run) -> str:
    """A map along whose rows or columns the channels lie, ``run.length`` at a time, pixel by pixel.

    Each such group is a convolution with a border of zeros, and with zeros between the pixels where there
    are several, in which every place shows one channel.
    """
    draft = state.draft
    channels, height, width = draft.shape_of(base)
    if (height if run.window[0] > 1 else width) > 1:
        base = append_repeat(state, base, run.window, zeros=True)
    count, groups = run.length, channels // run.length
    weights = np.zeros((groups, count, count), np.int64)
    weights[:, np.arange(count), np.arange(count)[::-1]] = 1
    low, high = draft.bounds_of(base)
    shape = (groups, height * run.window[0], width * run.window[1])
    layer = draft.append("conv", [base], shape, min(low, 0), max(high, 0))
    layer.weights = weights.reshape(groups, count, *run.window)
    rows, columns = (size - 1 for size in run.window)
    layer.options = {
        "kernel": run.window,
        "groups": groups,
        "pad": (rows, columns, rows, columns),
        "pad_value": 0,
    }
    return layer.name


def _pooled(
    state: Lowering, kind: Literal["max_pool", "sum_pool"], base: str, run: _Run, low: int, high: int
) -> str:
    """A pool over each run; ``low`` and ``high`` bound what it puts out."""
    if run.length == 1:
        return base
    channels, height, width = state.draft.shape_of(base)
    shape = (channels, height // run.window[0], width // run.window[1])
    layer = state.draft.append(kind, [base], shape, low, high)
    layer.options = {"kernel": run.window, "stride": run.window}
    return layer.name


def _sum(state: Lowering, base: str, run: _Run) -> str:
    low, high = (bound * run.length for bound in state.draft.bounds_of(base))
    if run.channels == 1:
        return _pooled(state, "sum_pool", base, run, low, high)
    channels, height, width = state.draft.shape_of(base)
    groups = channels // run.length
    layer = state.draft.append("conv", [base], (groups, height, width), low, high)
    layer.weights = np.ones((groups, run.length, 1, 1), np.int64)
    layer.options = {"kernel": (1, 1), "groups": groups}
    return layer.name


def _all_along(state: Lowering, base: str, run: _Run) -> str:
    """One number a run, for each of its elements."""
    if run.length == 1:
        return base
    groups = state.draft.shape_of(base)[0]
    if run.channels > 1 and groups > 1:
        return picked(state, base, np.repeat(np.arange(groups), run.channels))
    return append_repeat(state, base, run.window, run.channels)


def _power() -> Curve:
    return Curve(
        "e to the power",
        power_of_e,
        Fraction(1),
        lambda _: Fraction(1),
        LEAST_EXPONENT,
        Fraction(0),
        power_of_e(LEAST_EXPONENT),
        pieces=1 << 12,
    )


def _inverse(most: Fraction) -> Curve:
    """``1 / x`` of numbers from 1 to ``most``."""
    return Curve(
        "1 / sum", lambda x: 1 / x, Fraction(1), lambda x: 2 / x**3, Fraction(1), most, pieces=1 << 12
    )
