"""Shapes and types of each kind of layer, from those of its inputs.

Each function returns (output, sum type, border value), or None where a fault bars it; ``fault(key,
expected, got)`` takes what is wrong.
"""

from __future__ import annotations

from bnnsim.design.network.join_rules import spanning
from bnnsim.design.network.scaled_rules import FaultAt, gated_conv, level_sums, residual_layer
from bnnsim.design.network.tensor import Shape, Tensor
from bnnsim.spec.value_type import ValueType, integer_type
from bnnsim.spec.workload import (
    AveragePoolLayer,
    ConvBase,
    GatedConvLayer,
    MaxPoolLayer,
    SumPoolLayer,
    WeightedLayer,
)


def holds(value_type: ValueType, value: int) -> bool:
    """Whether ``value`` is one of the type's."""
    if value_type.is_bipolar or value_type.has_integer_means:
        return value in (-1, 1)
    return value_type.minimum <= value <= value_type.maximum


def conv(
    fault: FaultAt, layer: ConvBase, given: Tensor, shortcut: Tensor
) -> tuple[Tensor, ValueType, int] | None:
    """A convolution's map: every window within the padded input, ``shortcut`` for a gated one."""
    channels, height, width = given.shape
    top, left, bottom, right = layer.pad_tlbr
    if channels % layer.groups or layer.out % layer.groups:
        fault(
            "groups",
            f"a divisor of {channels} input and {layer.out} output channels",
            str(layer.groups),
        )
        return None
    sizes = []
    padded = (height + top + bottom, width + left + right)
    for axis, extent, kernel, dilation, stride in zip(
        ("height", "width"),
        padded,
        layer.kernel_hw,
        layer.dilation_hw,
        layer.stride_hw,
        strict=True,
    ):
        reach = (kernel - 1) * dilation + 1
        if reach > extent:
            fault("kernel", f"a window within the padded {axis} of {extent}", f"{reach}")
            return None
        sizes.append((extent - reach) // stride + 1)
    default_pad = -1 if given.type.is_bipolar or given.type.has_integer_means else 0
    pad_value = default_pad if layer.pad_value is None else layer.pad_value
    if not (holds(given.type, pad_value) or pad_value == 0):
        fault("pad_value", f"0 or a value of {given.type}", str(pad_value))
    columns = channels // layer.groups * layer.kernel_hw[0] * layer.kernel_hw[1]
    shape = (layer.out, sizes[0], sizes[1])
    if isinstance(layer, GatedConvLayer):
        return gated_conv(fault, layer, given, shortcut, columns, shape)
    has_border = any(layer.pad_tlbr)
    if layer.accumulator == "popcount" and has_border and pad_value == 0:
        fault("accumulator", "dot where the border is a true zero", "popcount")
    return weighted(fault, layer, given, columns, shape, pad_value if has_border else -1)


def weighted(
    fault: FaultAt,
    layer: WeightedLayer,
    given: Tensor,
    columns: int,
    shape: Shape,
    pad_value: int,
) -> tuple[Tensor, ValueType, int]:
    """A matrix layer: its sums over ``columns`` products, and what an activation makes of them."""
    made = None if layer.activation is None else layer.activation.type
    residual = [one for one in (given.type, made) if one is not None and one.is_residual]
    if any(not one.has_integer_means for one in residual):
        return residual_layer(fault, layer, given, shape, pad_value)
    binary = layer.weight.is_bipolar and given.type.is_bipolar
    if layer.accumulator == "popcount" and residual:
        fault("accumulator", "dot beside residual activations", "popcount")
    if given.type.has_integer_means:
        low, high = level_sums(fault, layer, given, columns)
    elif layer.accumulator == "popcount":
        if not binary:
            fault(
                "accumulator",
                "dot where weights or inputs are not bipolar",
                f"popcount of {given.type} with {layer.weight} weights",
            )
        low, high = 0, columns
    else:
        products = [
            w * x
            for w in (layer.weight.minimum, layer.weight.maximum)
            for x in (given.type.minimum, given.type.maximum)
        ]
        low, high = columns * min(products), columns * max(products)
    sum_type = integer_type(low, high)
    output = layer.activation.type if layer.activation else sum_type
    return Tensor(shape, output), sum_type, pad_value


def pool(
    fault: FaultAt, layer: MaxPoolLayer | AveragePoolLayer | SumPoolLayer, given: Tensor
) -> tuple[Tensor, ValueType, int] | None:
    """A pool's map; what fills no window is dropped.

    The border of a maximum is the least value, that of a sum 0: neither counts.
    """
    channels, height, width = given.shape
    if isinstance(layer, AveragePoolLayer) and not given.type.is_bipolar:
        fault("op", "max_pool, sum_pool, or a majority over bipolar bits", f"{given.type} input")
        return None
    top, left, bottom, right = layer.pad_tlbr
    kernel, stride = layer.kernel_on(height, width), layer.stride_on(height, width)
    if max(top, bottom) >= kernel[0] or max(left, right) >= kernel[1]:
        expected = f"a border narrower than the window of {kernel[0]} x {kernel[1]}"
        fault("pad", expected, f"{[top, left, bottom, right]}")
        return None
    padded = (height + top + bottom, width + left + right)
    if kernel[0] > padded[0] or kernel[1] > padded[1]:
        fault("kernel", f"at most {padded[0]} x {padded[1]} (the map)", f"{kernel[0]} x {kernel[1]}")
        return None
    sizes = [(e - k) // s + 1 for e, k, s in zip(padded, kernel, stride, strict=True)]
    if not isinstance(layer, SumPoolLayer):
        return Tensor((channels, sizes[0], sizes[1]), given.type), given.type, given.type.minimum
    area = kernel[0] * kernel[1]
    sum_type = spanning([given.type], area * given.type.minimum, area * given.type.maximum)
    return Tensor((channels, sizes[0], sizes[1]), sum_type), sum_type, 0
