"""Points to begin with where layers fold: for each target the cheapest folding, by the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bnnsim.search.points.fold_choices import SLACK, TARGET, FoldChoices
from bnnsim.search.points.knapsack import cheapest_choice


@dataclass(frozen=True)
class FoldSeeds:
    """The seeds of a space that folds.

    ``bounds`` is the most that constraints allow of a figure, by name; ``start`` a point with the first
    value of every parameter.
    """

    choices: FoldChoices
    bounds: Mapping[str, float]
    start: Mapping[str, int]

    def seeds(self, count: int) -> list[dict[str, int]]:
        """At most ``count`` points that the tables think best.

        First what may beat each reference design. Then from fast to slow, with the first value of every
        other knob but the device, each device in its turn. Then as many of these as there is room for,
        with the fastest clock.
        """
        space, rooms = self.choices.space, self.choices.tables.rooms
        seeds: list[dict[str, int]] = []
        for device, room in enumerate(rooms):
            knob = space.device_knob
            start = {**self.start} if knob is None else {**self.start, knob: device}
            seeds += _spread(self._front(start, room), max(1, count // len(rooms)))
        if (clock := space.fastest_clock) is not None:
            name, fastest = clock
            faster = [{**seed, name: fastest} for seed in seeds if fastest]
            seeds += _spread(faster, count - len(seeds))
        rivals = self.rivals
        return [*rivals, *(seed for seed in seeds if seed not in rivals)][:count]

    @cached_property
    def rivals(self) -> tuple[dict[str, int], ...]:
        """For each reference design the fastest point with no more logic and memory."""
        tables = self.choices.tables
        names = (tables.logic, tables.memory)
        found: list[dict[str, int]] = []
        for reference in self.choices.space.reference_designs:
            if set(names) <= set(reference.figures):
                room = {name: min(reference.figures[name], tables.rooms[0][name]) for name in names}
                best = self._front({**self.start}, room)[0]
                found += [best] if best not in found else []
        return tuple(found)

    def _front(self, start: dict[str, int], room: Mapping[str, float]) -> list[dict[str, int]]:
        """The points within ``room`` that nothing faster undercuts in logic, from fast to slow."""
        front: list[dict[str, int]] = []
        least = float("inf")
        for place in reversed(range(len(self.choices.targets))):
            found = self._cheapest(place, room)
            if found is not None and found[0] < least:
                least = found[0]
                front.append({**start, TARGET: place, **found[1]})
        return front or [start]  # no room for anything: the slowest comes nearest

    def _cheapest(self, place: int, room: Mapping[str, float]) -> tuple[float, dict[str, int]] | None:
        """The least logic within the room for one target, and the slacks that give it."""
        choices, tables = self.choices, self.choices.tables
        layers = choices.space.folded
        logic, memory = (
            min(room[name], self.bounds.get(name, room[name])) for name in (tables.logic, tables.memory)
        )
        target = choices.targets[place]
        within = [  # folds that only other styles have so fast are no choice here
            [
                (slack, row)
                for slack, row in enumerate(choices.non_dominated_folds(layer, target))
                if row.fold.cycles <= target
            ]
            for layer in layers
        ]
        picks = cheapest_choice(
            [np.array([float(row.logic) for _, row in found]) for found in within],
            [np.array([row.memory for _, row in found]) for found in within],
            int(memory) - tables.other_memory,
        )
        if picks is None:
            return None
        chosen = [found[pick] for found, pick in zip(within, picks, strict=True)]
        used = tables.other_logic + sum(row.logic for _, row in chosen)
        slacks = {SLACK + layer: slack for layer, (slack, _) in zip(layers, chosen, strict=True)}
        return (float(used), slacks) if used <= logic else None


def _spread(points: list[dict[str, int]], count: int) -> list[dict[str, int]]:
    """At most ``count`` of ``points``, evenly from first to last."""
    last = len(points) - 1
    count = min(count, last + 1)
    places = sorted({round(i * last / max(1, count - 1)) for i in range(count)})
    return [points[place] for place in places]
