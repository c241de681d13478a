"""What flows between layers: shapes and value sets."""

from __future__ import annotations

from dataclasses import dataclass

from bnnsim.spec.value_type import ValueType

RESIDUAL_SUM = ValueType("fixed", 24, 8)
"""Sums, scales and means of residual binarization (ReBNet: ap_fixed<24, 16>)."""
Shape = tuple[int, int, int]
"""(channels, height, width); a vector is (features, 1, 1)."""


@dataclass(frozen=True)
class Tensor:
    """What flows along an edge of the network: its shape and the value set of its elements."""

    shape: Shape
    type: ValueType

    @property
    def channels(self) -> int:
        return self.shape[0]

    @property
    def pixels(self) -> int:
        return self.shape[1] * self.shape[2]

    @property
    def elements(self) -> int:
        return self.channels * self.pixels
