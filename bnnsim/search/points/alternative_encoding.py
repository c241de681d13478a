"""How a point of a space of alternatives looks to a sampler: which one, and that one's own parameters.

Parameters of the other alternatives are ignored: points that differ in them alone are the same design.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bnnsim.search.points.encoding import Parameters, SpaceEncoding
from bnnsim.search.space.alternatives import ALTERNATIVE
from bnnsim.search.space.fields import Value

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


@dataclass(frozen=True)
class AlternativeEncoding:
    """Integers by name: ``alternative``, and ``<alternative>/<parameter>`` for each one's parameters."""

    members: Mapping[str, SpaceEncoding]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The alternatives in order."""
        return tuple(self.members)

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """The number of values of each parameter."""
        sizes = {ALTERNATIVE: len(self.members)}
        for name, encoding in self.members.items():
            sizes |= {f"{name}/{parameter}": size for parameter, size in encoding.sizes.items()}
        return sizes

    @property
    def points(self) -> int:
        """How many points the encoding can name, those that are the same design counted once."""
        return sum(encoding.points for encoding in self.members.values())

    def every(self) -> Iterator[dict[str, int]]:
        """Each alternative's points, with zeros for the others' parameters."""
        base = dict.fromkeys(self.sizes, 0)
        for place, (name, encoding) in enumerate(self.members.items()):
            for point in encoding.every():
                own = {f"{name}/{parameter}": value for parameter, value in point.items()}
                yield {**base, ALTERNATIVE: place, **own}

    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's distributions; alternatives and other values without an order are categorical."""
        from optuna.distributions import CategoricalDistribution

        which = CategoricalDistribution(range(len(self.names)))
        result: dict[str, BaseDistribution] = {ALTERNATIVE: which}
        for name, encoding in self.members.items():
            own = encoding.distributions()
            result |= {f"{name}/{parameter}": kind for parameter, kind in own.items()}
        return result

    def seeds(self, count: int) -> list[dict[str, int]]:
        """Each alternative's seeds in turn, at most ``count`` in all, with zeros for the others'."""
        share = -(-count // len(self.names))
        return self._in_turn([encoding.seeds(share) for encoding in self.members.values()])[:count]

    def first(self) -> list[dict[str, int]]:
        """Each alternative's first points in turn, with zeros for the others'."""
        return self._in_turn([encoding.first() for encoding in self.members.values()])

    def _in_turn(self, own: Sequence[Sequence[Parameters]]) -> list[dict[str, int]]:
        base = dict.fromkeys(self.sizes, 0)
        lists = []
        for place, (name, points) in enumerate(zip(self.members, own, strict=True)):
            named = [{f"{name}/{p}": v for p, v in point.items()} for point in points]
            lists.append([{**base, ALTERNATIVE: place, **point} for point in named])
        turns = max((len(points) for points in lists), default=0)
        return [points[turn] for turn in range(turns) for points in lists if turn < len(points)]

    def describe(self, parameters: Parameters) -> dict[str, Value]:
        """The point's knobs as a user names them: the alternative, then its own."""
        name = self.names[parameters[ALTERNATIVE]]
        own = {p.removeprefix(f"{name}/"): v for p, v in parameters.items() if p.startswith(f"{name}/")}
        return {ALTERNATIVE: name, **self.members[name].describe(own)}
