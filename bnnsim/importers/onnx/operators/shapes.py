"""Operators that only move elements: reshapes, transposes, padding, and what asks for a shape."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np

from bnnsim.importers.exact.rational import fractions_of
from bnnsim.importers.onnx.binding import (
    Border,
    LayoutMismatch,
    TensorBinding,
    dimension,
    regrouped,
)
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.maps.repeats import append_repeat
from bnnsim.importers.onnx.operators.orders import with_channels_around
from bnnsim.importers.onnx.operators.quantise import quantised


def shape(state: Lowering, operator: Operator) -> TensorBinding:
    """A tensor's shape (the batch as 1) becomes a constant."""
    binding = state.binding(operator)
    full = np.array([1, *binding.shape], np.int64)
    start = int(operator.attributes.get("start", 0))
    end = int(operator.attributes.get("end", len(full)))
    state.graph.constants[operator.output] = full[start:end]
    return binding


def reshape(state: Lowering, operator: Operator) -> TensorBinding:
    binding = state.binding(operator)
    wanted = [int(v) for v in state.constant(operator, 1, "shape").reshape(-1)]
    is_batch = wanted[:1] == [state.graph.batch]  # exported for a fixed batch: each frame of it is one
    if is_batch or _holds_a_batch(state, binding, wanted):
        wanted[0] = 1
    full = [1, *binding.shape]
    copies = not operator.attributes.get("allowzero", 0)
    sizes = [full[i] if v == 0 and copies and i < len(full) else v for i, v in enumerate(wanted)]
    elements = math.prod(full)
    if sizes.count(-1) == 1:
        known = math.prod(v for v in sizes if v != -1)
        if known > 0 and elements % known == 0:
            sizes[sizes.index(-1)] = elements // known
    return _to_shape(operator, binding, sizes)


def _holds_a_batch(state: Lowering, binding: TensorBinding, wanted: list[int]) -> bool:
    """Whether an export with an open batch has written the batch it ran on into a shape."""
    is_open = state.graph.shapes.get(state.graph.input, (1,))[0] == 0
    given = (*binding.shape, *[0] * len(wanted))
    others = [size or given[i] for i, size in enumerate(wanted[1:])]
    if not is_open or not wanted or wanted[0] < 2 or others.count(-1) > 1:
        return False
    known, elements = math.prod(one for one in others if one != -1), math.prod(binding.shape)
    return known > 0 and (elements % known == 0 if -1 in others else known == elements)


def _to_shape(operator: Operator, binding: TensorBinding, sizes: list[int]) -> TensorBinding:
    if math.prod(sizes) != math.prod(binding.shape) or min(sizes, default=1) < 1:
        expected = f"a shape of {math.prod(binding.shape)} elements"
        raise operator.fault(expected, sizes)
    if not sizes or sizes[0] != 1:
        raise operator.fault("a reshape that leaves the batch alone", sizes)
    return regrouped(operator, binding, sizes[1:])


def flatten(state: Lowering, operator: Operator) -> TensorBinding:
    binding = state.binding(operator)
    rank = len(binding.shape) + 1
    axis = int(operator.attributes.get("axis", 1))
    if axis not in (1, 1 - rank):
        raise operator.fault("axis 1", axis)
    return regrouped(operator, binding, [math.prod(binding.shape)])


def squeeze(state: Lowering, operator: Operator) -> TensorBinding:
    binding = state.binding(operator)
    full = [1, *binding.shape]
    axes = _axes(state, operator)
    if axes is None:
        raise operator.fault("the axes to remove", "none")
    places = {axis % len(full) for axis in axes}
    if any(full[place] != 1 for place in places):
        raise operator.fault("dimensions of size 1", f"axes {sorted(places)} of {full}")
    kept = [size for i, size in enumerate(full) if i not in places]
    return _to_shape(operator, binding, kept)


def unsqueeze(state: Lowering, operator: Operator) -> TensorBinding:
    binding = state.binding(operator)
    axes = _axes(state, operator)
    if axes is None:
        raise operator.fault("the axes to add", "none")
    sizes = [1, *binding.shape]
    rank = len(sizes) + len(axes)
    for place in sorted(axis % rank for axis in axes):
        sizes.insert(place, 1)
    return _to_shape(operator, binding, sizes)


