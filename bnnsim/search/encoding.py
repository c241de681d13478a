"""How a point of a space looks to a sampler.

Raw PE and SIMD knobs make a poor search space: nearly every random point has one slow layer that wastes
the area of all others. Encoded as one target initiation interval plus a slack a layer, nearly every
point is balanced: slack 0 is the cheapest fold that meets the target, slack k the k-th cheapest (more
SIMD for fewer PEs, another memory shape, a faster unit).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bnnsim.search.folding import Fold, fold_cycles, folds
from bnnsim.search.space import Space, Value
from bnnsim.spec.architecture import StreamingArchitecture

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

TARGET = "target_interval"
SLACK = "slack."
SLACKS = 4
Parameters = Mapping[str, int]


@dataclass(frozen=True)
class Encoding:
    """The sampler's view of a space: integers by name.

    ``target_interval`` counts the targets from slow to fast; ``slack.<layer>`` counts folds that meet
    it; every other knob is the position of its value.
    """

    space: Space

    @cached_property
    def targets(self) -> tuple[int, ...]:
        """Initiation intervals that some layer's fold has exactly, slowest first.

        None is faster than the fastest that every layer can reach, none slower than the slowest.
        """
        nodes = [self.space.network.nodes[layer] for layer in self.space.folded]
        if not nodes:
            return ()
        fastest = max(min(fold.cycles for fold in folds(node)) for node in nodes)
        cycles = {fold.cycles for node in nodes for fold in folds(node)}
        return tuple(sorted((c for c in cycles if c >= fastest), reverse=True))

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """The number of values of each parameter."""
        result = {}
        if self.targets:
            result[TARGET] = len(self.targets)
        for layer in self.space.folded:
            result[SLACK + layer] = min(SLACKS, len(folds(self.space.network.nodes[layer])))
        for knob in self.space.knobs:
            result[knob.name] = len(knob.values)
        return result

    @property
    def points(self) -> int:
        """How many points the encoding can name."""
        return math.prod(self.sizes.values())

    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's distributions; values without an order are categorical."""
        from optuna.distributions import CategoricalDistribution, IntDistribution

        result: dict[str, BaseDistribution] = {}
        unordered = {
            knob.name
            for knob in self.space.knobs
            if any(isinstance(value, str | bool) for value in knob.values)
        }
        for name, size in self.sizes.items():
            if name in unordered:
                result[name] = CategoricalDistribution(range(size))
            else:
                result[name] = IntDistribution(0, size - 1)
        return result

    def folding(self, parameters: Parameters) -> dict[str, Fold]:
        """The fold of every free layer."""
        if not self.targets:
            return {}
        target = self.targets[parameters[TARGET]]
        chosen = {}
        for layer in self.space.folded:
            meeting = [f for f in folds(self.space.network.nodes[layer]) if f.cycles <= target]
            chosen[layer] = meeting[min(parameters[SLACK + layer], len(meeting) - 1)]
        return chosen

    def knob_values(self, parameters: Parameters) -> tuple[Value, ...]:
        """The value of every other knob, in the space's order."""
        return tuple(knob.values[parameters[knob.name]] for knob in self.space.knobs)

    def architecture(self, parameters: Parameters, name: str) -> StreamingArchitecture:
        """The point that ``parameters`` name."""
        folding = {layer: (f.pe, f.simd) for layer, f in self.folding(parameters).items()}
        return self.space.point(folding, self.knob_values(parameters), name)

    def seeds(self, count: int) -> list[dict[str, int]]:
        """Greedy points: no slack, targets spread evenly from slow to fast, first knob values."""
        base = dict.fromkeys(self.sizes, 0)
        if not self.targets:
            return [base]
        last = len(self.targets) - 1
        count = min(count, last + 1)
        picks = sorted({round(i * last / max(1, count - 1)) for i in range(count)})
        return [{**base, TARGET: pick} for pick in picks]

    def describe(self, parameters: Parameters) -> dict[str, Value]:
        """The point's knobs as a user names them."""
        named: dict[str, Value] = {}
        for layer, fold in self.folding(parameters).items():
            named[f"layers.{layer}.pe"] = fold.pe
            named[f"layers.{layer}.simd"] = fold.simd
        for knob, value in zip(self.space.knobs, self.knob_values(parameters), strict=True):
            named[knob.name] = value
        return named


def point_key(named: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    """Equal for points that are the same design."""
    return tuple(sorted(named.items()))




@dataclass(frozen=True)
class RawEncoding(Encoding):
    """The space without any of that: PE and SIMD of every layer as they are, all points alike.

    What a search without knowledge sees; the baseline.
    """

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        result = {}
        for layer in self.space.folded:
            for side, choices in self._sides(layer).items():
                result[f"{side}.{layer}"] = len(choices)
        for knob in self.space.knobs:
            result[knob.name] = len(knob.values)
        return result

    def _sides(self, layer: str) -> dict[str, list[int]]:
        choices = folds(self.space.network.nodes[layer])
        return {
            "pe": sorted({fold.pe for fold in choices}),
            "simd": sorted({fold.simd for fold in choices}),
        }

    def folding(self, parameters: Parameters) -> dict[str, Fold]:
        chosen = {}
        for layer in self.space.folded:
            sides = self._sides(layer)
            pe = sides["pe"][parameters[f"pe.{layer}"]]
            simd = sides["simd"][parameters[f"simd.{layer}"]]
            node = self.space.network.nodes[layer]
            chosen[layer] = Fold(pe, simd, fold_cycles(node, pe, simd))
        return chosen

    def seeds(self, count: int) -> list[dict[str, int]]:
        """None: nothing is known."""
        return []
