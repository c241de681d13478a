"""The value sets of activations and weights: ``bipolar``, ``uint2``, ``int8``, ``fixed8.7``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

ValueKind = Literal["bipolar", "uint", "int", "fixed", "residual"]

_PATTERN = re.compile(
    r"^(?:(bipolar)|(u?int)(\d+)|(fixed)(\d+)\.(\d+)|(residual)([1-4])(?:\.(\d+))?)$"
)
TYPE_TEXT = (
    "bipolar, uint1..uint8, int2..int8, fixedW.F (such as fixed8.7), residual1..residual4 or "
    "residualM.W (such as residual2.11)"
)

MAX_MEAN_BITS = 31
"""Of what a level of a residual binarization in integers is worth."""


@dataclass(frozen=True)
class ValueType:
    """A set of integers carried by one stream element.

    ``bipolar`` is {-1, +1} in one bit (bit 1 is +1); ``uint`` 0 .. 2**bits - 1; ``int`` two's
    complement; ``residual`` the codes of a residual binarization, bit l being the sign of level l (its
    value is the sum of +-mean over the levels), the means being integers of ``mean_bits`` bits, or
    ReBNet's fixed-point numbers where that is 0; ``fixed``
    two's complement with ``fraction_bits`` bits behind the point, its integer
    being value * 2**fraction_bits.
    """

    kind: ValueKind
    bits: int
    fraction_bits: int = 0
    mean_bits: int = 0

    @property
    def is_bipolar(self) -> bool:
        return self.kind == "bipolar"

    @property
    def is_residual(self) -> bool:
        return self.kind == "residual"

    @property
    def has_integer_means(self) -> bool:
        """Whether codes are of a residual binarization in integers, made by thresholds."""
        return self.mean_bits > 0

    @property
    def mean_type(self) -> ValueType:
        """What a level is worth, where that is an integer."""
        return ValueType("uint", self.mean_bits)

    @property
    def is_signed(self) -> bool:
        return self.kind in ("int", "fixed")

    @property
    def minimum(self) -> int:
        if self.kind == "bipolar":
            return -1
        return -(1 << (self.bits - 1)) if self.is_signed else 0

    @property
    def maximum(self) -> int:
        if self.kind == "bipolar":
            return 1
        return (1 << (self.bits - 1)) - 1 if self.is_signed else (1 << self.bits) - 1

    @property
    def levels(self) -> int:
        """How many different values an element can take."""
        return 2 if self.kind == "bipolar" else 1 << self.bits

    def __str__(self) -> str:
        if self.kind == "bipolar":
            return "bipolar"
        if self.kind == "fixed":
            return f"fixed{self.bits}.{self.fraction_bits}"
        if self.has_integer_means:
            return f"residual{self.bits}.{self.mean_bits}"
        return f"{self.kind}{self.bits}"


BIPOLAR = ValueType("bipolar", 1)


def integer_type(minimum: int, maximum: int) -> ValueType:
    """The smallest ``uint`` (where nothing is negative) or ``int`` that holds both bounds."""
    if minimum >= 0:
        return ValueType("uint", max(1, maximum.bit_length()))
    bits = 1 + max((-minimum - 1).bit_length(), maximum.bit_length() if maximum > 0 else 0)
    return ValueType("int", max(2, bits))


def parse_value_type(text: str) -> ValueType:
    """Read a type's name. Raises ``ValueError`` saying what is expected."""
    match = _PATTERN.match(text)
    if match:
        if match[1]:
            return BIPOLAR
        if match[7]:
            mean_bits = int(match[9] or 0)
            if match[9] is None or 1 <= mean_bits <= MAX_MEAN_BITS:
                return ValueType("residual", int(match[8]), mean_bits=mean_bits)
            raise ValueError(TYPE_TEXT)
        bits = int(match[3] or match[5])
        fraction = int(match[6] or 0)
        kind: ValueKind = "fixed" if match[4] else "uint" if match[2] == "uint" else "int"
        lowest = 1 if kind == "uint" else 2
        highest = 8 if kind != "fixed" else 32
        if lowest <= bits <= highest and fraction <= bits:
            return ValueType(kind, bits, fraction)
    raise ValueError(TYPE_TEXT)


def _coerce(value: Any) -> ValueType:
    if isinstance(value, ValueType):
        return value
    if isinstance(value, str):
        return parse_value_type(value)
    raise ValueError(TYPE_TEXT)


ValueTypeField = Annotated[
    ValueType,
    BeforeValidator(_coerce),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _PATTERN.pattern, "description": TYPE_TEXT}),
]
