"""Target intervals, and for each the folds of a layer that are worth having."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bnnsim.search.points.tables import Row, Tables, tabulate
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
    def _found(self) -> dict[tuple[str, int], list[Row]]:
        return {}

    def non_dominated_folds(self, layer: str, target: int) -> list[Row]:
        """The folds of a layer within ``target`` cycles that no other undercuts in logic and memory.

        Least logic first, so that memory falls along the list; of equal folds the fastest. A layer's
        slack is the index into this list.
        """
        if (layer, target) not in self._found:
            rows = [row for row in self.tables.rows[layer] if row.fold.cycles <= target]
            rows.sort(key=lambda r: (r.logic, r.memory, r.fold.cycles, r.fold.pe, r.fold.simd))
            found: list[Row] = []
            for row in rows:
                if not found or row.memory < found[-1].memory:
                    found.append(row)
            self._found[layer, target] = found
        return self._found[layer, target]
