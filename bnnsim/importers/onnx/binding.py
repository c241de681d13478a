"""A tensor of the model, seen from the network that is being built: whose integers, put through what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from bnnsim.importers.exact.channel_function import ChannelFunction
from bnnsim.importers.exact.rational import fractions_of
from bnnsim.importers.onnx.graph import Array, Operator

Axis = tuple[str, int]
"""One of C, H, W and its size."""
Dimension = tuple[Axis, ...]
"""What one dimension of the tensor runs over, slowest first; axes of size 1 are left out."""


@dataclass(frozen=True)
class Border:
    """Padding that a Pad operator has put around a map: top, left, bottom, right; its real value."""

    tlbr: tuple[int, int, int, int]
    value: Fraction


@dataclass(frozen=True)
class TensorBinding:
    """A tensor: the integers of layer ``base``, mapped channel by channel through ``function``.

    ``dimensions`` says how the tensor lies (batch left out). ``is_raw`` marks the model's float
    input, whose integers are not decided yet.
    """

    base: str
    function: ChannelFunction
    dimensions: tuple[Dimension, ...]
    border: Border | None = None
    is_raw: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The tensor's shape without the batch."""
        return tuple(math.prod(size for _, size in one) for one in self.dimensions)

    @property
    def channels(self) -> int:
        return math.prod(size for one in self.dimensions for axis, size in one if axis == "C")

    def with_function(self, function: ChannelFunction) -> TensorBinding:
        return replace(self, function=function.simplest)


def map_dimensions(
    channels: int, height: int, width: int, channels_last: bool = False
) -> tuple[Dimension, ...]:
    """A map as ONNX holds it: channels, rows, columns; or with its channels last."""
    spatial = dimension("H", height), dimension("W", width)
    first = dimension("C", channels)
    return (*spatial, first) if channels_last else (first, *spatial)


def dimension(axis: str, size: int) -> Dimension:
    return ((axis, size),) if size > 1 else ()


def as_map(operator: Operator, binding: TensorBinding) -> tuple[int, int, int]:
    """(channels, height, width) of a binding that lies as the operator wants it.

    Raises :class:`InputError` where it is no map, :class:`LayoutMismatch` where its channels lie
    elsewhere.
    """
    order = "HWC" if operator.channels_last else "CHW"
    if len(binding.dimensions) != 3:
        raise operator.fault("a map with two spatial dimensions", f"shape {list(binding.shape)}")
    for axis, one in zip(order, binding.dimensions, strict=True):
        if any(label != axis for label, _ in one):
            raise LayoutMismatch(operator, binding)
    sizes = dict(zip(order, binding.shape, strict=True))
    return sizes["C"], sizes["H"], sizes["W"]


def lies_channels_last(binding: TensorBinding) -> bool:
    """Whether a map lies rows, columns, channels and not also the other way (sizes of 1)."""
    return _lies(binding, "HWC") and not _lies(binding, "CHW")


def _lies(binding: TensorBinding, order: str) -> bool:
    pairs = zip(order, binding.dimensions, strict=False)
    return len(binding.dimensions) == 3 and all(label == axis for axis, one in pairs for label, _ in one)


class LayoutMismatch(Exception):
    """A spatial operator found channels where it wants rows: the input's layout was taken wrongly."""

    def __init__(self, operator: Operator, binding: TensorBinding) -> None:
        super().__init__(operator.place)
        self.operator = operator
        self.binding = binding


def channel_values(operator: Operator, binding: TensorBinding, constant: Array) -> list[Fraction]:
    """A constant that is broadcast against ``binding``: one value, or one a channel.

    Raises :class:`InputError` where it varies within a channel or would make the tensor larger.
    """
    rank = len(binding.shape) + 1
    array = np.asarray(constant)
    while array.ndim > rank and array.shape[0] == 1:
        array = array[0]
    if array.size == 1:
        return _finite(operator, array)
    try:
        full = np.broadcast_to(array, (1, *binding.shape))[0]
    except ValueError:
        expected = f"constants that fit a tensor of shape {[1, *binding.shape]}"
        raise operator.fault(expected, list(constant.shape)) from None
    axes = [axis for one in binding.dimensions for axis, _ in one]
    sizes = [size for one in binding.dimensions for _, size in one]
    factors = full.reshape(sizes)
    if "C" in axes:
        factors = np.moveaxis(factors, axes.index("C"), 0)
    rows = factors.reshape(binding.channels, -1)
    if not np.all(np.isfinite(rows)):
        raise operator.fault("finite constants", "infinite or NaN")
    if np.any(rows != rows[:, :1]):
        raise operator.fault("constants that are equal within a channel", "some that are not")
    return _finite(operator, rows[:, 0])


def _finite(operator: Operator, values: Array) -> list[Fraction]:
    try:
        return fractions_of(values)
    except ValueError:
        raise operator.fault("finite constants", "infinite or NaN") from None


def regrouped(operator: Operator, binding: TensorBinding, shape: Sequence[int]) -> TensorBinding:
    """``binding`` with its elements in the same order under another shape (batch left out)."""
    axes = [axis for one in binding.dimensions for axis in one]
    dimensions: list[Dimension] = []
    position = 0
    for size in shape:
        taken: list[Axis] = []
        while math.prod(s for _, s in taken) < size and position < len(axes):
            taken.append(axes[position])
            position += 1
        if math.prod(s for _, s in taken) != size:
            expected = "a reshape that joins or parts whole dimensions"
            raise operator.fault(expected, f"{list(binding.shape)} to {list(shape)}")
        dimensions.append(tuple(taken))
    if position != len(axes):
        expected = f"a shape of {math.prod(binding.shape)} elements"
        raise operator.fault(expected, list(shape))
    return replace(binding, dimensions=tuple(dimensions))
