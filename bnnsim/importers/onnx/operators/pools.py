"""Pools, and the averages that become sums."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bnnsim.importers.exact.channel_function import Affine, ChannelFunction, direction
from bnnsim.importers.onnx.binding import (
    TensorBinding,
    as_map,
    lies_channels_last,
    map_dimensions,
)
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.joins import in_fixed_point
from bnnsim.importers.onnx.operators.monotone import make_monotone
from bnnsim.importers.onnx.operators.quantise import negated, quantised
from bnnsim.importers.onnx.operators.windows import Pads, pair, window_border


def max_pool(state: Lowering, operator: Operator) -> TensorBinding:
    """The maximum of any windows; falling channels are negated before. The border never counts."""
    binding = quantised(state, operator, state.binding(operator))
    channels, height, width = as_map(operator, binding)
    windows = _windows(operator, height, width)
    base, function = make_monotone(state, operator, binding.base, binding.function)
    turns = [direction(chain) for chain in function.chains]
    if -1 in turns:
        base, function = negated(state, base, function, [turn < 0 for turn in turns])
    low, high = state.draft.bounds_of(base)
    shape = (channels, *windows.sizes)
    layer = state.draft.append("max_pool", [base], shape, low, high)
    layer.options = windows.options
    return _mapped(operator, replace(binding, base=layer.name, function=function.simplest), shape)


def average_pool(state: Lowering, operator: Operator) -> TensorBinding:
    """The average as the sum of its window."""
    binding = quantised(state, operator, state.binding(operator))
    if binding.function.affine() is None:
        binding = in_fixed_point(state, operator, binding)
    if operator.kind == "ReduceMean":
        operator = replace(operator, channels_last=lies_channels_last(binding))
    _, height, width = as_map(operator, binding)
    axes: set[int] = set()
    if operator.kind == "AveragePool":
        windows = _windows(operator, height, width)
        _check_border(operator, binding, windows)
    else:
        axes = _mean_axes(state, operator)
        windows = _Windows((height, width), (1, 1), (0, 0, 0, 0), (1, 1), False)
    result = _window_sum(state, operator, binding, windows)
    if operator.kind == "ReduceMean" and not operator.attributes.get("keepdims", 1):
        kept = tuple(d for i, d in enumerate(result.dimensions) if i + 1 not in axes)
        return replace(result, dimensions=kept)
    return result


def _mean_axes(state: Lowering, operator: Operator) -> set[int]:
    """The axes (batch first) of a ReduceMean, which must be rows and columns."""
    if operator.kind != "ReduceMean":
        return set()
    given = operator.attributes.get("axes")
    if given is None:
        given = state.constant(operator, 1, "axes").tolist()
    binding = state.binding(operator)
    rank = len(binding.shape) + 1
    labels = {label for axis in given if axis % rank for label, _ in binding.dimensions[axis % rank - 1]}
    spatial = {label for one in binding.dimensions for label, _ in one} - {"C"}
    if labels != spatial or any(axis % rank == 0 for axis in given):
        raise operator.fault("a mean over rows and columns", f"axes {list(given)}")
    return {axis % rank for axis in given}


def _window_sum(
    state: Lowering, operator: Operator, binding: TensorBinding, windows: _Windows
) -> TensorBinding:
    area = windows.kernel[0] * windows.kernel[1]
    low, high = state.draft.bounds_of(binding.base)
    if any(windows.pads):
        low, high = min(low, 0), max(high, 0)
    shape = (binding.channels, *windows.sizes)
    layer = state.draft.append("sum_pool", [binding.base], shape, area * low, area * high)
    layer.options = windows.options
    affine = binding.function.affine()
    assert affine is not None
    steps = [Affine(step.gain / area, step.offset) for step in affine]
    function = ChannelFunction().then(steps)
    return _mapped(operator, replace(binding, base=layer.name, function=function), shape)


def _check_border(operator: Operator, binding: TensorBinding, windows: _Windows) -> None:
    """A border that counts holds zeros, in the model and in its integers; one that does not count makes
    windows of several sizes, which one sum does not average."""
    if not any(windows.pads):
        return
    counted = bool(operator.attributes.get("count_include_pad", 0)) and not windows.reaches_over
    if not counted:
        expected = "an average over whole windows, or with count_include_pad 1 and ceil_mode 0"
        raise operator.fault(expected, f"pads {list(windows.pads)}")
    affine = binding.function.affine()
    if affine is None or any(step.offset for step in affine):
        expected = "an average of numbers without an offset where its border counts"
        raise operator.fault(expected, "an offset in front of it")


def _mapped(operator: Operator, binding: TensorBinding, shape: tuple[int, int, int]) -> TensorBinding:
    return replace(binding, dimensions=map_dimensions(*shape, operator.channels_last))


@dataclass(frozen=True)
class _Windows:
    """Windows of a pool; ``pads`` (top, left, bottom, right) with what ceil_mode adds.

    ``reaches_over``: whether it adds something.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    pads: Pads
    sizes: tuple[int, int]
    reaches_over: bool

    @property
    def options(self) -> dict[str, Any]:
        border = {"pad": self.pads} if any(self.pads) else {}
        return {"kernel": self.kernel, "stride": self.stride, **border}


def _windows(operator: Operator, height: int, width: int) -> _Windows:
    if operator.kind == "GlobalMaxPool":
        return _Windows((height, width), (1, 1), (0, 0, 0, 0), (1, 1), False)
    kernel = pair(operator, "kernel_shape")
    stride = pair(operator, "strides")
    given = window_border(operator, (height, width), kernel, stride)
    if pair(operator, "dilations") != (1, 1):
        raise operator.fault("a pool without dilation", list(pair(operator, "dilations")))
    pads = list(given)
    sizes = []
    for axis, extent in enumerate((height, width)):
        before, after = given[axis], given[axis + 2]
        free = extent + before + after - kernel[axis]
        if max(before, after) >= kernel[axis]:
            raise operator.fault(f"pads narrower than the window {list(kernel)}", list(given))
        if free < 0:
            raise operator.fault("a window within its input", f"{list(kernel)} on {height} x {width}")
        steps = free // stride[axis]
        further = (steps + 1) * stride[axis]
        # no window begins behind the map
        if operator.attributes.get("ceil_mode", 0) and free % stride[axis] and further < extent + before:
            steps += 1
            pads[axis + 2] += further - free
        sizes.append(steps + 1)
    border = (pads[0], pads[1], pads[2], pads[3])
    return _Windows(kernel, stride, border, (sizes[0], sizes[1]), border != given)
