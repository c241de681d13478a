"""Shapes and types of layers on scaled values: fixed point and residual binarization.

Each function returns (output, sum type, border value), or None where a fault bars it; ``fault(key,
expected, got)`` takes what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from bnnsim.design.network.tensor import RESIDUAL_SUM, Shape, Tensor
from bnnsim.spec.value_type import ValueType, integer_type
from bnnsim.spec.workload import (
    AffineLayer,
    ConvBase,
    FixedLinearLayer,
    GatedConvLayer,
    LookupLayer,
    MeanPoolLayer,
    PreluLayer,
    WeightedLayer,
)

FaultAt = Callable[[str, str, str], None]
MOST_BITS = 62
"""What an element or a sum may have in a fixed-point layer: an int64 with a bit to spare."""


def residual_layer(
    fault: FaultAt, layer: WeightedLayer, given: Tensor, shape: Shape, pad_value: int
) -> tuple[Tensor, ValueType, int]:
    """A layer of residual binarization: what it reads or puts out are levels of +-mean."""
    if not layer.weight.is_bipolar:
        fault("weight", "bipolar beside residual activations", str(layer.weight))
    made = None if layer.activation is None else layer.activation.type
    if given.type.has_integer_means and made is not None:
        fault("activation", f"residual{made.bits}.{given.type.mean_bits} behind {given.type}", f"{made}")
    elif made is not None and made.has_integer_means:
        fault("activation", "residual1..residual4 behind residual", f"{made}")
    elif layer.activation and not layer.activation.type.is_residual:
        fault("activation", "residual1..residual4 behind residual", f"{layer.activation.type}")
    if layer.accumulator == "popcount":
        fault("accumulator", "dot beside residual activations", "popcount")
    if given.type.fraction_bits > RESIDUAL_SUM.fraction_bits:
        most = f"an input with at most {RESIDUAL_SUM.fraction_bits} bits behind the point"
        fault("activation", f"{most} before residual levels", str(given.type))
    has_border = isinstance(layer, ConvBase) and any(layer.pad_tlbr)
    if has_border and given.type.is_residual and pad_value not in (0, given.type.maximum):
        expected = f"0 (every level at -1) or {given.type.maximum} (every level at +1)"
        fault("pad_value", f"{expected} around residual activations", str(pad_value))
    output = layer.activation.type if layer.activation else RESIDUAL_SUM
    return Tensor(shape, output), RESIDUAL_SUM, pad_value


def level_sums(
    fault: FaultAt, layer: WeightedLayer, given: Tensor, columns: int
) -> tuple[int, int]:
    """Least and greatest sum of a layer whose input's levels are worth integers."""
    if not layer.weight.is_bipolar:
        fault("weight", "bipolar behind residual activations", str(layer.weight))
    largest = columns * given.type.bits * given.type.mean_type.maximum
    return -largest, largest


def gated_conv(
    fault: FaultAt,
    layer: GatedConvLayer,
    given: Tensor,
    shortcut: Tensor,
    columns: int,
    shape: Shape,
) -> tuple[Tensor, ValueType, int] | None:
    if given.type != layer.type:
        fault("type", f"the input's {given.type}", str(layer.type))
    if shortcut.shape != shape or shortcut.type != layer.type:
        fault(
            "inputs",
            f"a shortcut of {list(shape)} {layer.type}",
            f"{list(shortcut.shape)} {shortcut.type}",
        )
    if layer.pad_value not in (None, 0):
        fault("pad_value", "0 (a border tap adds nothing)", str(layer.pad_value))
    return Tensor(shape, layer.type), integer_type(-columns, columns), 0


def fixed_linear(
    fault: FaultAt, layer: FixedLinearLayer, given: Tensor
) -> tuple[Tensor, ValueType, int] | None:
    if given.pixels != 1:
        fault("inputs", "a vector", f"a map of {list(given.shape)}")
    bits, point = layer.type.bits, layer.type.fraction_bits
    _hold(fault, "type", "sums in front of their rounding", bits + point)
    aligned = _signed_bits(given.type) + max(0, point - given.type.fraction_bits)
    _hold(fault, "inputs", "elements with the scores' point", aligned)
    return Tensor((layer.out, 1, 1), layer.type), layer.type, 0


def mean_pool(
    fault: FaultAt, layer: MeanPoolLayer, given: Tensor
) -> tuple[Tensor, ValueType, int] | None:
    channels, height, width = given.shape
    kernel = layer.kernel_on(height, width)
    if height % kernel[0] or width % kernel[1]:
        fault("kernel", f"a divisor of the map's {height} x {width}", str(layer.kernel))
        return None
    shape = (channels, height // kernel[0], width // kernel[1])
    more = max(0, layer.type.fraction_bits - given.type.fraction_bits)
    count = kernel[0] * kernel[1]
    _hold(fault, "type", "sums", _signed_bits(given.type) + count.bit_length() + more)
    return Tensor(shape, layer.type), given.type, 0


def scale(
    fault: FaultAt, layer: AffineLayer | PreluLayer, given: Tensor
) -> tuple[Tensor, ValueType, int]:
    """An affine or PReLU; products may be wider than :data:`MOST_BITS`, what is left of them not."""
    bits = _signed_bits(given.type)
    _hold(fault, "inputs", "elements", bits)
    if isinstance(layer, AffineLayer) and layer.shift_bits is not None:
        _hold(fault, "shift_bits", "shifted products", bits + layer.scale_type.bits - layer.shift_bits)
    return Tensor(given.shape, layer.type), given.type, 0


def lookup(
    fault: FaultAt, layer: LookupLayer, given: Tensor
) -> tuple[Tensor, ValueType, int]:
    """A function in a table: only the input's integers count, its point is the table's."""
    _hold(fault, "inputs", "elements", _signed_bits(given.type))
    if layer.type.is_bipolar or layer.type.is_residual:
        fault("type", "a type of numbers", str(layer.type))
    return Tensor(given.shape, layer.type), given.type, 0


def _signed_bits(value_type: ValueType) -> int:
    """Bits of the type's values in two's complement."""
    return value_type.bits + (not value_type.is_signed)


def _hold(fault: FaultAt, key: str, what: str, bits: int) -> None:
    if bits > MOST_BITS:
        fault(key, f"{what} of at most {MOST_BITS} bits", f"{bits} bits")
