"""What units bring, by the values of the fields that they depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat

import numpy as np

from bnnsim.arrays import Bools, Floats, Int64s
from bnnsim.search.forecast.contributions import COLUMNS

WRAP = 1 << 63
"""Where keys of many fields wrap, as int64 do."""
ROWS = 1024
"""Of a table that has nothing yet."""
NOTHING = 0
"""The row of what is not known: zeros."""
MOST_CELLS = 1 << 16
"""A group with so many keys at most has a cell for each; one with more has its keys in a dictionary."""


class UnitTables:
    """Groups of units that depend on the same fields, and what each group brings by its fields' values.

    ``sizes`` are the numbers of values of the fields; groups are numbered in the order of their first
    names.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = sizes
        self.group_of: dict[str, int] = {}
        """The group of a unit's name."""
        self._group_at: dict[tuple[int, ...], int] = {}
        # Where the rows of groups are found by key: in cells from a first one on, or in a dictionary.
        self._first_cell: list[int] = []
        self._cells = np.zeros(1, np.int64)  # the first is of no group
        self._known: dict[int, dict[int, int]] = {}
        self._factors = np.zeros((len(sizes), 0), np.int64)
        self._brings = np.zeros((ROWS, len(COLUMNS)))
        self._count = NOTHING + 1

    def place(self, name: str, places: tuple[int, ...]) -> None:
        """Units called ``name`` depend on the fields at ``places``."""
        if places not in self._group_at:
            group = self._group_at[places] = len(self._group_at)
            factors, factor = np.zeros((len(self.sizes), 1), np.int64), 1
            for place in reversed(places):
                factors[place] = (factor + WRAP) % (2 * WRAP) - WRAP
                factor *= self.sizes[place]
            self._factors = np.concatenate([self._factors, factors], axis=1)
            has_cells = factor <= MOST_CELLS
            self._first_cell.append(len(self._cells) if has_cells else 0)
            if has_cells:
                self._cells = np.concatenate([self._cells, np.zeros(factor, np.int64)])
            else:
                self._known[group] = {}
        self.group_of[name] = self._group_at[places]

    @property
    def places(self) -> list[tuple[int, ...]]:
        """The fields of each group."""
        return list(self._group_at)

    def keys(self, fields: Int64s) -> Int64s:
        """Keys ``(points, groups)`` of ``fields`` ``(points, fields)``: equal where a group's are."""
        found: Int64s = fields @ self._factors
        return found

    def rows(self, keys: Int64s) -> Int64s:
        """Where the tables have what each group brings, ``(groups, points)``."""
        cells = keys.T + np.array(self._first_cell, np.int64)[:, None]
        cells[list(self._known)] = 0
        found: Int64s = self._cells[cells]
        for group, known in self._known.items():
            found[group] = list(map(known.get, keys[:, group].tolist(), repeat(NOTHING)))
        return found

    def keep(self, fields: Int64s, brings: Mapping[str, Floats]) -> None:
        """Take in what units bring by name, with ``fields`` ``(fields,)``, for groups of which it is not
        known yet: a name that is missing brings nothing."""
        keys = self.keys(fields[None])
        new = np.flatnonzero(self.rows(keys)[:, 0] == NOTHING).tolist()
        while self._count + len(new) > len(self._brings):
            self._brings = np.concatenate([self._brings, np.zeros_like(self._brings)])
        rows = {group: self._count + place for place, group in enumerate(new)}
        self._count += len(new)
        for name, given in brings.items():
            if (row := rows.get(self.group_of[name])) is not None:
                total = self._brings[row]
                total[:-1] += given[:-1]
                total[-1] = max(total[-1], given[-1])
        for group, row in rows.items():
            key = int(keys[0, group])
            if group in self._known:
                self._known[group][key] = row
            else:
                self._cells[self._first_cell[group] + key] = row

    def look_up(self, fields: Int64s) -> tuple[Floats, Floats, Bools]:
        """Sums ``(points, sums)`` and the slowest unit's cycles ``(points,)`` of ``fields`` ``(points,
        fields)``, and of which points all groups are known; others have those that are."""
        rows = self.rows(self.keys(fields))
        brings = self._brings.take(rows, axis=0)
        known: Bools = np.all(rows > NOTHING, axis=0)
        return brings.sum(axis=0)[:, :-1], brings[:, :, -1].max(axis=0), known

    def known_of(self, fields: Int64s) -> tuple[frozenset[str], float]:
        """The names of units that bring what is known with ``fields`` ``(fields,)``, and the most cycles
        of these."""
        rows = self.rows(self.keys(fields[None]))[:, 0]
        found = rows.tolist()
        names = frozenset(name for name, group in self.group_of.items() if found[group])
        return names, float(self._brings[rows, -1].max(initial=0.0))
