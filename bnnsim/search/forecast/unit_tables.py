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
        self._known: list[dict[int, int]] = []
        self._factors = np.zeros((len(sizes), 0), np.int64)
        self._brings = np.zeros((ROWS, len(COLUMNS)))
        self._count = NOTHING + 1

    def place(self, name: str, places: tuple[int, ...]) -> None:
        """Units called ``name`` depend on the fields at ``places``."""
        if places not in self._group_at:
            self._group_at[places] = len(self._known)
            self._known.append({})
            factors, factor = np.zeros((len(self.sizes), 1), np.int64), 1
            for place in reversed(places):
                factors[place] = (factor + WRAP) % (2 * WRAP) - WRAP
                factor *= self.sizes[place]
            self._factors = np.concatenate([self._factors, factors], axis=1)
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
        columns = zip(self._known, keys.T.tolist(), strict=True)
        found = [list(map(known.get, own, repeat(NOTHING))) for known, own in columns]
        return np.array(found, np.int64).reshape(len(self._known), len(keys))

    def keep(self, fields: Int64s, brings: Mapping[str, Floats]) -> None:
        """Take in what units bring by name, with ``fields`` ``(fields,)``, for groups of which it is not
        known yet: a name that is missing brings nothing."""
        places = [self.group_of[name] for name in brings]
        rows = np.array(list(brings.values())).reshape(len(places), len(COLUMNS))
        totals = np.zeros((len(self._known), len(COLUMNS)))
        np.add.at(totals[:, :-1], places, rows[:, :-1])
        np.maximum.at(totals[:, -1], places, rows[:, -1])
        for group, key in enumerate(self.keys(fields[None])[0].tolist()):
            if key not in self._known[group]:
                if self._count == len(self._brings):
                    self._brings = np.concatenate([self._brings, np.zeros_like(self._brings)])
                self._brings[self._count] = totals[group]
                self._known[group][key] = self._count
                self._count += 1

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
