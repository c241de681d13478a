"""A space as a target interval and a slack a layer: what samplers see.

Raw PE and SIMD knobs make a poor search space: nearly every random point has one slow layer that wastes
the area of all others. Encoded as one target initiation interval plus a slack a layer, every point is
balanced. The slack of a layer is the index of its fold among those that meet the target and that no other
undercuts in logic, memory and (where power is asked for) power alike, with some style of memories,
windows and pipelines: slack 0 has the least logic, every step more spends logic to save memory or power.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bnnsim.search.points.encoding import Parameters, SpaceEncoding
from bnnsim.search.points.fold_choices import SLACK, TARGET, FoldChoices
from bnnsim.search.points.fold_seeds import FoldSeeds
from bnnsim.search.points.folding import Fold
from bnnsim.search.points.knob_seeds import knob_seeds, knob_star


@dataclass(frozen=True)
class TargetEncoding(SpaceEncoding):
    """``target_interval`` counts the targets from slow to fast, ``slack.<layer>`` a layer's folds.

    A slack beyond the last fold that meets the target means that last one.
    """

    slowest_cycles: int | None = None
    """Initiation intervals beyond this are of no interest."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    """The most that constraints allow of a figure, by name."""
    counts_power: bool = True
    """Whether anything that is asked for rests on watts."""

    @cached_property
    def choices(self) -> FoldChoices:
        """The targets and the folds that meet them."""
        return FoldChoices(self.space, self.slowest_cycles, self.counts_power)

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """The number of values of each parameter."""
        result = {}
        targets = self.choices.targets
        if targets:
            result[TARGET] = len(targets)
        for layer in self.space.folded:
            folds = [self.choices.non_dominated_folds(layer, target) for target in targets]
            result[SLACK + layer] = max(map(len, folds))
        for knob in self.space.knobs:
            result[knob.name] = len(knob.values)
        return result

    def folding(self, parameters: Parameters) -> dict[str, Fold]:
        if not self.choices.targets:
            return {}
        target = self.choices.targets[parameters[TARGET]]
        chosen = {}
        for layer in self.space.folded:
            rows = self.choices.non_dominated_folds(layer, target)
            chosen[layer] = rows[min(parameters[SLACK + layer], len(rows) - 1)].fold
        return chosen

    def seeds(self, count: int) -> list[dict[str, int]]:
        """At most ``count`` points that the tables think best (:class:`FoldSeeds`); where nothing folds,
        along the knobs."""
        return self._fold_seeds.seeds(count) if self.choices.targets else knob_seeds(self.space, count)

    def first(self) -> list[dict[str, int]]:
        """What may beat each reference design; where nothing folds, what tells what each knob does."""
        return list(self._fold_seeds.rivals) if self.choices.targets else knob_star(self.space)

    @cached_property
    def _fold_seeds(self) -> FoldSeeds:
        return FoldSeeds(self.choices, self.bounds, dict.fromkeys(self.sizes, 0))
