"""Larger maps: Resize to the nearest pixel or linearly, Upsample, transposed convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from bnnsim.arrays import Int64s
from bnnsim.importers.exact.channel_function import Affine
from bnnsim.importers.onnx.binding import TensorBinding, as_map, lies_channels_last, map_dimensions
from bnnsim.importers.onnx.graph import Array, Grid, Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.joins import in_fixed_point
from bnnsim.importers.onnx.operators.layers import conv
from bnnsim.importers.onnx.operators.maps.repeats import append_repeat
from bnnsim.importers.onnx.operators.orders import in_order
from bnnsim.importers.onnx.operators.quantise import quantised
from bnnsim.importers.onnx.operators.windows import pair
from bnnsim.spec.bounds import MAX_ELEMENTS, MAX_SIDE

_HALVES = ("half_pixel", "pytorch_half_pixel")


def resize(state: Lowering, operator: Operator) -> TensorBinding:
    """A map enlarged by whole numbers along rows and columns.

    To the nearest pixel each is repeated; linearly the repeated map is averaged: windows as long as the
    factor (one more where pixels' centres lie between), over edges that go on.
    """
    binding = quantised(state, operator, state.binding(operator))
    operator = replace(operator, channels_last=lies_channels_last(binding))
    binding = in_order(state, operator, binding)
    channels, *extents = as_map(operator, binding)
    factors = _factors(state, operator, (channels, extents[0], extents[1]))
    mode = str(operator.attributes.get("mode", "nearest"))
    if mode == "nearest":
        edges = [_nearest(operator, n, k) for n, k in zip(extents, factors, strict=True)]
        border = (edges[0][0], edges[1][0], edges[0][1], edges[1][1])
        base = append_repeat(state, binding.base, factors, border=border)
        return _mapped(state, operator, replace(binding, base=base))
    if mode not in ("linear", "bilinear"):
        raise operator.fault("mode nearest or linear", mode)
    return _linear(state, operator, binding, factors)


def _mapped(state: Lowering, operator: Operator, binding: TensorBinding) -> TensorBinding:
    shape = state.draft.shape_of(binding.base)
    return replace(binding, dimensions=map_dimensions(*shape, operator.channels_last))


def _factors(state: Lowering, operator: Operator, shape: tuple[int, int, int]) -> tuple[int, int]:
    """How many times larger rows and columns become: whole numbers."""
    given = (1, *shape[1:], shape[0]) if operator.channels_last else (1, *shape)
    place = 1 if operator.kind == "Upsample" or len(operator.inputs) == 2 else 2
    scales = state.optional(operator, place, "scales")
    sizes = state.optional(operator, 3, "sizes")
    if scales is None and "scales" in operator.attributes:  # Upsample before version 9
        scales = np.array(operator.attributes["scales"], np.float32)
    if scales is not None and scales.size:
        found = [Fraction(float(one)) for one in scales.reshape(-1)]
    elif sizes is not None:
        found = [Fraction(int(n), size) for n, size in zip(sizes.reshape(-1), given, strict=True)]
    else:
        raise operator.fault("scales or sizes", "neither")
    rows, columns = (1, 2) if operator.channels_last else (2, 3)
    others = [one for i, one in enumerate(found) if i not in (rows, columns)]
    if len(found) != 4 or any(one != 1 for one in others):
        raise operator.fault("rows and columns made larger", [float(one) for one in found])
    wanted = found[rows], found[columns]
    if any(one.denominator != 1 or one < 1 for one in wanted):
        raise operator.fault("whole numbers as factors", [float(one) for one in wanted])
    factors = int(wanted[0]), int(wanted[1])
    larger = [n * factor for n, factor in zip(shape[1:], factors, strict=True)]
    if max(larger) > MAX_SIDE or shape[0] * math.prod(larger) > MAX_ELEMENTS:
        expected = f"at most {MAX_SIDE} rows and columns, {MAX_ELEMENTS} elements"
        raise operator.fault(expected, f"{larger[0]} x {larger[1]} of {shape[0]} channels")
    return factors


def _nearest(operator: Operator, extent: int, factor: int) -> tuple[int, int]:
    """How many more (or, where negative, fewer) copies the first and the last pixel have; the others
    have ``factor``."""
    mode = str(operator.attributes.get("coordinate_transformation_mode", "half_pixel"))
    nearest = str(operator.attributes.get("nearest_mode", "round_prefer_floor"))
    if _is_early(operator):
        mode, nearest = "asymmetric", "floor"
    place, parts = _places(operator, mode, extent, factor)
    if nearest == "floor":
        source = place // parts
    elif nearest == "ceil":
        source = -(-place // parts)
    elif nearest == "round_prefer_floor":
        source = -((parts - 2 * place) // (2 * parts))
    elif nearest == "round_prefer_ceil":
        source = (2 * place + parts) // (2 * parts)
    else:
        raise operator.fault("a nearest_mode of ONNX", nearest)
    counts = np.bincount(source.clip(0, extent - 1), minlength=extent)
    edges = int(counts[0]) - factor, int(counts[-1]) - factor
    if extent == 1:
        edges = 0, 0
    if np.any(counts[1:-1] != factor) or min(edges) < 0:
        raise operator.fault(f"each pixel {factor} times", f"{counts.tolist()} times ({mode}, {nearest})")
    return edges


def _is_early(operator: Operator) -> bool:
    """Whether it has no coordinates of its own: Upsample, and Resize of version 10 (two inputs)."""
    return operator.kind == "Upsample" or len(operator.inputs) == 2


def _places(operator: Operator, mode: str, extent: int, factor: int) -> tuple[Int64s, int]:
    """Where the pixels of the larger map lie in the smaller (ONNX's Resize), as numerators over a whole
    number."""
    pixel = np.arange(extent * factor, dtype=np.int64)
    if mode in _HALVES:
        if mode == "pytorch_half_pixel" and len(pixel) == 1:
            return pixel, 1
        return 2 * pixel + 1 - factor, 2 * factor
    if mode == "asymmetric":
        return pixel, factor
    if mode == "align_corners":
        return pixel * (extent - 1), max(1, len(pixel) - 1)
    raise operator.fault(f"coordinates {', '.join(_HALVES)}, asymmetric or align_corners", mode)


def _linear(
    state: Lowering, operator: Operator, binding: TensorBinding, factors: tuple[int, int]
) -> TensorBinding:
    mode = str(operator.attributes.get("coordinate_transformation_mode", "half_pixel"))
    if _is_early(operator):
        mode = "asymmetric"
    if mode not in (*_HALVES, "asymmetric"):
        raise operator.fault(f"linear with {', '.join(_HALVES)} or asymmetric coordinates", mode)
    if binding.function.affine() is None:
        binding = in_fixed_point(state, operator, binding)
    kernels, before, after = [], [], []
    for factor in factors:
        kernel = np.ones(factor, np.int64)
        if mode in _HALVES and factor % 2 == 0:
            kernel = np.convolve(kernel, [1, 1])
        kernels.append(kernel)
        before.append((len(kernel) - 1) // 2 if mode in _HALVES else 0)
        after.append(len(kernel) - 1 - before[-1])
    border = (before[0], before[1], after[0], after[1])
    base = append_repeat(state, binding.base, factors, border=border)
    large = _mapped(state, operator, replace(binding, base=base))
    window = np.outer(*kernels)
    name, given = f"{operator.output} window", f"{operator.output} repeated"
    channels = large.channels
    weights = np.broadcast_to(window, (channels, 1, *window.shape)).astype(np.float32)
    state.graph.constants[name] = np.moveaxis(weights, 1, -1) if operator.channels_last else weights
    state.bindings[given] = large
    step = replace(operator, kind="Conv", inputs=(given, name), attributes={"group": channels})
    found = conv(state, step)
    return found.with_function(found.function.then([Affine(Fraction(1, int(window.sum())))]))


def transposed_conv(state: Lowering, operator: Operator) -> TensorBinding:
    """A convolution of the map with zeros between its pixels, by the kernel turned round."""
    binding = quantised(state, operator, state.binding(operator))
    steps = binding.function.affine()
    if steps is None or any(step.offset for step in steps):
        binding = in_fixed_point(state, operator, binding, keeps_offsets=False)
    binding = in_order(state, operator, binding)
    channels, height, width = as_map(operator, binding)
    name = operator.inputs[1]
    weights = state.constant(operator, 1, "weights")
    groups = int(operator.attributes.get("group", 1))
    if weights.ndim != 4 or weights.shape[0] != channels or channels % groups:
        raise operator.fault(f"weights of {channels} channels, rows and columns", list(weights.shape))
    kernel = weights.shape[2:]
    stride, dilation = pair(operator, "strides"), pair(operator, "dilations")
    pads = _border(operator, (height, width), kernel, stride, dilation)
    base = binding.base
    if stride != (1, 1):
        base = append_repeat(state, base, stride, zeros=True)
    given, turned = f"{operator.output} spread", f"{name} turned"
    state.bindings[given] = _mapped(state, operator, replace(binding, base=base))
    state.graph.constants[turned] = _turned(weights, groups)
    grid = state.graph.grids.get(name)
    if grid is not None:
        parts = (np.broadcast_to(one, weights.shape) for one in (grid.integers, grid.scale, grid.zero))
        state.graph.grids[turned] = Grid(*(_turned(one, groups) for one in parts))
    inputs = (given, turned, *operator.inputs[2:])
    attributes = {"group": groups, "dilations": dilation, "pads": pads, "kernel_shape": kernel}
    found = conv(state, replace(operator, kind="Conv", inputs=inputs, attributes=attributes))
    rounded = state.rounded.pop(turned, None)
    if rounded is not None:
        if groups > 1:
            raise operator.fault("binary or few-bit weights in groups", "real ones")
        state.rounded[name] = replace(rounded, row_axis=1)
    return found


def depth_to_space(state: Lowering, operator: Operator) -> TensorBinding:
    """Blocks of channels as blocks of pixels: a transposed convolution that picks one channel a pixel."""
    block = int(operator.attributes.get("blocksize", 0))
    binding = state.binding(operator)
    channels = binding.shape[0] if binding.shape else 0
    if len(binding.shape) != 3 or block < 1 or channels % (block * block):
        got = f"blocksize {block} on {[1, *binding.shape]}"
        raise operator.fault("a map whose channels are whole blocks", got)
    out = channels // (block * block)
    is_deep = str(operator.attributes.get("mode", "DCR")) == "DCR"
    weights = np.zeros((channels, out, block, block), np.float32)
    for c, row, column in np.ndindex(out, block, block):
        place = row * block + column
        weights[place * out + c if is_deep else c * block * block + place, c, row, column] = 1
    name = f"{operator.output} picks"
    state.graph.constants[name] = weights
    attributes = {"strides": (block, block)}
    inputs = (operator.inputs[0], name)
    step = replace(operator, kind="ConvTranspose", inputs=inputs, attributes=attributes)
    return transposed_conv(state, step)


def _turned(weights: Array, groups: int) -> Array:
    """``(in, out / groups, kh, kw)`` as a convolution has them, rows and columns backwards."""
    parts = [np.moveaxis(part, 0, 1) for part in np.split(weights, groups)]
    return np.ascontiguousarray(np.concatenate(parts)[:, :, ::-1, ::-1])


def _border(
    operator: Operator,
    extents: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    """The border of the convolution: what of a kernel's reach ``pads`` does not take away."""
    reach = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
    cut = [int(one) for one in operator.attributes.get("pads", (0, 0, 0, 0))]
    more = [int(one) for one in operator.attributes.get("output_padding", (0, 0))]
    found = [reach[side % 2] - cut[side] + (more[side - 2] if side > 1 else 0) for side in range(4)]
    if min(found) < 0:
        raise operator.fault(f"pads of at most {[*reach, *reach]}", cut)
    return found
