"""What each fold of each layer costs and how long it takes: unit by unit, without running anything.

Only for proposing: the evaluator runs every design. All layers are tabulated at once: the k-th design
gives every layer its k-th fold, with the first values of all other knobs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bnnsim.cost.resources import estimate_resources
from bnnsim.design.design import Design
from bnnsim.search.points.folding import Fold, folds
from bnnsim.search.points.point_design import point_design
from bnnsim.search.space.fields import Value
from bnnsim.search.space.space import Space
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.programs.program import Lockstep

UNLIMITED = 100_000
"""Stands for a resource that neither budget nor device bounds."""


@dataclass(frozen=True)
class Row:
    """One fold with the cycles a frame of its layer's slowest unit and what the layer's units use.

    ``logic`` is in LUTs (Intel: ALMs), ``memory`` in BRAM18s (M20Ks).
    """

    fold: Fold
    logic: int
    memory: int


@dataclass(frozen=True)
class Tables:
    """The rows of every free layer, what the rest of the design uses, and what there is of it."""

    rows: Mapping[str, tuple[Row, ...]]
    other_logic: int
    other_memory: int
    logic: str
    memory: str
    rooms: tuple[Mapping[str, float], ...]
    """By name, for each device that a design can have, in the order of the knob's values."""


def tabulate(space: Space) -> Tables:
    """The tables of a space's free layers."""
    choices = {layer: folds(space.network.nodes[layer]) for layer in space.folded}
    rows: dict[str, list[Row]] = {layer: [] for layer in space.folded}
    other = (0, 0)
    names = ("lut", "bram18")
    for k in range(max((len(folds_) for folds_ in choices.values()), default=0)):
        chosen = {layer: folds_[min(k, len(folds_) - 1)] for layer, folds_ in choices.items()}
        design = _design(space, chosen)
        if design.device.vendor == "intel":
            names = ("alm", "m20k")
        used, other = _used(design, space, names)
        cycles = _cycles(design, space)
        for layer, fold in chosen.items():
            if k < len(choices[layer]):
                slowest = replace(fold, cycles=max(fold.cycles, cycles.get(layer, 0)))
                rows[layer].append(Row(slowest, *used[layer]))
    kept = {layer: tuple(found) for layer, found in rows.items()}
    rooms = tuple(_rooms(space, names)) if kept else ()
    return Tables(kept, *other, *names, rooms)


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


def _design(space: Space, chosen: Mapping[str, Fold]) -> Design:
    knobs = dict(space.first_knobs)
    for layer, fold in chosen.items():
        knobs[f"layers.{layer}.pe"] = fold.pe
        knobs[f"layers.{layer}.simd"] = fold.simd
    design = point_design(space, knobs)
    assert isinstance(design, Design), "only streaming layers fold"
    return design


def _owners(design: Design, space: Space) -> dict[str, str]:
    """For each layer of units the free layer whose fold shapes it: itself, or the one before it."""
    owners: dict[str, str] = {}
    last = ""
    for unit in design.graph.units:
        last = unit.layer if unit.layer in space.folded else last
        owners.setdefault(unit.layer, last)
    return owners


def _used(
    design: Design, space: Space, names: tuple[str, str]
) -> tuple[dict[str, tuple[int, int]], tuple[int, int]]:
    """Logic and memory by free layer, and of everything else."""
    found = estimate_resources(design)
    owners = _owners(design, space)
    used = dict.fromkeys([*space.folded, ""], (0, 0))
    for unit in found.units:
        owner = owners.get(unit.layer, "")
        logic, memory = used[owner]
        own = [int(getattr(unit.amounts, name)) for name in names]
        used[owner] = (logic + own[0], memory + own[1])
    return used, used.pop("")


def _cycles(design: Design, space: Space) -> dict[str, int]:
    """Cycles a frame of the slowest unit of each free layer when nothing holds it up."""
    units = design.graph.unit_by_name
    owners = _owners(design, space)
    result: dict[str, int] = {}
    for unit in build_timing(design.graph).units:
        program = unit.program
        words = max(program.words_in, program.words_out)
        cycles = program.steps if isinstance(program, Lockstep) else words
        owner = owners[units[unit.part_of or unit.name].layer]
        result[owner] = max(result.get(owner, 0), cycles)
    return result
