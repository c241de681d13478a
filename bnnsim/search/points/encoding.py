"""How a point of a space looks to a sampler.

Raw PE and SIMD knobs make a poor search space: nearly every random point has one slow layer that wastes
the area of all others. Encoded as one target initiation interval plus a slack a layer, every point is
balanced: of the folds that meet the target and that no other undercuts in both logic and memory, slack 0
is the one with the least logic, and every step more spends logic to save memory.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bnnsim.search.points.effect_seeds import effect_seeds
from bnnsim.search.points.folding import Fold, fold_cycles, folds
from bnnsim.search.points.knapsack import cheapest_choice
from bnnsim.search.points.knob_seeds import knob_seeds
from bnnsim.search.points.tables import Row, Tables, tabulate
from bnnsim.search.space.fields import Value
from bnnsim.search.space.space import Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

TARGET = "target_interval"
SLACK = "slack."
EFFECT_SEEDS = 20
"""Of the points to begin with where nothing folds, those that are predicted to be good."""
Parameters = Mapping[str, int]
Knobs = Mapping[str, Value]


class PointEncoding(Protocol):
    """What a search needs of an encoding: parameters to draw, points to begin with, what they mean."""

    @property
    def sizes(self) -> Mapping[str, int]: ...

    @property
    def points(self) -> int: ...

    def distributions(self) -> dict[str, BaseDistribution]: ...

    def seeds(self, count: int) -> list[dict[str, int]]: ...

    def every(self) -> Iterator[dict[str, int]]: ...

    def describe(self, parameters: Parameters) -> dict[str, Value]: ...


@dataclass(frozen=True)
class Encoding:
    """The sampler's view of a space: integers by name.

    ``target_interval`` counts the targets from slow to fast; ``slack.<layer>`` counts the folds worth
    having that meet it, the one with the least logic first; every other knob is the position of its
    value.
    """

    space: Space
    slowest_cycles: int | None = None
    """Intervals beyond this are of no interest."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    """The most that constraints allow of a figure, by name."""

    @cached_property
    def tables(self) -> Tables:
        """What each fold of each free layer costs."""
        return tabulate(self.space)

    @cached_property
    def targets(self) -> tuple[int, ...]:
        """Initiation intervals that some layer's fold has exactly, slowest first.

        None is faster than the fastest that every layer can reach, none slower than the slowest, or
        than ``slowest_cycles`` where that leaves any.
        """
        tables = self.tables.rows.values()
        if not tables:
            return ()
        fastest = max(min(row.fold.cycles for row in rows) for rows in tables)
        cycles = {row.fold.cycles for rows in tables for row in rows}
        reachable = sorted((c for c in cycles if c >= fastest), reverse=True)
        limit = self.slowest_cycles
        wanted = [c for c in reachable if limit is None or c <= limit]
        return tuple(wanted or reachable[-1:])

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """The number of values of each parameter."""
        result = {}
        if self.targets:
            result[TARGET] = len(self.targets)
        for layer in self.space.folded:
            result[SLACK + layer] = max(len(self.non_dominated_folds(layer, t)) for t in self.targets)
        for knob in self.space.knobs:
            result[knob.name] = len(knob.values)
        return result

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

    @cached_property
    def _non_dominated(self) -> dict[tuple[str, int], list[Row]]:
        return {}

    def non_dominated_folds(self, layer: str, target: int) -> list[Row]:
        """The folds of a layer that meet a target and that none undercuts in both logic and memory,
        least logic first; of equal ones the fastest."""
        if (layer, target) not in self._non_dominated:
            rows = [row for row in self.tables.rows[layer] if row.fold.cycles <= target]
            rows.sort(key=lambda r: (r.logic, r.memory, r.fold.cycles, r.fold.pe, r.fold.simd))
            found: list[Row] = []
            for row in rows:
                if not found or row.memory < found[-1].memory:
                    found.append(row)
            self._non_dominated[layer, target] = found
        return self._non_dominated[layer, target]

    def folding(self, parameters: Parameters) -> dict[str, Fold]:
        """The fold of every free layer."""
        if not self.targets:
            return {}
        target = self.targets[parameters[TARGET]]
        chosen = {}
        for layer in self.space.folded:
            rows = self.non_dominated_folds(layer, target)
            chosen[layer] = rows[min(parameters[SLACK + layer], len(rows) - 1)].fold
        return chosen

    def knob_values(self, parameters: Parameters) -> tuple[Value, ...]:
        """The value of every other knob, in the space's order."""
        return tuple(knob.values[parameters[knob.name]] for knob in self.space.knobs)

    def seeds(self, count: int) -> list[dict[str, int]]:
        """At most ``count`` points that the tables think best, from fast to slow: with the first value of
        every other knob but the device, each of which has its turn; then as far as they go with the
        fastest clock; before all of these what may beat each published design.

        For each target the slacks with the least logic that leave enough memory; of those the points
        that nothing faster undercuts, spread evenly. Where nothing folds: see ``effect_seeds``
        and ``knob_seeds``.
        """
        base = dict.fromkeys(self.sizes, 0)
        if not self.targets:
            best = effect_seeds(self.space, min(count, EFFECT_SEEDS), self.bounds)
            others = [seed for seed in knob_seeds(self.space, count) if seed not in best]
            return [*best, *others][:count]
        seeds: list[dict[str, int]] = []
        for device, room in enumerate(self.tables.rooms):
            knob = self.space.device_knob
            start = base if knob is None else {**base, knob: device}
            seeds += _spread(self._front(start, room), max(1, count // len(self.tables.rooms)))
        if (clock := self.space.fastest_clock) is not None:
            name, fastest = clock
            faster = [{**seed, name: fastest} for seed in seeds if fastest]
            seeds += _spread(faster, count - len(seeds))
        rivals = self._rivals(base)
        return [*rivals, *(seed for seed in seeds if seed not in rivals)][:count]

    def _rivals(self, start: dict[str, int]) -> list[dict[str, int]]:
        """For each published design the fastest point with no more logic and memory."""
        tables = self.tables
        names = (tables.logic, tables.memory)
        found: list[dict[str, int]] = []
        for reference in self.space.reference_designs:
            if set(names) <= set(reference.figures):
                room = {name: min(reference.figures[name], tables.rooms[0][name]) for name in names}
                best = self._front(start, room)[0]
                found += [best] if best not in found else []
        return found

    def _front(self, start: dict[str, int], room: Mapping[str, float]) -> list[dict[str, int]]:
        """The points that nothing faster undercuts in logic, from fast to slow."""
        front: list[dict[str, int]] = []
        least = float("inf")
        for place in reversed(range(len(self.targets))):
            found = self._cheapest(place, room)
            if found is not None and found[0] < least:
                least = found[0]
                front.append({**start, TARGET: place, **found[1]})
        return front or [start]  # no room for anything: the slowest comes nearest

    def _cheapest(self, place: int, room: Mapping[str, float]) -> tuple[float, dict[str, int]] | None:
        """The least logic within the room for one target, and the slacks that give it."""
        tables = self.tables
        logic, memory = (
            min(room[name], self.bounds.get(name, room[name])) for name in (tables.logic, tables.memory)
        )
        rows = [self.non_dominated_folds(layer, self.targets[place]) for layer in self.space.folded]
        picks = cheapest_choice(
            [np.array([float(row.logic) for row in layer]) for layer in rows],
            [np.array([row.memory for row in layer]) for layer in rows],
            int(memory) - tables.other_memory,
        )
        if picks is None:
            return None
        chosen = [layer[pick] for layer, pick in zip(rows, picks, strict=True)]
        used = tables.other_logic + sum(row.logic for row in chosen)
        slacks = {SLACK + n: pick for n, pick in zip(self.space.folded, picks, strict=True)}
        return (float(used), slacks) if used <= logic else None

    def describe(self, parameters: Parameters) -> dict[str, Value]:
        """The point's knobs as a user names them."""
        named: dict[str, Value] = {}
        for layer, fold in self.folding(parameters).items():
            named[f"layers.{layer}.pe"] = fold.pe
            named[f"layers.{layer}.simd"] = fold.simd
        for knob, value in zip(self.space.knobs, self.knob_values(parameters), strict=True):
            named[knob.name] = value
        return named


def _spread(points: list[dict[str, int]], count: int) -> list[dict[str, int]]:
    """At most ``count`` of ``points``, evenly from first to last."""
    last = len(points) - 1
    count = min(count, last + 1)
    places = sorted({round(i * last / max(1, count - 1)) for i in range(count)})
    return [points[place] for place in places]


def point_key(knobs: Knobs) -> tuple[tuple[str, Value], ...]:
    """Equal for points that are the same design."""
    return tuple(sorted(knobs.items()))


@dataclass(frozen=True)
class RawEncoding(Encoding):
    """The space without any of that: PE and SIMD of every layer as they are, all points alike.

    What a search without knowledge sees; the baseline.
    """

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        result = {}
        for layer in self.space.folded:
            for side, choices in self.sides(layer).items():
                result[f"{side}.{layer}"] = len(choices)
        for knob in self.space.knobs:
            result[knob.name] = len(knob.values)
        return result

    def sides(self, layer: str) -> dict[str, list[int]]:
        """The legal PE and SIMD of a layer, each ascending."""
        choices = folds(self.space.network.nodes[layer])
        return {
            "pe": sorted({fold.pe for fold in choices}),
            "simd": sorted({fold.simd for fold in choices}),
        }

    def folding(self, parameters: Parameters) -> dict[str, Fold]:
        chosen = {}
        for layer in self.space.folded:
            sides = self.sides(layer)
            pe = sides["pe"][parameters[f"pe.{layer}"]]
            simd = sides["simd"][parameters[f"simd.{layer}"]]
            node = self.space.network.nodes[layer]
            chosen[layer] = Fold(pe, simd, fold_cycles(node, pe, simd))
        return chosen

    def seeds(self, count: int) -> list[dict[str, int]]:
        """None: nothing is known."""
        return []
