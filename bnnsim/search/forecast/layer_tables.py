"""Forecasts of a space that folds: tables of what units bring, filled as points need them.

What a unit brings depends on few free fields: its layer's fold, one style, the depth of one FIFO. Which
they are is found out by changing one field at a time. A design that is built then says what each of its
units brings in all points that agree in that unit's fields, so that some hundred designs forecast all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bnnsim.arrays import Bools, Floats, Int64s
from bnnsim.design.design import Design
from bnnsim.search.forecast.contributions import COLUMNS, contributions
from bnnsim.search.forecast.unit_tables import NOTHING, UnitTables
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
        self._facts = encoding.choices.tables.facts
        self._built: list[tuple[Int64s, Mapping[str, Floats]]] = []
        self._tables = UnitTables(self.sizes)
        for name, places in self._dependencies().items():
            self._tables.place(name, tuple(sorted(places)))
        self._built += [(self._fields_of(n), b) for n, b in encoding.choices.tables.built]
        for fields, brings in self._built:
            self._keep(fields, brings)

    # ---- from points to fields ---------------------------------------------------------------

    @cached_property
    def _fold_places(self) -> tuple[Int64s, Int64s]:
        """The position of the fold ``(targets, columns)`` of each free layer by target and slack, layer
        after layer, and where each layer's columns begin."""
        choices = self.encoding.choices
        tables, starts = [], [0]
        for layer in self.space.folded:
            places = {row.fold: place for place, row in enumerate(choices.tables.rows[layer])}
            slacks = self.encoding.sizes[SLACK + layer]
            table = []
            for target in choices.targets:
                found = [places[row.fold] for row in choices.non_dominated_folds(layer, target)]
                table.append([found[min(slack, len(found) - 1)] for slack in range(slacks)])
            tables.append(np.array(table, np.int64))
            starts.append(starts[-1] + slacks)
        return np.concatenate(tables, axis=1), np.array(starts[:-1], np.int64)

    @cached_property
    def _columns(self) -> tuple[int, list[int], list[int]]:
        """The columns of the target, of the slacks of the free layers, and of the knobs."""
        column = {name: place for place, name in enumerate(self.encoding.sizes)}
        slacks = [column[SLACK + layer] for layer in self.space.folded]
        return column[TARGET], slacks, [column[knob.name] for knob in self.space.knobs]

    def fields(self, points: Int64s) -> Int64s:
        """The fields ``(points, fields)`` of ``points`` ``(points, parameters)``."""
        target, slacks, knobs = self._columns
        table, starts = self._fold_places
        folds = table[points[:, target, None], points[:, slacks] + starts]
        return np.concatenate([folds, points[:, knobs]], axis=1)

    @cached_property
    def _place_of(self) -> Mapping[str, Mapping[tuple[Value, Value], int]]:
        """The position of each fold by PE and SIMD, for each free layer."""
        rows = self.encoding.choices.tables.rows
        return {
            layer: {row.fold.sides: place for place, row in enumerate(rows[layer])}
            for layer in self.space.folded
        }

    def _fields_of(self, knobs: Mapping[str, Value]) -> Int64s:
        """The fields of a point that a user names."""
        places = []
        for layer, at in self._place_of.items():
            pe, simd = (knobs[f"layers.{layer}.{side}"] for side in ("pe", "simd"))
            places.append(at[pe, simd])
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
                names = list({**before, **after})
                here, there = (np.array([b.get(n, nothing) for n in names]) for b in (before, after))
                are_equal = np.isclose(here, there, rtol=ROUNDING, atol=0).all(axis=1)
                for name, is_equal in zip(names, are_equal.tolist(), strict=True):
                    depends = found.setdefault(name, set())
                    if not is_equal:
                        depends.add(place)
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
        """What units bring with these fields, but for what is known; None where there is no such design.
        """
        design = self._design(fields)
        if design is None:
            return None
        known, cycles = self._tables.known_of(fields)
        found = contributions(design, self.space.folded, self._facts, known, cycles)
        self._built.append((fields, found))
        return found

    # ---- the tables --------------------------------------------------------------------------

    def _keep(self, fields: Int64s, brings: Mapping[str, Floats]) -> None:
        for name in brings:
            if name not in self._tables.group_of:  # not there before: it may depend on everything
                self._tables.place(name, tuple(range(len(self.sizes))))
        self._tables.keep(fields, brings)

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
        keys = self._tables.keys(fields)
        lacking = self._tables.rows(keys) == NOTHING
        for group, places in enumerate(self._tables.places):
            first: dict[int, int] = {}
            for point in np.flatnonzero(lacking[group]).tolist():
                first.setdefault(int(keys[point, group]), point)
            for point in first.values():
                wanted = {place: int(fields[point, place]) for place in places}
                design = next((d for d in designs if d.agrees(wanted)), None)
                if design is None:
                    design = _Wanted(fields[point].copy(), {}, [])
                    designs.append(design)
                design.add(wanted, point)
        return [(design.fields, sorted(set(design.points))) for design in designs]

    def _take_in(self, fields: Int64s, found: Mapping[str, Floats]) -> None:
        if found.keys() <= self._tables.group_of.keys():
            self._keep(fields, found)
        else:
            for built in self._built:
                self._keep(*built)

    def look_up(self, points: Int64s) -> tuple[Floats, Floats, Bools]:
        """Sums ``(points, sums)`` and the slowest unit's cycles ``(points,)``, and which are known."""
        return self._tables.look_up(self.fields(points))
