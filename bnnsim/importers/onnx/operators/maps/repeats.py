"""Pixels and channels again and again: what a gate is broadcast to, and what upsampling makes."""

from __future__ import annotations

from dataclasses import replace

from bnnsim.importers.exact.channel_function import ChannelFunction
from bnnsim.importers.onnx.binding import Dimension, TensorBinding, dimension, lies_channels_last
from bnnsim.importers.onnx.graph import Operator
from bnnsim.importers.onnx.lowering import Lowering
from bnnsim.importers.onnx.operators.quantise import quantised
from bnnsim.spec.value_type import ValueType

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]


def append_repeat(
    state: Lowering,
    base: str,
    factor: Pair = (1, 1),
    channels: int = 1,
    border: Sides = (0, 0, 0, 0),
    zeros: bool = False,
) -> str:
    """The layer that repeats the pixels of ``base`` or its only channel, one for all who ask for it;
    ``base`` itself where nothing comes again."""
    if (factor, channels, any(border)) == ((1, 1), 1, False):
        return base
    key = ("repeat", base, factor, channels, border, zeros)
    if key not in state.made:
        count, height, width = state.draft.shape_of(base)
        sizes = [
            (extent - 1) * times + 1 if zeros else extent * times + border[axis] + border[axis + 2]
            for axis, (extent, times) in enumerate(zip((height, width), factor, strict=True))
        ]
        low, high = state.draft.bounds_of(base)
        if zeros:
            low, high = min(low, 0), max(high, 0)
        shape = (count * channels, sizes[0], sizes[1])
        layer = state.draft.append("repeat", [base], shape, low, high)
        fill = "zero" if zeros else "nearest"
        layer.options = {"factor": factor, "channels": channels, "border": border, "fill": fill}
        value_type = state.draft.type_of(base)
        if zeros and value_type is not None and value_type.is_bipolar:
            layer.activation = ValueType("int", 2)
        state.made[key] = layer.name
    made: str = state.made[key]
    return made


def expand(state: Lowering, operator: Operator) -> TensorBinding:
    """Dimensions of one element as long as the shape says."""
    binding = quantised(state, operator, state.binding(operator))
    given, shape = binding.shape, [int(n) for n in state.constant(operator, 1, "shape").reshape(-1)]
    wanted = [1] * (len(given) + 1 - len(shape)) + shape
    if len(wanted) != len(given) + 1 or wanted[0] != 1:
        raise operator.fault(f"a shape that fits {[1, *given]}", shape)
    pairs = list(zip(wanted[1:], given, strict=True))
    if any(n not in (1, size) and size != 1 for n, size in pairs):
        raise operator.fault(f"a shape that fits {[1, *given]}", shape)
    if all(n in (1, size) for n, size in pairs):
        return binding
    if len(given) != 3:
        raise operator.fault("a map, or a shape that changes nothing", f"{[1, *given]} to {shape}")
    labels = "HWC" if lies_channels_last(binding) else "CHW"
    larger = (
        one or dimension(label, n)
        for label, one, n in zip(labels, binding.dimensions, wanted[1:], strict=True)
    )
    return broadcast(state, operator, binding, tuple(larger))


def broadcast(
    state: Lowering, operator: Operator, binding: TensorBinding, wanted: tuple[Dimension, ...]
) -> TensorBinding:
    """``binding``, which holds no quantiser, with its dimensions of one element as long as ``wanted``.

    Raises :class:`InputError` where it is not of one channel, one pixel or one row or column.
    """
    if binding.dimensions == wanted:
        return binding
    missing = [
        axis
        for mine, all_ in zip(binding.dimensions, wanted, strict=True)
        if mine != all_
        for axis in all_
    ]
    sizes = dict.fromkeys("CHW", 1)
    plain = all(label in sizes for label, _ in missing)
    for label, size in missing:
        sizes[label[0]] *= size
    channels, height, width = state.draft.shape_of(binding.base)
    given = {"C": channels, "H": height, "W": width}
    if not plain or any(given[kind] != 1 for kind, size in sizes.items() if size > 1):
        raise operator.fault("a gate a channel, a position, or one for all", f"{[1, *binding.shape]}")
    base = append_repeat(state, binding.base, (sizes["H"], sizes["W"]), sizes["C"])
    function = binding.function
    if sizes["C"] > 1:
        function = ChannelFunction((function.of(0),))
    return replace(binding, base=base, function=function, dimensions=wanted)
