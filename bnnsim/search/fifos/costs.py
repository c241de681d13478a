"""What FIFOs cost: bits, block RAM, and by the goal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bnnsim.cost.blocks.coefficients import default_coefficients
from bnnsim.cost.blocks.parts import total
from bnnsim.cost.blocks.technology import technology_of
from bnnsim.cost.streaming.units import stream_parts
from bnnsim.design.design import Design
from bnnsim.spec.streaming.hardware import UnitLibrary

Goal = Literal["bits", "bram"]
Depths = Mapping[str, int]
"""Words by stream."""


class FifoCosts:
    """The costs of a design's FIFOs at any depths."""

    def __init__(self, design: Design, goal: Goal) -> None:
        self.goal = goal
        graph = design.graph
        self._tech = technology_of(design.device, default_coefficients(), "timing")
        self._widths = {stream.name: stream.width_bits for stream in graph.streams}
        self._blocks: dict[tuple[int, int, UnitLibrary, int], int] = {}
        self._stores = {stream.name: (stream.library, stream.srl_words) for stream in graph.streams}

    def bits(self, depths: Depths) -> int:
        """Memory of all FIFOs."""
        return sum(depth * self._widths[name] for name, depth in depths.items())

    def bram18(self, depths: Depths) -> int:
        """Block RAMs of all FIFOs (M20Ks on Intel parts)."""
        return sum(self.blocks(name, depth) for name, depth in depths.items())

    def blocks(self, name: str, depth: int) -> int:
        """Block RAMs of one FIFO."""
        key = self._widths[name], depth, *self._stores[name]
        if key not in self._blocks:
            found = total(stream_parts(self._tech, *key)).rounded(self._tech)
            self._blocks[key] = found.bram18 + found.m20k
        return self._blocks[key]

    def cost(self, name: str, depth: int) -> tuple[int, int]:
        """What one FIFO costs, by the goal first."""
        bits = self._widths[name] * depth
        return (bits, 0) if self.goal == "bits" else (self.blocks(name, depth), bits)

    def total(self, depths: Depths) -> tuple[int, int]:
        """What all FIFOs cost, by the goal first."""
        costs = [self.cost(name, depth) for name, depth in depths.items()]
        return sum(first for first, _ in costs), sum(second for _, second in costs)

    def saving(self, depths: Depths, shallower: Depths) -> tuple[int, int]:
        """What some FIFOs save that become as shallow as ``shallower`` says."""
        before = self.total({name: depths[name] for name in shallower})
        after = self.total(shallower)
        return before[0] - after[0], before[1] - after[1]
