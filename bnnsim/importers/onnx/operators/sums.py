"""Layers of sums: what their integers mean, and one gain for what a sum runs over."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from bnnsim.arrays import Int64s
from bnnsim.importers.draft.draft import LayerDraft, weight_type
from bnnsim.importers.exact.channel_function import Affine, ChannelFunction
from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.joins import in_fixed_point, tabled, with_room


def weighted_layer(
    state: Lowering,
    binding: TensorBinding,
    kind: str,
    weights: npt.NDArray[np.int64],
    shape: tuple[int, int, int],
) -> LayerDraft:
    """A convolution or linear layer of ``shape`` on ``binding``, its sums bounded.

    ``weights``: ``(out, in / groups, kh, kw)`` or ``(out, in)``.
    """
    low, high = state.draft.bounds_of(binding.base)
    columns = int(np.abs(weights.reshape(len(weights), -1)).sum(axis=1).max())
    reach = columns * max(abs(low), abs(high))
    assert kind in ("conv", "linear")
    layer = state.draft.append(
        "conv" if kind == "conv" else "linear", [binding.base], shape, -reach, reach
    )
    layer.weights = np.ascontiguousarray(weights)
    return layer


def of_one_gain(
    state: Lowering,
    operator: Operator,
    binding: TensorBinding,
    parts: Sequence[Sequence[int]],
    weights: Int64s,
) -> tuple[TensorBinding, list[list[Affine]]]:
    """``binding`` with one gain for each of ``parts`` (channels that a sum runs over), and their affine
    steps: as it is, or in fixed point where its real values differ between channels, or where sums with
    ``weights`` ``(out, ...)`` would have no room."""
    binding = tabled(state, operator, binding)
    kind = weight_type(weights)
    times = weights[0].size * max(-kind.minimum, kind.maximum)
    if None in [_one_gain(binding, channels) for channels in parts]:
        binding = in_fixed_point(state, operator, binding)
    binding = with_room(state, operator, binding, times)
    found = [_one_gain(binding, channels) for channels in parts]
    return binding, [steps for steps in found if steps is not None]


def _one_gain(binding: TensorBinding, channels: Sequence[int]) -> list[Affine] | None:
    """The affine steps of the given channels, or the one that they share; None where a sum cannot carry
    one gain for them."""
    chains = [binding.function.of(c) for c in channels]
    steps = ChannelFunction(tuple(chains)).simplest.affine()
    gains = {step.gain for step in steps} if steps is not None else set()
    return None if steps is None or len(gains) != 1 or gains == {0} else list(steps)


def sum_function(
    of_channels: Int64s,
    scales: list[Fraction],
    inputs: list[list[Affine]],
    bias: list[Fraction] | None,
) -> ChannelFunction:
    """What a row's integer sum means: scale of weights and inputs, offsets, bias.

    ``of_channels``: each row's weights summed by input channel; ``inputs`` by group.
    """
    per_group = len(of_channels) // len(inputs)
    steps = []
    for row, totals in enumerate(of_channels.tolist()):
        given = inputs[row // per_group]
        step = given[0]
        scale = scales[row if len(scales) > 1 else 0]
        if len(given) == 1:
            offset = scale * step.offset * sum(totals)
        else:
            pairs = zip(given, totals, strict=True)
            offset = scale * sum((one.offset * total for one, total in pairs), Fraction(0))
        if bias is not None:
            offset += bias[row if len(bias) > 1 else 0]
        steps.append(Affine(scale * step.gain, offset))
    return ChannelFunction().then(steps).simplest
