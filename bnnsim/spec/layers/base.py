"""What every layer of a workload has, and the words that several kinds share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bnnsim.spec.model import Count, Name, SpecModel

Compare = Literal[">", ">="]
Pair = tuple[int, int]
Sides = tuple[int, int, int, int]
"""Top, left, bottom, right."""
Window = Count | Annotated[list[Count], Field(min_length=2, max_length=2)]
"""Rows and columns, or one number for both."""
Border = (
    Annotated[int, Field(ge=0)]
    | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=4, max_length=4)]
)
"""Pixels on all four sides, or ``[top, left, bottom, right]``."""


class LayerBase(SpecModel):
    name: Name
    """What the layer is called; architectures name their hardware by it."""
    inputs: Annotated[list[str], Field(min_length=1)] | None = None
    """Names of the layers this one reads (``input`` is the frame); without it, the layer above."""


def pair(value: int | list[int]) -> Pair:
    """Rows and columns of a :data:`Window`."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def sides(value: int | list[int]) -> Sides:
    """The four widths of a :data:`Border`."""
    if isinstance(value, int):
        return (value,) * 4
    top, left, bottom, right = value
    return top, left, bottom, right
