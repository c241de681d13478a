"""A space as it is: PE and SIMD of every layer drawn alone. What a search without knowledge sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bnnsim.search.points.encoding import Parameters, SpaceEncoding
from bnnsim.search.points.folding import Fold, fold_cycles, folds


@dataclass(frozen=True)
class RawEncoding(SpaceEncoding):
    """``pe.<layer>`` and ``simd.<layer>`` are positions among the legal values, smallest first.

    The baseline draws from it, and the exact front names its points in it.
    """

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """The number of values of each parameter."""
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

    def first(self) -> list[dict[str, int]]:
        """None either."""
        return []
