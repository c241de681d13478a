"""Pools, and the averages that become sums."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bnnsim.importers.exact.channel_function import Affine, ChannelFunction, Clip, direction
from bnnsim.importers.onnx.binding import (
    TensorBinding,
    as_map,
    lies_channels_last,
    map_dimensions,
)
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.joins import in_fixed_point, with_room
from bnnsim.importers.onnx.operators.monotone import make_monotone, negated
from bnnsim.importers.onnx.operators.orders import in_order
from bnnsim.importers.onnx.operators.quantise import quantised
from bnnsim.importers.onnx.operators.windows import Pads, narrowed, pair, widened, window_border


def max_pool(state: Lowering, operator: Operator) -> TensorBinding:
    """The maximum of windows, over a border that never counts; falling channels are negated before.

    GlobalMaxPool and ReduceMax over rows and columns take the whole map.
    """
    binding = quantised(state, operator, state.binding(operator))
    axes = _reduced_axes(state, operator)
    operator, binding, put_in = widened(operator, binding)
    operator = _laid_out(operator, binding)
    binding = in_order(state, operator, binding)
    channels, height, width = as_map(operator, binding)
    window = _window(operator, height, width)
    base, function = make_monotone(state, operator, binding.base, binding.function)
    turns = [direction(chain) for chain in function.chains]
    if -1 in turns:
        base, function = negated(state, base, function, [turn < 0 for turn in turns])
    low, high = state.draft.bounds_of(base)
    shape = (channels, *window.sizes(height, width))
    layer = state.draft.append("max_pool", [base], shape, low, high)
    layer.options = window.options
    found = replace(binding, base=layer.name, function=function.simplest)
    return _reduced(operator, narrowed(_mapped(operator, found, shape), put_in), axes)


def average_pool(state: Lowering, operator: Operator) -> TensorBinding:
    """The average as a sum of each channel; the division is left to what follows.

    A border of real zeros is one of integers where no channel has an offset: else values come in
    fixed point, offsets included. Where windows at the edge count their own elements alone they divide
    by another number; that is nothing to a sign, and refused elsewhere.
    """
    binding = quantised(state, operator, state.binding(operator))
    if binding.function.affine() is None:
        binding = in_fixed_point(state, operator, binding)
    axes = _reduced_axes(state, operator)
    operator, binding, put_in = widened(operator, binding)
    operator = _laid_out(operator, binding)
    binding = in_order(state, operator, binding)
    channels, height, width = as_map(operator, binding)
    window = _window(operator, height, width)
    divides_alike = bool(operator.attributes.get("count_include_pad", 0)) and not window.overhangs
    only_signs = any(window.pads) and not divides_alike
    if only_signs and not _feeds_signs(state, operator):
        raise operator.fault(
            "an average over whole windows, or with count_include_pad 1 and ceil_mode 0, "
            "or signs alone behind it",
            f"pads {list(window.pads)}",
        )
    if any(window.pads) and any(step.offset for step in binding.function.affine() or ()):
        binding = in_fixed_point(state, operator, binding, keeps_offsets=False)
    shape = (channels, *window.sizes(height, width))
    area = window.kernel[0] * window.kernel[1]
    binding = with_room(state, operator, binding, area)
    affine = binding.function.affine()
    assert affine is not None
    low, high = state.draft.bounds_of(binding.base)
    least = min(0, area * low) if any(window.pads) else area * low
    most = max(0, area * high) if any(window.pads) else area * high
    layer = state.draft.append("sum_pool", [binding.base], shape, least, most)
    layer.options = window.options
    function = ChannelFunction().then([Affine(one.gain / area, one.offset) for one in affine])
    if only_signs:
        function = function.then([Clip(None, None)])  # some multiple above 0: no tensor of the model
    found = replace(binding, base=layer.name, function=function)
    return _reduced(operator, narrowed(_mapped(operator, found, shape), put_in), axes)


def _feeds_signs(state: Lowering, operator: Operator) -> bool:
    readers = [one for one in state.graph.operators if operator.output in one.inputs]
    signs = all(one.kind in ("Sign", "BipolarQuant") for one in readers)
    return bool(readers) and signs and operator.output not in state.graph.outputs


@dataclass(frozen=True)
class _Window:
    """``overhangs``: whether ceil_mode lets windows reach beyond the border that was asked for."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    pads: Pads = (0, 0, 0, 0)
    overhangs: bool = False

    @property
    def options(self) -> dict[str, Any]:
        border = {"pad": self.pads} if any(self.pads) else {}
        return {"kernel": self.kernel, "stride": self.stride, **border}

    def sizes(self, height: int, width: int) -> tuple[int, int]:
        top, left, bottom, right = self.pads
        rows = (height + top + bottom - self.kernel[0]) // self.stride[0] + 1
        return rows, (width + left + right - self.kernel[1]) // self.stride[1] + 1