def _axes(state: Lowering, operator: Operator) -> list[int] | None:
    if "axes" in operator.attributes:
        return [int(a) for a in operator.attributes["axes"]]
    given = state.optional(operator, 1, "axes")
    return None if given is None else [int(a) for a in given.reshape(-1)]


def transpose(state: Lowering, operator: Operator) -> TensorBinding:
    binding = state.binding(operator)
    rank = len(binding.shape) + 1
    order = [int(p) for p in operator.attributes.get("perm", range(rank)[::-1])]
    if sorted(order) != list(range(rank)) or order[0] != 0:
        raise operator.fault("a permutation that leaves the batch in front", order)
    return replace(binding, dimensions=tuple(binding.dimensions[p - 1] for p in order[1:]))


def pad(state: Lowering, operator: Operator) -> TensorBinding:
    """A border of one value, which the convolution that reads it takes over; or of a map's own edges."""
    binding = state.binding(operator)
    value = operator.real("value", 0.0)
    if operator.has(2):
        value = fractions_of(state.constant(operator, 2, "value"))[0]
    rank = len(binding.shape) + 1
    if "pads" in operator.attributes:
        pads = [int(p) for p in operator.attributes["pads"]]
    else:
        pads = [int(p) for p in state.constant(operator, 1, "pads").reshape(-1)]
    if operator.has(3):
        axes = [int(a) % rank for a in state.constant(operator, 3, "axes").reshape(-1)]
        full = [0] * (2 * rank)
        for index, axis in enumerate(axes):
            full[axis], full[rank + axis] = pads[index], pads[len(axes) + index]
        pads = full
    if not any(pads):
        return binding
    if rank == 3 and len(pads) == 6 and not (pads[0] or pads[1] or pads[3] or pads[4]):
        is_rows = any(label[0] == "H" for label, _ in binding.dimensions[1])  # steps of one dimension
        sides = (pads[2], 0, pads[5], 0) if is_rows else (0, pads[2], 0, pads[5])
        places = {"H" if is_rows else "W": 1}
        return _bordered(state, operator, binding, sides, value, places)
    if rank != 4 or len(pads) != 8 or min(pads) < 0:
        raise operator.fault("one border around a map", f"pads {pads} of {rank} dimensions")
    labels = [{label for label, _ in one} for one in binding.dimensions]
    channel = next((i for i, one in enumerate(labels) if "C" in one), None)
    if channel is None:  # a single channel: its dimension has no label
        channel = 2 if pads[1] or pads[5] else 0
    rows = [i for i in range(3) if i != channel]
    if pads[channel + 1] or pads[channel + 5]:
        if sum(pads) == pads[channel + 1] + pads[channel + 5]:
            return with_channels_around(
                state, operator, binding, pads[channel + 1], pads[channel + 5], value
            )
        raise LayoutMismatch(operator, binding)
    if pads[0] or pads[4]:
        raise operator.fault("a border around rows and columns", f"pads {pads}")
    tlbr = (pads[rows[0] + 1], pads[rows[1] + 1], pads[rows[0] + 5], pads[rows[1] + 5])
    return _bordered(state, operator, binding, tlbr, value, dict(zip("HW", rows, strict=True)))


def _bordered(
    state: Lowering,
    operator: Operator,
    binding: TensorBinding,
    tlbr: tuple[int, int, int, int],
    value: Fraction,
    places: dict[str, int],
) -> TensorBinding:
    """A border of ``value`` around a map, or of its edge pixels; ``places``: dimensions of H and W."""
    if operator.attributes.get("mode", "constant") == "constant":
        return replace(binding, border=Border(tlbr, value))
    binding = quantised(state, operator, binding)
    dimensions = list(binding.dimensions)
    for kind, place in places.items():
        if dimensions[place] not in ((), dimension(kind, binding.extent(kind))):
            raise operator.fault("a border around rows and columns", f"shape {[1, *binding.shape]}")
        more = sum(tlbr["HW".index(kind) :: 2])
        dimensions[place] = dimension(kind, binding.extent(kind) + more)
    base = append_repeat(state, binding.base, border=tlbr)
    return replace(binding, base=base, dimensions=tuple(dimensions))
