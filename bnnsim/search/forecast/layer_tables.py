"""Forecasts of a space that folds: tables of what units bring, filled as points need them.

What a unit brings depends on few free fields: its layer's fold, one style, the depth of one FIFO. Which
they are is found out by changing one field at a time. A design that is built then says what each of its
units brings in all points that agree in that unit's fields, so that some hundred designs forecast all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bnnsim.arrays import Bools, Floats, Int64s
from bnnsim.design.design import Design
from bnnsim.search.forecast.contributions import COLUMNS, contributions
from bnnsim.search.forecast.unit_facts import UnitFacts
from bnnsim.search.points.fold_choices import SLACK, TARGET
from bnnsim.search.points.point_design import point_design
from bnnsim.search.points.target_encoding import TargetEncoding
from bnnsim.search.space.fields import Value
from bnnsim.spec.faults import SpecError

BASES = ((0.4, 0), (1.0, -1))
"""Where fields are changed one at a time: how far along their folds the layers are, and which values
knobs have. What a field does may show at one of them alone."""
MOST_TRIED_VALUES = 4
"""Of one field, on the way to what depends on it."""
ROUNDING = 1e-9
"""Of sums of watts, as a share: what differs by less is the same."""

WRAP = 1 << 63
"""Where keys of many fields wrap, as int64 do."""


class Group:
    """Units that depend on the same fields (``places``), and what they bring together by key."""

    def __init__(self, places: tuple[int, ...]) -> None:
        self.places = places
        self.names: set[str] = set()
        self.known: dict[int, Floats] = {}
        self.keys = np.zeros(0, np.int64)
        self.brings = np.zeros((0, len(COLUMNS)))

    def keys_of(self, sizes: Sequence[int], fields: Int64s) -> Int64s:
        """The keys ``(points,)`` of ``fields`` ``(points, fields)``, each with so many values."""
        keys = np.zeros(len(fields), np.int64)
        for place in self.places:
            keys = keys * sizes[place] + fields[:, place]
        return keys

    def key(self, sizes: Sequence[int], values: Sequence[int]) -> int:
        """The same of one point, sooner."""
        key = 0
        for place in self.places:
            key = key * sizes[place] + values[place]
        return (key + WRAP) % (2 * WRAP) - WRAP

    def find(self, keys: Int64s) -> tuple[Int64s, Bools]:
        """Rows of ``brings`` for ``keys``, and which of them are known."""
        if len(self.keys) < len(self.known):
            order = sorted(self.known)
            self.keys = np.array(order, np.int64)
            self.brings = np.array([self.known[key] for key in order])
        at = np.searchsorted(self.keys, keys)
        known = at < len(self.keys)
        known[known] = self.keys[at[known]] == keys[known]
        return at, known


@dataclass
class _Wanted:
    """A design that is to be built for what it says of ``points``: with ``fixed`` fields, by place."""

    fields: Int64s
    fixed: dict[int, int]
    points: list[int]

    def agrees(self, wanted: Mapping[int, int]) -> bool:
        return all(self.fixed.get(place, value) == value for place, value in wanted.items())

    def add(self, wanted: Mapping[int, int], point: int) -> None:
        self.fixed |= wanted
        self.fields[list(wanted)] = list(wanted.values())
        self.points.append(point)


class LayerTables:
    """What units bring, by the fields that it depends on.

    Points are rows of positions, in the order of ``encoding.sizes``; fields are positions of folds, layer
    by layer, and of knobs' values.
    """

    def __init__(self, encoding: TargetEncoding) -> None:
        self.encoding = encoding
        self.space = encoding.space
        rows = encoding.choices.tables.rows
        self.sizes = [len(rows[layer]) for layer in self.space.folded]
        self.sizes += [len(knob.values) for knob in self.space.knobs]
        self._facts = UnitFacts()
        self._built: list[tuple[Int64s, Mapping[str, Floats]]] = []
        self._groups: dict[tuple[int, ...], Group] = {}
        self._group_of: dict[str, Group] = {}
        for name, places in self._dependencies().items():
            self._place(name, tuple(sorted(places)))
        self._built += [(self._fields_of(n), b) for n, b in encoding.choices.tables.built]
        for fields, brings in self._built:
            self._keep(fields, brings)

    def _place(self, name: str, places: tuple[int, ...]) -> None:
        group = self._groups.setdefault(places, Group(places))
        group.names.add(name)
        self._group_of[name] = group

    # ---- from points to fields ---------------------------------------------------------------

    @cached_property
    def _fold_places(self) -> list[Int64s]:
        """For each free layer the position of its fold, by target and slack ``(targets, slacks)``."""
        choices = self.encoding.choices
        found = []
        for layer in self.space.folded:
            places = {row.fold: place for place, row in enumerate(choices.tables.rows[layer])}
            table = []
            for target in choices.targets:
                rows = choices.non_dominated_folds(layer, target)
                last = len(rows) - 1
                slacks = range(self.encoding.sizes[SLACK + layer])
                table.append([places[rows[min(slack, last)].fold] for slack in slacks])
            found.append(np.array(table, np.int64))
        return found

    @cached_property
    def _column(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self.encoding.sizes)}

    def fields(self, points: Int64s) -> Int64s:
        """The fields ``(points, fields)`` of ``points`` ``(points, parameters)``."""
        column = self._column
        targets = points[:, column[TARGET]]
        folds = [
            table[targets, points[:, column[SLACK + layer]]]
            for layer, table in zip(self.space.folded, self._fold_places, strict=True)
        ]
        knobs = [points[:, column[knob.name]] for knob in self.space.knobs]
        return np.stack([*folds, *knobs], axis=1)

    def _fields_of(self, knobs: Mapping[str, Value]) -> Int64s:
        """The fields of a point that a user names."""
        rows = self.encoding.choices.tables.rows
        places = []
        for layer in self.space.folded:
            pe, simd = (knobs[f"layers.{layer}.{side}"] for side in ("pe", "simd"))
            sides: list[tuple[Value, Value]] = [row.fold.sides for row in rows[layer]]
            places.append(sides.index((pe, simd)))
        places += [knob.values.index(knobs[knob.name]) for knob in self.space.knobs]
        return np.array(places, np.int64)

    def _design(self, fields: Int64s) -> Design | None:
        rows = self.encoding.choices.tables.rows
        folded = self.space.folded
        knobs = dict(self.space.first_knobs)
        for layer, place in zip(folded, fields, strict=False):
            fold = rows[layer][int(place)].fold
            knobs[f"layers.{layer}.pe"], knobs[f"layers.{layer}.simd"] = fold.pe, fold.simd
        for knob, place in zip(self.space.knobs, fields[len(folded) :], strict=True):
            knobs[knob.name] = knob.values[int(place)]
        try:
            design = point_design(self.space, knobs)
        except SpecError:
            return None
        assert isinstance(design, Design), "only pipelines fold"
        return design

    # ---- what depends on what ----------------------------------------------------------------

    def _dependencies(self) -> dict[str, set[int]]:
        """For each unit the fields that what it brings depends on."""
        nothing = np.zeros(len(COLUMNS))
        found: dict[str, set[int]] = {}
        for share, value in BASES:
            base = np.array([value % size for size in self.sizes], np.int64)
            for place in range(len(self.space.folded)):
                base[place] = round(share * (self.sizes[place] - 1))
            before = self._measured(base)
            if before is None:
                continue
            for place, changed in self._one_changed(base):
                after = self._measured(changed)
                if after is None:
                    continue
                for name in {**before, **after}:
                    here, there = before.get(name, nothing), after.get(name, nothing)
                    found.setdefault(name, set())
                    if not np.allclose(here, there, rtol=ROUNDING, atol=0):
                        found[name].add(place)
        return found

    def _one_changed(self, base: Int64s) -> Iterator[tuple[int, Int64s]]:
        for place, size in enumerate(self.sizes):
            others = [value for value in range(size) if value != base[place]]
            step = max(1, len(others) // MOST_TRIED_VALUES)
            for value in others[::-step][:MOST_TRIED_VALUES]:
                changed = base.copy()
                changed[place] = value
                yield place, changed

    def _measured(self, fields: Int64s) -> Mapping[str, Floats] | None:
        """What units bring with these fields; None where there is no such design."""
        design = self._design(fields)
        if design is None:
            return None
        found = contributions(design, self.space.folded, self._facts)
        self._built.append((fields, found))
        return found

    # ---- the tables --------------------------------------------------------------------------

    def _keep(self, fields: Int64s, brings: Mapping[str, Floats]) -> None:
        new = [name for name in brings if name not in self._group_of]
        if new:  # not there in any design before: it may depend on everything
            for name in new:
                self._place(name, tuple(range(len(self.sizes))))
        order = {id(group): place for place, group in enumerate(self._groups.values())}
        places = [order[id(self._group_of[name])] for name in brings]
        rows = np.array(list(brings.values()))
        totals = np.zeros((len(order), len(COLUMNS)))
        np.add.at(totals[:, :-1], places, rows[:, :-1])
        np.maximum.at(totals[:, -1], places, rows[:, -1])
        values = fields.tolist()
        for group, total in zip(self._groups.values(), totals, strict=True):
            group.known.setdefault(group.key(self.sizes, values), total)

    def fill(self, points: Int64s) -> Bools:
        """Build designs until what the units of ``points`` bring is known; which of these ``(points,)``
        have a design, as far as that was seen.

        What several points lack is got from one design where their fields agree.
        """
        fields = self.fields(points)
        exists = np.ones(len(points), bool)
        for wanted, places in self._together(fields):
            found = self._measured(wanted)
            if found is not None:
                self._take_in(wanted, found)
                continue
            for place in places:
                own = None if np.array_equal(fields[place], wanted) else self._measured(fields[place])
                exists[place] = own is not None
                if own is not None:
                    self._take_in(fields[place], own)
        return exists

    def _together(self, fields: Int64s) -> list[tuple[Int64s, list[int]]]:
        """Fields of designs that together say all that is not known of ``fields`` ``(points, fields)``,
        and which of these points each is for."""
        designs: list[_Wanted] = []
        for group in self._groups.values():
            keys = group.keys_of(self.sizes, fields)
            lacking = np.flatnonzero(~group.find(keys)[1])
            _, first = np.unique(keys[lacking], return_index=True)
            for point in lacking[np.sort(first)].tolist():
                wanted = {place: int(fields[point, place]) for place in group.places}
                design = next((d for d in designs if d.agrees(wanted)), None)
                if design is None:
                    design = _Wanted(fields[point].copy(), {}, [])
                    designs.append(design)
                design.add(wanted, point)
        return [(design.fields, sorted(set(design.points))) for design in designs]

    def _take_in(self, fields: Int64s, found: Mapping[str, Floats]) -> None:
        if found.keys() <= self._group_of.keys():
            self._keep(fields, found)
        else:
            for built in self._built:
                self._keep(*built)

    def look_up(self, points: Int64s) -> tuple[Floats, Floats, Bools]:
        """Sums ``(points, sums)`` and the slowest unit's cycles ``(points,)``, and which are known."""
        fields = self.fields(points)
        if len(points) == 1:
            return self._look_up(fields[0].tolist())
        totals = np.zeros((len(points), len(COLUMNS) - 1))
        cycles = np.zeros(len(points))
        known = np.ones(len(points), bool)
        for group in self._groups.values():
            at, found = group.find(group.keys_of(self.sizes, fields))
            known &= found
            if not known.any():
                break
            at[~found] = 0
            totals += group.brings[at, :-1]
            np.maximum(cycles, group.brings[at, -1], out=cycles)
        return totals, cycles, known

    def _look_up(self, fields: Sequence[int]) -> tuple[Floats, Floats, Bools]:
        """The same of one point, sooner."""
        found = [group.known.get(group.key(self.sizes, fields)) for group in self._groups.values()]
        rows = np.array([row for row in found if row is not None]).reshape(-1, len(COLUMNS))
        if len(rows) < len(found):
            return np.zeros((1, len(COLUMNS) - 1)), np.zeros(1), np.zeros(1, bool)
        return rows[:, :-1].sum(axis=0)[None], rows[:, -1].max(axis=0)[None], np.ones(1, bool)
