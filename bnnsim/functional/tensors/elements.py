"""Elements: how arrays hold the values of a tensor. Bits {0,1} where it is bipolar (1 is +1)."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnnsim.arrays import Integers
from bnnsim.spec.faults import InputError
from bnnsim.spec.value_type import ValueType


def integer_dtype(value_type: ValueType) -> np.dtype[Any]:
    """int32 where it holds every value of the type, else int64."""
    limits = np.iinfo(np.int32)
    fits = limits.min <= value_type.minimum and value_type.maximum <= limits.max
    return np.dtype(np.int32 if fits else np.int64)


def element_dtype(value_type: ValueType) -> np.dtype[Any]:
    """uint8 for the bits of a bipolar tensor, else :func:`integer_dtype`."""
    return np.dtype(np.uint8) if value_type.is_bipolar else integer_dtype(value_type)


def element_limits(value_type: ValueType) -> tuple[int, int]:
    """Least and greatest element: 0 and 1 where bipolar."""
    if value_type.is_bipolar:
        return 0, 1
    return value_type.minimum, value_type.maximum


def check_elements(elements: Integers, value_type: ValueType, place: str) -> None:
    """Raise :class:`InputError`, naming ``place``, unless all are elements of the type."""
    low, high = element_limits(value_type)
    if elements.size and (elements.min() < low or elements.max() > high):
        wrong = elements[(elements < low) | (elements > high)]
        raise InputError(place, f"elements of {value_type}, {low} .. {high}", f"{wrong[0]}")