def _window(operator: Operator, height: int, width: int) -> _Window:
    """The window of any pool."""
    if operator.kind in ("AveragePool", "MaxPool"):
        return _pool_window(operator, height, width)
    return _Window((height, width), (height, width))


def _laid_out(operator: Operator, binding: TensorBinding) -> Operator:
    """A Reduce works on maps that lie either way."""
    if operator.kind.startswith("Reduce"):
        return replace(operator, channels_last=lies_channels_last(binding))
    return operator


def _reduced(operator: Operator, binding: TensorBinding, axes: set[int]) -> TensorBinding:
    if axes and not operator.attributes.get("keepdims", 1):
        kept = tuple(d for i, d in enumerate(binding.dimensions) if i + 1 not in axes)
        return replace(binding, dimensions=kept)
    return binding


def _reduced_axes(state: Lowering, operator: Operator) -> set[int]:
    """The axes (batch first) of a ReduceMean or ReduceMax, which must be rows and columns."""
    if not operator.kind.startswith("Reduce"):
        return set()
    given = operator.attributes.get("axes")
    if given is None:
        given = state.constant(operator, 1, "axes").tolist()
    binding = state.binding(operator)
    rank = len(binding.shape) + 1
    labels = {label for axis in given if axis % rank for label, _ in binding.dimensions[axis % rank - 1]}
    spatial = {label for one in binding.dimensions for label, _ in one} - {"C"}
    if labels != spatial or any(axis % rank == 0 for axis in given):
        raise operator.fault("rows and columns to reduce", f"axes {list(given)}")
    return {axis % rank for axis in given}


def _mapped(operator: Operator, binding: TensorBinding, shape: tuple[int, int, int]) -> TensorBinding:
    return replace(binding, dimensions=map_dimensions(*shape, operator.channels_last))


def _pool_window(operator: Operator, height: int, width: int) -> _Window:
    kernel = pair(operator, "kernel_shape")
    stride = pair(operator, "strides")
    if pair(operator, "dilations") != (1, 1):
        raise operator.fault("a pool without dilation", list(pair(operator, "dilations")))
    pads = list(window_border(operator, (height, width), kernel, stride))
    if any(pad >= kernel[side % 2] for side, pad in enumerate(pads)):
        raise operator.fault(f"pads narrower than the window {list(kernel)}", pads)
    overhangs = False
    for axis, extent in enumerate((height, width)):
        inner = extent + pads[axis] + pads[axis + 2] - kernel[axis]
        if inner < 0:
            raise operator.fault("a window within its input", f"{list(kernel)} on {height} x {width}")
        left = inner % stride[axis]
        starts = inner - left + stride[axis]  # of one window more
        if operator.attributes.get("ceil_mode", 0) and left and starts < extent + pads[axis]:
            pads[axis + 2] += stride[axis] - left
            overhangs = True
    top, side, bottom, end = pads
    return _Window(kernel, stride, (top, side, bottom, end), overhangs)
