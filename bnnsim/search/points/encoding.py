"""How points of a space look to a sampler: integers by name, and what they mean to a user."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bnnsim.search.points.folding import Fold
from bnnsim.search.space.fields import Value
from bnnsim.search.space.space import Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Parameters = Mapping[str, int]
"""A point as a sampler names it: each parameter's position among its values, from 0."""
Knobs = Mapping[str, Value]
"""The same point as a user names it: fields such as ``layers.conv1.pe`` and their values."""


class PointEncoding(Protocol):
    """What a search needs of an encoding: parameters to draw, points to begin with, what they mean."""

    @property
    def sizes(self) -> Mapping[str, int]: ...

    @property
    def points(self) -> int: ...

    def distributions(self) -> dict[str, BaseDistribution]: ...

    def seeds(self, count: int) -> list[dict[str, int]]: ...

    def first(self) -> list[dict[str, int]]: ...

    def every(self) -> Iterator[dict[str, int]]: ...

    def describe(self, parameters: Parameters) -> dict[str, Value]: ...


@dataclass(frozen=True)
class SpaceEncoding(ABC):
    """Encodings of one space: they differ in how parameters name the folds of its layers.

    Every other knob is a parameter of its own: the position of its value.
    """

    space: Space

    @property
    @abstractmethod
    def sizes(self) -> Mapping[str, int]:
        """The number of values of each parameter."""

    @abstractmethod
    def folding(self, parameters: Parameters) -> dict[str, Fold]:
        """The fold of every free layer."""

    @abstractmethod
    def seeds(self, count: int) -> list[dict[str, int]]:
        """At most ``count`` points to begin with, those that promise most first."""

    @abstractmethod
    def first(self) -> list[dict[str, int]]:
        """Points to judge before all others, for what they tell."""

    @property
    def points(self) -> int:
        """How many points the encoding can name."""
        return math.prod(self.sizes.values())

    def every(self) -> Iterator[dict[str, int]]:
        """All points, the last parameter changing fastest."""
        for values in itertools.product(*(range(size) for size in self.sizes.values())):
            yield dict(zip(self.sizes, values, strict=True))

    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's distributions; values without an order are categorical."""
        from optuna.distributions import CategoricalDistribution, IntDistribution

        result: dict[str, BaseDistribution] = {}
        unordered = {knob.name for knob in self.space.knobs if not knob.is_ordered}
        for name, size in self.sizes.items():
            if name in unordered:
                result[name] = CategoricalDistribution(range(size))
            else:
                result[name] = IntDistribution(0, size - 1)
        return result

    def describe(self, parameters: Parameters) -> dict[str, Value]:
        """The point's knobs as a user names them."""
        named: dict[str, Value] = {}
        for layer, fold in self.folding(parameters).items():
            named[f"layers.{layer}.pe"] = fold.pe
            named[f"layers.{layer}.simd"] = fold.simd
        for knob in self.space.knobs:
            named[knob.name] = knob.values[parameters[knob.name]]
        return named


def point_key(knobs: Knobs) -> tuple[tuple[str, Value], ...]:
    """Equal for points that are the same design."""
    return tuple(sorted(knobs.items()))
