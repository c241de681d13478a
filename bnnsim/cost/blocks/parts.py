"""A named piece of hardware and what it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bnnsim.cost.blocks.amounts import Estimate, add_up


@dataclass(frozen=True, slots=True)
class Part:
    """A named piece of a unit and what it takes, not rounded."""

    name: str
    amounts: Estimate


def total(parts: Iterable[Part]) -> Estimate:
    """The sum of what the parts take."""
    return add_up(part.amounts for part in parts)
