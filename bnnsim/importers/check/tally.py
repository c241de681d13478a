"""What a check counts of each layer, and the sentence that says it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bnnsim.importers.onnx.binding import TensorBinding
from bnnsim.importers.onnx.graph import Array


@dataclass(frozen=True)
class LayerCheck:
    """One layer against the model's tensor of the same numbers.

    ``differing`` of ``elements`` were further off than ``allowed`` steps of the layer's integers (0
    but where the layer is in fixed point), the worst by ``worst``; ``first`` is (input, channel,
    row, column, expected, got) of the first of them.
    """

    layer: str
    tensor: str
    elements: int
    allowed: int
    differing: int
    worst: int
    first: tuple[int, int, int, int, int, int] | None


@dataclass(frozen=True)
class CheckReport:
    """A model and a workload on ``inputs`` inputs; ``layers`` in the network's order."""

    model: str
    workload: str
    inputs: int
    layers: tuple[LayerCheck, ...]
    equal_predictions: int

    @property
    def first_difference(self) -> LayerCheck | None:
        """The first layer that differs, None where all are equal."""
        return next((layer for layer in self.layers if layer.differing), None)

    @property
    def is_equal(self) -> bool:
        return self.first_difference is None

    def __str__(self) -> str:
        head = f"{self.workload} against {self.model}: {self.inputs} inputs, "
        found = self.first_difference
        same = f"{self.equal_predictions} of {self.inputs} predictions equal"
        if found is None or found.first is None:
            return head + f"all {len(self.layers)} layers equal, {same}"
        frame, channel, row, column, expected, got = found.first
        return (
            head + f"first difference in layer {found.layer} (tensor {found.tensor}): "
            f"{found.differing} of {found.elements} elements, first in input {frame}, channel "
            f"{channel}, row {row}, column {column}: expected {expected}, got {got}; {same}"
        )


class Tally:
    """Counts a layer's differences over all chunks; ``allowed`` as in :class:`LayerCheck`."""

    def __init__(self, layer: str, tensor: str, binding: TensorBinding, allowed: int) -> None:
        self.layer, self.tensor, self.allowed = layer, tensor, allowed
        self._bound, self._is_rounded = allowed, allowed > 0
        steps = binding.function.affine()
        assert steps is not None
        self._gain = np.array([float(step.gain) for step in steps]).reshape(-1, 1, 1)
        self._offset = np.array([float(step.offset) for step in steps]).reshape(-1, 1, 1)
        self._axes = [axis for one in binding.dimensions for axis, _ in one]
        self._sizes = [size for one in binding.dimensions for _, size in one]
        self._elements = self._differing = self._worst = 0
        self._first: tuple[int, int, int, int, int, int] | None = None

    def add(self, values: Array, tensor: Array, start: int) -> None:
        """Compare a chunk whose first input is number ``start``.

        ``values``: the workload's integers ``(inputs, channels, rows, columns)``; ``tensor``: the
        model's reals, as they lie there.
        """
        real = tensor.astype(np.float64).reshape(len(values), *self._sizes)
        order = [self._axes.index(axis) + 1 for axis in "CHW" if axis in self._axes]
        real = real.transpose(0, *order).reshape(values.shape)
        expected = np.rint((real - self._offset) / self._gain).astype(np.int64)
        off = np.abs(expected - values)
        if self._is_rounded:
            # The model itself rounds, in float32: a few steps of its last bit at the largest value.
            noise = math.ceil(float(np.abs(expected).max(initial=0)) * 2.0**-20)
            self.allowed = max(self.allowed, self._bound + noise)
        self._elements += off.size
        self._differing += int(np.count_nonzero(off > self.allowed))
        self._worst = max(self._worst, int(off.max(initial=0)))
        if self._first is None and np.any(off > self.allowed):
            where = tuple(int(i) for i in np.argwhere(off > self.allowed)[0])
            frame, channel, row, column = where
            self._first = (
                *(start + frame, channel, row, column),
                *(int(expected[where]), int(values[where])),
            )

    def result(self) -> LayerCheck:
        """The counts so far."""
        return LayerCheck(
            self.layer,
            self.tensor,
            self._elements,
            self.allowed,
            self._differing,
            self._worst,
            self._first,
        )
