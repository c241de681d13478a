"""Pools: maxima, majorities, sums and means over windows of each channel."""

from __future__ import annotations

from typing import Literal

from bnnsim.spec.layers.base import Border, Compare, LayerBase, Pair, Sides, Window, pair, sides
from bnnsim.spec.value_type import ValueType, ValueTypeField


class PoolBase(LayerBase):
    """What every pool has."""

    kernel: Window | Literal["global"]
    """Height and width of the window, or one number for both; ``global``: the whole map."""

    def kernel_on(self, height: int, width: int) -> Pair:
        """Rows and columns of the window on a map of that size."""
        return (height, width) if self.kernel == "global" else pair(self.kernel)


class SlidingPool(PoolBase):
    """A pool whose windows may overlap or leave gaps."""

    stride: Window | None = None
    """Rows and columns from one window to the next; default: the kernel."""

    def stride_on(self, height: int, width: int) -> Pair:
        """Rows and columns from one window to the next on a map of that size."""
        return self.kernel_on(height, width) if self.stride is None else pair(self.stride)

    @property
    def pad_tlbr(self) -> Sides:
        """The border's sides: none unless the pool may have one."""
        return (0, 0, 0, 0)


class BorderedPool(SlidingPool):
    """A sliding pool that may reach over the map's edges."""

    pad: Border = 0
    """Border in pixels on all four sides, or ``[top, left, bottom, right]``, each narrower than the
    window. A window that reaches over the edge counts the map's own pixels alone."""

    @property
    def pad_tlbr(self) -> Sides:
        return sides(self.pad)


class MaxPoolLayer(BorderedPool):
    """Maximum over a window (on bipolar data the OR of the bits)."""

    op: Literal["max_pool"]
    """A maximum."""


class SumPoolLayer(BorderedPool):
    """Sum over a window: an average with its division left out.

    The division is left to what follows. The result is the integer type that holds every sum; a point
    behind the input's stays where it is.
    """

    op: Literal["sum_pool"]
    """A sum."""


class AveragePoolLayer(SlidingPool):
    """Average before a sign: of bits a majority vote over the window."""

    op: Literal["average_pool"]
    """A majority vote."""
    compare: Compare = ">="
    """The output is +1 iff the window's sum is ``> 0`` or ``>= 0``."""


class MeanPoolLayer(PoolBase):
    """Mean over windows that do not overlap, truncated or rounded."""

    op: Literal["mean_pool"]
    """A mean."""
    type: ValueTypeField = ValueType("fixed", 16, 7)
    rounding: Literal["truncate", "half_up"] = "truncate"
    """What becomes of the mean's fraction."""


PoolLayer = MaxPoolLayer | SumPoolLayer | AveragePoolLayer | MeanPoolLayer
