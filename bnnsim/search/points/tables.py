"""What each fold of each layer costs and how long it takes: unit by unit, without running anything.

Only for proposing: the evaluator runs every design. All layers are tabulated at once: the k-th design
gives every layer its k-th fold, with the first values of all other knobs; then once more for each other
style of memories, windows or pipelines that the space leaves free.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bnnsim.arrays import Floats
from bnnsim.design.design import Design
from bnnsim.search.forecast.contributions import COLUMN, COLUMNS, contributions
from bnnsim.search.forecast.unit_facts import UnitFacts
from bnnsim.search.points.folding import Fold, folds
from bnnsim.search.points.point_design import point_design
from bnnsim.search.space.fields import Knob, Value
from bnnsim.search.space.space import Space
from bnnsim.spec.faults import SpecError

UNLIMITED = 100_000
"""Stands for a resource that neither budget nor device bounds."""


@dataclass(frozen=True)
class Row:
    """One fold with the cycles a frame of its layer's slowest unit and what the layer's units use.

    ``logic`` is in LUTs (Intel: ALMs), ``memory`` in BRAM18s (M20Ks); watts as in
    :mod:`bnnsim.search.forecast.contributions`.
    """

    fold: Fold
    logic: int
    memory: int
    clock_w_per_mhz: float
    work_w_per_mhz: float

    def watts_per_mhz(self, interval_cycles: int) -> float:
        """What the layer's units take where a frame comes every ``interval_cycles``."""
        return self.clock_w_per_mhz + self.work_w_per_mhz / interval_cycles


Rows = Mapping[str, tuple[Row, ...]]


@dataclass(frozen=True)
class Tables:
    """The rows of every free layer, what the rest of the design uses, and what there is of it."""

    rows: Rows
    """With the first values of all other knobs."""
    styles: tuple[Rows, ...]
    """With another value of what has no order (memories, windows, pipelines), one field at a time."""
    other_logic: int
    other_memory: int
    logic: str
    memory: str
    rooms: tuple[Mapping[str, float], ...]
    """By name, for each device that a design can have, in the order of the knob's values."""
    built: tuple[tuple[Mapping[str, Value], Mapping[str, Floats]], ...] = ()
    """The knobs of the designs that were built for the rows, and what their units bring."""
    facts: UnitFacts = field(default_factory=UnitFacts, compare=False, repr=False)
    """What was found of the units of these designs."""


def tabulate(space: Space) -> Tables:
    """The tables of a space's free layers."""
    if not space.folded:
        return Tables({}, (), 0, 0, "lut", "bram18", ())
    names = ("lut", "bram18")
    if point_design(space, space.first_knobs).device.vendor == "intel":
        names = ("alm", "m20k")
    facts = UnitFacts()
    built = list(_built(space, {}, facts))
    rows, other = _rows(space, built, names)
    styles = []
    for style in _styles(space):
        with contextlib.suppress(SpecError):  # some folds have no design of such a style
            more = list(_built(space, style, facts))
            styles.append(_rows(space, more, names)[0])
            built += more
    rooms = tuple(_rooms(space, names))
    return Tables(rows, tuple(styles), *other, *names, rooms, tuple(built), facts)


def _styles(space: Space) -> Iterator[dict[str, Value]]:
    """Other values of knobs without an order, those of one field of all layers together."""
    fields: dict[str, list[Knob]] = {}
    for knob in space.knobs:
        if not knob.is_ordered and knob.name != space.device_knob:
            fields.setdefault(knob.name.rpartition(".")[2], []).append(knob)
    for knobs in fields.values():
        for place in range(1, max(len(knob.values) for knob in knobs)):
            yield {knob.name: knob.values[min(place, len(knob.values) - 1)] for knob in knobs}


def _built(
    space: Space, style: Mapping[str, Value], facts: UnitFacts
) -> Iterator[tuple[Mapping[str, Value], Mapping[str, Floats]]]:
    """Designs of one style in which every fold of every layer occurs, the k-th of all in the k-th one."""
    choices = {layer: folds(space.network.nodes[layer]) for layer in space.folded}
    for k in range(max(map(len, choices.values()))):
        knobs = {**space.first_knobs, **style}
        for layer, found in choices.items():
            fold = found[min(k, len(found) - 1)]
            knobs[f"layers.{layer}.pe"], knobs[f"layers.{layer}.simd"] = fold.sides
        design = point_design(space, knobs)
        assert isinstance(design, Design), "only streaming layers fold"
        yield knobs, contributions(design, space.folded, facts)


def _rows(
    space: Space, built: Sequence[tuple[object, Mapping[str, Floats]]], names: tuple[str, str]
) -> tuple[Rows, tuple[int, int]]:
    """The rows of all layers with one style, and what the rest of the design uses."""
    rows: dict[str, list[Row]] = {layer: [] for layer in space.folded}
    columns = [COLUMN[name] for name in (*names, "clock_w_per_mhz", "work_w_per_mhz")]
    for k, (_, brings) in enumerate(built):
        total = {layer: np.zeros(len(COLUMNS)) for layer in (*space.folded, "")}
        for name, row in brings.items():
            own = total[name.partition(" ")[0]]
            own[:-1] += row[:-1]
            own[-1] = max(own[-1], row[-1])
        for layer in space.folded:
            choices = folds(space.network.nodes[layer])
            if k < len(choices):
                cycles = max(choices[k].cycles, int(total[layer][-1]))
                logic, memory, clock_w, work_w = total[layer][columns].tolist()
                fold = replace(choices[k], cycles=cycles)
                rows[layer].append(Row(fold, int(logic), int(memory), clock_w, work_w))
    other_logic, other_memory = (int(total[""][column]) for column in columns[:2])
    return {layer: tuple(found) for layer, found in rows.items()}, (other_logic, other_memory)


def _rooms(space: Space, names: tuple[str, str]) -> Iterator[Mapping[str, float]]:
    """What there is of logic and memory with each device."""
    chosen: list[Mapping[str, Value]] = [
        {knob.name: device}
        for knob in space.knobs
        if knob.name == space.device_knob
        for device in knob.values
    ]
    for device in chosen or [{}]:
        budget = point_design(space, {**space.first_knobs, **device}).budget
        yield {name: float(getattr(budget, name) or UNLIMITED) for name in names}
