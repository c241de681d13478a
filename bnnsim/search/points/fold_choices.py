"""Target intervals, and for each the folds of a layer that are worth having."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bnnsim.search.front.front import is_on_front
from bnnsim.search.points.tables import Row, Rows, Tables, tabulate
from bnnsim.search.space.space import Space

TARGET = "target_interval"
"""The parameter that counts the targets."""
SLACK = "slack."
"""In front of a layer's name: the parameter that counts its non-dominated folds."""


@dataclass(frozen=True)
class FoldChoices:
    """What a space's free layers can be folded to, target by target."""

    space: Space
    slowest_cycles: int | None = None
    """Initiation intervals beyond this are of no interest."""
    counts_power: bool = True
    """Whether a fold may be worth having for its watts alone."""

    @cached_property
    def tables(self) -> Tables:
        """What each fold of each free layer costs."""
        return tabulate(self.space)

    @cached_property
    def targets(self) -> tuple[int, ...]:
        """Initiation intervals in cycles that some layer's fold has exactly, slowest first.

        None is faster than the fastest that every layer can reach, none slower than the slowest, or
        than ``slowest_cycles`` where that leaves any.
        """
        if not self.tables.rows:
            return ()
        styles = [list(rows.values()) for rows in self._styles]
        fastest = min(
            max(min(row.fold.cycles for row in rows) for rows in tables) for tables in styles
        )
        cycles = {row.fold.cycles for tables in styles for rows in tables for row in rows}
        reachable = sorted((c for c in cycles if c >= fastest), reverse=True)
        limit = self.slowest_cycles
        wanted = [c for c in reachable if limit is None or c <= limit]
        return tuple(wanted or reachable[-1:])

    @property
    def _styles(self) -> tuple[Rows, ...]:
        return self.tables.rows, *self.tables.styles

    @cached_property
    def _found(self) -> dict[tuple[str, int], list[Row]]:
        return {}

    def non_dominated_folds(self, layer: str, target: int) -> list[Row]:
        """The folds of a layer within ``target`` cycles that, with some style, no other undercuts in
        logic, memory and, where that counts, power.

        Rows of the first style, least logic first. A layer's slack is the index into this list.
        """
        if (layer, target) not in self._found:
            wanted = {
                row.fold.sides
                for rows in self._styles
                for row in self._non_dominated(rows[layer], target)
            }
            rows = [row for row in self.tables.rows[layer] if row.fold.sides in wanted]
            rows.sort(key=lambda r: (r.logic, r.memory, r.fold.cycles, r.fold.pe, r.fold.simd))
            self._found[layer, target] = rows
        return self._found[layer, target]

    def _non_dominated(self, rows: Sequence[Row], target: int) -> list[Row]:
        """The rows within ``target`` cycles that no other undercuts; of equal ones the fastest."""
        within = [row for row in rows if row.fold.cycles <= target]
        within.sort(key=lambda row: (row.fold.cycles, row.fold.sides))
        watts = [row.watts_per_mhz(target) if self.counts_power else 0.0 for row in within]
        losses = np.array([(r.logic, r.memory, w) for r, w in zip(within, watts, strict=True)])
        losses = losses.reshape(len(within), 3)
        _, first = np.unique(losses, axis=0, return_index=True)
        first.sort()
        return [within[place] for place in first[is_on_front(losses[first])]]
