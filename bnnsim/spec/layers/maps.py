"""Layers that gate, enlarge and choose: products, repeated pixels, functions in a table, the largest."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bnnsim.spec.layers.base import Border, LayerBase, Pair, Sides, Window, pair, sides
from bnnsim.spec.model import Count
from bnnsim.spec.value_type import ValueTypeField


class MultiplyLayer(LayerBase):
    """Exact product of two maps of one shape (a map and its gate).

    The points of both add up. A gate of one channel, of one pixel or of one number is brought to the
    map's shape by ``repeat``.
    """

    op: Literal["multiply"]
    """A product of two maps."""


class MatmulLayer(LayerBase):
    """Product of two maps as matrices, such as queries and keys.

    The second input is what a matrix unit has as weights. The first input's pixels are vectors, as many
    as it has rows and columns; its channels, head by head, are what is summed over. Pixels and channels
    of the second input are the matrix's: ``transposed`` multiplies each vector with each pixel of it
    (queries and keys: the scores of a head are as many channels as there are keys); else each vector
    weighs the pixels, and their sum has a head's channels of the second input (scores and values).
    Exact; the points of both add up.
    """

    op: Literal["matmul"]
    """A matrix product of two maps."""
    transposed: bool = False
    """Whether the second input's pixels are the matrix's rows, each as long as a vector."""
    heads: Count = 1
    """Products side by side: each has its part of both inputs' channels."""


class RepeatLayer(LayerBase):
    """Each pixel again and again (upsampling), or the only channel.

    Upsampling by the nearest neighbour, and the one value of a channel or a position that a gate has.
    With ``fill: zero`` each pixel stands once, zeros stand between it and the next (a transposed
    convolution is a convolution of such a map); bits become -1, 0 and +1.
    """

    op: Literal["repeat"]
    """Pixels or channels again and again."""
    factor: Window = 1
    """How many times along rows and columns, or one number for both."""
    channels: Count = 1
    """How many times the only channel."""
    border: Border = 0
    """How many more times the edge pixels: on all four sides, or ``[top, left, bottom, right]``."""
    fill: Literal["nearest", "zero"] = "nearest"
    """What stands in the places between: the pixel, or zeros."""

    @model_validator(mode="after")
    def _zeros_have_no_border(self) -> RepeatLayer:
        if self.fill == "zero" and (self.channels > 1 or any(self.border_tlbr)):
            raise ValueError("zeros without channels or border (the convolution behind has a border)")
        return self

    @property
    def factor_hw(self) -> Pair:
        return pair(self.factor)

    @property
    def border_tlbr(self) -> Sides:
        return sides(self.border)

    def row_counts(self, rows: int) -> tuple[int, ...]:
        """Of how many rows out each of the map's rows is the source."""
        return self._counts(rows, 0)

    def column_counts(self, columns: int) -> tuple[int, ...]:
        """Of how many columns out each of the map's columns is the source."""
        return self._counts(columns, 1)

    def _counts(self, extent: int, axis: int) -> tuple[int, ...]:
        counts = [self.factor_hw[axis]] * extent
        if self.fill == "zero":
            counts[-1] = 1
        counts[0] += self.border_tlbr[axis]
        counts[-1] += self.border_tlbr[axis + 2]
        return tuple(counts)


class TopKLayer(LayerBase):
    """The positions of each pixel's largest channels (LabelSelect).

    Puts out those (from 0) of the ``k`` largest, the largest first; of equal ones the lower position
    first: of class scores the answer, as FINN's LabelSelect. Where it is the network's (first) output, a
    frame's prediction is the first position.
    """

    op: Literal["top_k"]
    """The positions of the largest channels."""
    k: Count = 1
    """How many."""


class LookupLayer(LayerBase):
    """A function of each element in straight pieces, such as a sigmoid.

    The pieces lie between equally spaced values.

    An integer x of the input is first held within ``low`` .. ``low + segments * 2**shift_bits - 1``. With
    ``s, rest = divmod(x - low, 2**shift_bits)`` it becomes
    ``values[s] + floor((values[s + 1] - values[s]) * rest / 2**shift_bits + 1/2)``. Parameter ``values``
    ``(segments + 1,)`` of ``type``, the same for all channels.
    """

    op: Literal["lookup"]
    """A function in a table."""
    type: ValueTypeField
    """Value set of what is put out."""
    low: Annotated[int, Field(ge=-(1 << 61), le=1 << 61)]
    """The integer of the input at which the table begins."""
    shift_bits: Annotated[int, Field(ge=0, le=28)]
    """Integers of the input a piece, as a power of two."""
    segments: Annotated[int, Field(ge=1, le=1 << 12)]
    """Pieces."""
