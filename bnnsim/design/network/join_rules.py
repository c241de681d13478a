"""Shapes and types of layers that join maps, repeat what is in them or choose from it.

Each function returns (output, sum type, border value), or None where a fault bars it; ``fault(key,
expected, got)`` takes what is wrong.
"""

from __future__ import annotations

from bnnsim.design.network.scaled_rules import MOST_BITS, FaultAt
from bnnsim.design.network.tensor import Tensor
from bnnsim.spec.value_type import ValueType, integer_type
from bnnsim.spec.workload import MatmulLayer, RepeatLayer, TopKLayer


def add(
    fault: FaultAt, names: tuple[str, ...], given: tuple[Tensor, ...]
) -> tuple[Tensor, ValueType, int] | None:
    """The sum of equally shaped maps, in the smallest type that holds it."""
    for name, tensor in zip(names[1:], given[1:], strict=True):
        if tensor.shape != given[0].shape:
            fault(
                "inputs",
                f"the shape {list(given[0].shape)} of {names[0]}",
                f"{list(tensor.shape)} from {name}",
            )
            return None
    low = sum(tensor.type.minimum for tensor in given)
    high = sum(tensor.type.maximum for tensor in given)
    sum_type = spanning([tensor.type for tensor in given], low, high)
    return Tensor(given[0].shape, sum_type), sum_type, 0


def concat(
    fault: FaultAt, names: tuple[str, ...], given: tuple[Tensor, ...]
) -> tuple[Tensor, ValueType, int] | None:
    """Maps of one size side by side along the channels."""
    for name, tensor in zip(names[1:], given[1:], strict=True):
        if tensor.shape[1:] != given[0].shape[1:] or not _joins(tensor.type, given[0].type):
            fault(
                "inputs",
                f"maps of {given[0].shape[1]} x {given[0].shape[2]} {given[0].type} as from {names[0]}",
                f"{tensor.shape[1]} x {tensor.shape[2]} {tensor.type} from {name}",
            )
            return None
    channels = sum(tensor.channels for tensor in given)
    types = [tensor.type for tensor in given]
    joined = types[0]
    if any(one != joined for one in types):
        low, high = min(one.minimum for one in types), max(one.maximum for one in types)
        joined = spanning(types, low, high)
    return Tensor((channels, *given[0].shape[1:]), joined), joined, 0


def multiply(
    fault: FaultAt, names: tuple[str, ...], given: tuple[Tensor, ...]
) -> tuple[Tensor, ValueType, int] | None:
    """The product of two equally shaped maps; their points add up."""
    one, other = given
    if one.shape != other.shape:
        expected = f"the shape {list(one.shape)} of {names[0]} (a repeat layer brings a gate to it)"
        fault("inputs", expected, f"{list(other.shape)} from {names[1]}")
        return None
    made = _sum_of_products(one.type, other.type, 1)
    if made is None:
        fault("inputs", f"products of at most {MOST_BITS} bits", f"{one.type} times {other.type}")
        return None
    return Tensor(one.shape, made), made, 0


def matmul(
    fault: FaultAt, layer: MatmulLayer, names: tuple[str, ...], given: tuple[Tensor, ...]
) -> tuple[Tensor, ValueType, int] | None:
    """Each pixel of the first map times the matrix that the second one is, head by head."""
    vectors, matrix = given
    heads = layer.heads
    for name, tensor in zip(names, given, strict=True):
        if tensor.channels % heads:
            fault("heads", f"a divisor of {tensor.channels} (channels of {name})", str(heads))
            return None
    width = vectors.channels // heads
    length = matrix.channels // heads if layer.transposed else matrix.pixels
    if length != width:
        what = "channels a head" if layer.transposed else "pixels"
        whose = f"{names[1]}: {names[0]} has {width} channels a head"
        fault("inputs", f"{width} {what} of {whose}", f"{length}")
        return None
    made = _sum_of_products(vectors.type, matrix.type, width)
    if made is None:
        got = f"{vectors.type} times {matrix.type}, {width} of them"
        fault("inputs", f"sums of products of at most {MOST_BITS} bits", got)
        return None
    rows = heads * matrix.pixels if layer.transposed else matrix.channels
    return Tensor((rows, *vectors.shape[1:]), made), made, 0


def _sum_of_products(one: ValueType, other: ValueType, count: int) -> ValueType | None:
    """What holds a sum of ``count`` products; their points add up. None where it has too many bits."""
    products = [a * b for a in (one.minimum, one.maximum) for b in (other.minimum, other.maximum)]
    plain = integer_type(count * min(products), count * max(products))
    if plain.bits > MOST_BITS:
        return None
    point = one.fraction_bits + other.fraction_bits
    return ValueType("fixed", plain.bits + (not plain.is_signed), point) if point else plain


def repeat(fault: FaultAt, layer: RepeatLayer, given: Tensor) -> tuple[Tensor, ValueType, int] | None:
    """A map with its pixels or its only channel again and again."""
    channels, height, width = given.shape
    if layer.channels > 1 and channels > 1:
        fault("channels", f"1 (the map has {channels} channels)", str(layer.channels))
        return None
    made = given.type
    if layer.fill == "zero" and made.is_bipolar:
        made = ValueType("int", 2)
    rows, columns = sum(layer.row_counts(height)), sum(layer.column_counts(width))
    return Tensor((channels * layer.channels, rows, columns), made), made, 0


def top_k(fault: FaultAt, layer: TopKLayer, given: Tensor) -> tuple[Tensor, ValueType, int] | None:
    """Positions of channels, in as many bits as tell them apart."""
    if layer.k > given.channels:
        fault("k", f"at most {given.channels} (the map's channels)", str(layer.k))
        return None
    made = ValueType("uint", max(1, (given.channels - 1).bit_length()))
    return Tensor((layer.k, *given.shape[1:]), made), made, 0


def _joins(one: ValueType, other: ValueType) -> bool:
    """Whether one stream can carry both: equal types, or integers with the same point."""
    numbers = ("uint", "int", "fixed")
    if one.kind not in numbers or other.kind not in numbers:
        return one == other
    return one.fraction_bits == other.fraction_bits


def spanning(types: list[ValueType], low: int, high: int) -> ValueType:
    """The smallest type for ``low .. high`` that keeps the point which all ``types`` share."""
    plain = integer_type(low, high)
    fractions = {one.fraction_bits for one in types}
    fraction = fractions.pop()
    if fractions or fraction == 0:
        return plain
    return ValueType("fixed", plain.bits + (not plain.is_signed), fraction)
