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
from bnnsim.spec.faults import InputError

Axis = tuple[str, int]
"""One of C, H, W and its size; a part of one has its step behind the letter: C4 goes in steps of 4."""
Dimension = tuple[Axis, ...]
"""What one dimension of the tensor runs over, slowest first; axes of size 1 are left out."""


@dataclass(frozen=True)
class Border:
    """Padding that a Pad operator has put around a map: top, left, bottom, right; its real value.

    Where constants were joined to a map, ``around`` ``(channels, rows, columns)`` holds them, 0 inside.
    """

    tlbr: tuple[int, int, int, int]
    value: Fraction
    around: Array | None = None


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
        return self.extent("C")

    def extent(self, kind: str) -> int:
        """Channels, rows or columns of the base."""
        return math.prod(size for one in self.dimensions for axis, size in one if axis[0] == kind)

    def places(self, kind: str) -> Array:
        """Which channel (row, column) of the base each element is of, in the tensor's shape."""
        axes = [axis for one in self.dimensions for axis in one]
        found = np.zeros([size for _, size in axes], np.int64)
        for i, (label, size) in enumerate(axes):
            if label[0] == kind:
                along = np.arange(size) * _step_of(label)
                found += along.reshape([-1 if j == i else 1 for j in range(len(axes))])
        return found.reshape(self.shape)

    @property
    def channel_order(self) -> Array:
        """The base's channel of each of a map's, whose channels lie in one dimension."""
        inside = [one for one in self.dimensions if one and one[0][0][0] == "C"]
        return replace(self, dimensions=tuple(inside)).places("C").reshape(-1)

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


def part_of(axis: str, size: int, step: int) -> Dimension:
    """``size`` places along ``axis``, ``step`` of its elements apart."""
    return ((axis if step == 1 else f"{axis}{step}", size),) if size > 1 else ()


def as_map(operator: Operator, binding: TensorBinding) -> tuple[int, int, int]:
    """(channels, height, width) of a binding that lies as the operator wants it.

    Raises :class:`InputError` where it is no map, :class:`LayoutMismatch` where its channels lie
    elsewhere.
    """
    order = "HWC" if operator.channels_last else "CHW"
    if len(binding.dimensions) != 3:
        raise operator.fault("a map with two spatial dimensions", f"shape {list(binding.shape)}")
    for axis, one in zip(order, binding.dimensions, strict=True):
        is_part = axis != "C" and len(one) > 1
        if is_part or any(label != axis and (axis != "C" or label[0] != "C") for label, _ in one):
            raise LayoutMismatch(operator, binding)
    sizes = dict(zip(order, binding.shape, strict=True))
    return sizes["C"], sizes["H"], sizes["W"]


def is_ordered(binding: TensorBinding) -> bool:
    """Whether a map's channels lie as those of its base do."""
    return all(label in ("C", "H", "W") for one in binding.dimensions for label, _ in one)


def lies_channels_last(binding: TensorBinding) -> bool:
    """Whether a map lies rows, columns, channels and not also the other way (sizes of 1)."""
    return _lies(binding, "HWC") and not _lies(binding, "CHW")


def _lies(binding: TensorBinding, order: str) -> bool:
    pairs = zip(order, binding.dimensions, strict=False)
    return len(binding.dimensions) == 3 and all(
        label[0] == axis for axis, one in pairs for label, _ in one
    )


class LayoutMismatch(Exception):
    """A spatial operator found channels where it wants rows: the input's layout was taken wrongly."""

    def __init__(self, operator: Operator, binding: TensorBinding) -> None:
        super().__init__(operator.place)
        self.operator = operator
        self.binding = binding


class VaryingConstants(InputError):
    """A constant that differs from element to element of a channel."""


def channel_values(operator: Operator, binding: TensorBinding, constant: Array) -> list[Fraction]:
    """A constant that is broadcast against ``binding``: one value, or one a channel.

    Raises :class:`VaryingConstants` where it varies within a channel, :class:`InputError` where it would
    make the tensor larger.
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
    by_channel = np.argsort(binding.places("C").reshape(-1), kind="stable")
    rows = full.reshape(-1)[by_channel].reshape(binding.channels, -1)
    if not np.all(np.isfinite(rows)):
        raise operator.fault("finite constants", "infinite or NaN")
    if np.any(rows != rows[:, :1]):
        expected = "constants that are equal within a channel"
        place = f"{operator.place} ({operator.kind})"
        raise VaryingConstants(place, expected, "some that are not")
    return _finite(operator, rows[:, 0])


def _finite(operator: Operator, values: Array) -> list[Fraction]:
    try:
        return fractions_of(values)
    except ValueError:
        raise operator.fault("finite constants", "infinite or NaN") from None


def regrouped(operator: Operator, binding: TensorBinding, shape: Sequence[int]) -> TensorBinding:
    """``binding`` with its elements in the same order under another shape (batch left out)."""
    axes = [axis for one in binding.dimensions for axis in one][::-1]
    dimensions: list[Dimension] = []
    for size in shape:
        taken: list[Axis] = []
        missing = size
        while missing > 1 and axes:
            label, length = axes.pop()
            if missing % length and length % missing:
                expected = "a reshape that joins or parts dimensions"
                raise operator.fault(expected, f"{list(binding.shape)} to {list(shape)}")
            if length > missing:  # the inner part goes to the next dimension
                step, inner = _step_of(label), length // missing
                axes.append((label, inner))
                label, length = f"{label[0]}{step * inner}", missing
            taken.append((label, length))
            missing //= length
        dimensions.append(_merged(taken))
    if axes or math.prod(shape) != math.prod(binding.shape):
        expected = f"a shape of {math.prod(binding.shape)} elements"
        raise operator.fault(expected, list(shape))
    return replace(binding, dimensions=tuple(dimensions))


def as_channels(binding: TensorBinding, sizes: tuple[int, int, int]) -> tuple[Dimension, ...]:
    """The dimensions where every element of the base, ``(channels, rows, columns)``, is a channel."""
    steps = {"C": sizes[1] * sizes[2], "H": sizes[2], "W": 1}
    found = []
    for one in binding.dimensions:
        axes = [(_step_of(label) * steps[label[0]], size) for label, size in one]
        found.append(_merged([("C" if step == 1 else f"C{step}", size) for step, size in axes]))
    return tuple(found)


def within_channels(axes: Dimension, times: int) -> Dimension:
    """The same axes where each channel has become ``times`` channels."""
    return tuple(
        (f"C{_step_of(label) * times}" if label[0] == "C" and times > 1 else label, size)
        for label, size in axes
    )


def _merged(axes: Sequence[Axis]) -> Dimension:
    """Neighbours that are parts of one axis become one again."""
    found: list[Axis] = []
    for label, size in axes:
        step = _step_of(label)
        if found and found[-1][0][0] == label[0] and _step_of(found[-1][0]) == step * size:
            size *= found.pop()[1]
        found.append((label[0] if step == 1 else f"{label[0]}{step}", size))
    return tuple(found)


def _step_of(label: str) -> int:
    """In what steps an axis, or a part of one, goes along its dimension of the base."""
    return int(label[1:] or 1)
