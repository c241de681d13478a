"""The exact front of a space: where layers only share the budget (folding alone), or that is small.

A small space is evaluated point by point. As for the other kind: with FIFOs deep enough to be harmless, a
design's initiation interval is that of its slowest layer and its resources are sums over layers. Then,
for every target interval, the best design is a multiple-choice knapsack: of each layer's folds that meet
the target take one, with the least total cost within the bound. Solved exactly by dynamic programming.
What each fold of a layer brings is measured with all other layers at their fastest; every point of the
result is evaluated like any other, so an assumption that fails shows as a difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bnnsim.search.front.evaluator import evaluate_here
from bnnsim.search.front.objectives import Constraint, Objective
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import PointEncoding
from bnnsim.search.points.folding import Fold, folds
from bnnsim.search.points.knapsack import MOST_TABLE_CELLS, cheapest_choice
from bnnsim.search.points.raw_encoding import RawEncoding
from bnnsim.search.space.alternatives import SearchSpace
from bnnsim.search.space.fields import Value
from bnnsim.search.space.space import Space
from bnnsim.search.study.pool import Pool
from bnnsim.spec.faults import InputError

MOST_ENUMERATED_DESIGNS = 10_000
"""A space with so many designs at most is small enough to evaluate every one: minutes."""
INTERVAL = "initiation_interval_cycles"
ADDITIVE = ("lut", "lutram", "ff", "bram18", "uram", "dsp", "alm", "m20k")
"""Figures that are sums over layers."""


@dataclass(frozen=True)
class ExactPoint:
    """A point of the exact front: raw parameters, and the figures that the knapsack predicts."""

    parameters: Mapping[str, int]
    interval_cycles: int
    cost: float
    bounded: float


@dataclass(frozen=True)
class LayerTable:
    """What each fold of one layer means for the whole: the interval that it alone would give, and its
    ``cost`` and ``bounded`` resource beyond those of the fastest fold."""

    layer: str
    folds: tuple[Fold, ...]
    interval_cycles: npt.NDArray[np.int64]
    cost: npt.NDArray[np.float64]
    bounded: npt.NDArray[np.int64]


def check_exact(
    space: SearchSpace,
    designs: int,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
) -> None:
    """Raise :class:`InputError` where the exact front can be had neither way: the space has too many
    ``designs`` to evaluate all, and is not one for the knapsack."""
    fault = _why_no_knapsack(space, objectives, constraints)
    if fault is not None and designs > MOST_ENUMERATED_DESIGNS:
        place, expected, got = fault
        raise InputError(place, f"{expected}, or at most {MOST_ENUMERATED_DESIGNS:,} designs in all", got)


def _why_no_knapsack(
    space: SearchSpace, objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> tuple[str, str, str] | None:
    """Why the knapsack is not for these: place, expected and got; None where it is."""
    expected = "a space in which only PE and SIMD are free"
    if not isinstance(space, Space):
        return space.name, expected, f"{len(space.members)} alternatives"
    if space.knobs or not space.folded:
        return space.name, expected, f"{len(space.knobs)} other knobs"
    names = [objective.name for objective in objectives]
    costs = _costs(objectives)
    if len(names) != 2 or len(costs) != 1 or not {"throughput_fps", INTERVAL} & set(names):
        return "--sampler exact", "throughput_fps and one resource", ", ".join(names)
    for constraint in constraints:
        if constraint.name not in ADDITIVE or not constraint.is_upper:
            return "--sampler exact", "constraints on resources", str(constraint)
    bounds = {c.name for c in constraints if c.name != costs[0]}
    if len(bounds) > 1:
        return "--sampler exact", "one bounded resource", ", ".join(sorted(bounds))
    return None


def _costs(objectives: Sequence[Objective]) -> list[str]:
    return [o.name for o in objectives if o.name in ADDITIVE and not o.maximises]


def exact_points(
    encoding: PointEncoding,
    space: SearchSpace,
    pool: Pool,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
) -> list[Mapping[str, int]]:
    """Raw parameters of points among which the exact front is.

    Of throughput against one resource, with folding alone free and at most one bound, those of the front
    itself; else every point of the space. Raises :class:`InputError` as :func:`check_exact`.
    """
    check_exact(space, encoding.points, objectives, constraints)
    if not isinstance(space, Space) or _why_no_knapsack(space, objectives, constraints) is not None:
        return list(encoding.every())
    cost = _costs(objectives)[0]
    bounds = {c.name: int(c.bound) for c in constraints if c.name != cost}
    bounded, bound = next(iter(bounds.items()), ("bram18", MOST_TABLE_CELLS // 64))
    return [point.parameters for point in exact_front(space, pool, cost, bounded, bound)]


def exact_front(space: Space, pool: Pool, cost: str, bounded: str, bound: int) -> list[ExactPoint]:
    """The points with the least ``cost`` for each interval that some layer can have.

    ``cost`` and ``bounded`` name resources that add up over layers; ``bounded`` must be a whole number
    of at most ``bound`` in all. Raises :class:`InputError` where the space has other free fields.
    """
    if space.knobs or not space.folded:
        got = f"{len(space.knobs)} other knobs"
        raise InputError(space.name, "a space in which only PE and SIMD are free", got)
    fastest = {
        layer: min(folds(space.network.nodes[layer]), key=lambda fold: fold.cycles)
        for layer in space.folded
    }
    whole = _evaluated(space, pool, [fastest])[0].figures
    tables = [_table(space, pool, fastest, whole, layer, cost, bounded) for layer in space.folded]
    room = bound - int(whole[bounded])
    targets = sorted({int(cycles) for table in tables for cycles in table.interval_cycles})
    points: list[ExactPoint] = []
    for target in targets:
        chosen = _knapsack(tables, target, room)
        if chosen is None:
            continue
        rows = list(zip(tables, chosen, strict=True))
        point = ExactPoint(
            _parameters(space, {table.layer: table.folds[i] for table, i in rows}),
            max(int(table.interval_cycles[i]) for table, i in rows),
            whole[cost] + sum(float(table.cost[i]) for table, i in rows),
            whole[bounded] + sum(int(table.bounded[i]) for table, i in rows),
        )
        # Targets rise, so only what is cheaper than everything faster belongs to the front.
        if not points or point.cost < points[-1].cost:
            points.append(point)
    return points


def _evaluated(space: Space, pool: Pool, foldings: Sequence[Mapping[str, Fold]]) -> list[PointResult]:
    knobs: list[dict[str, Value]] = [
        {
            f"layers.{layer}.{side}": getattr(fold, side)
            for layer, fold in folding.items()
            for side in ("pe", "simd")
        }
        for folding in foldings
    ]
    results = list(pool.map(evaluate_here, knobs, share=8))
    for result in results:
        reason = result.infeasible_reason or ("" if INTERVAL in result.figures else "no interval")
        if reason:
            raise InputError(space.name, "a space whose every folding can be built", reason)
    return results


def _parameters(space: Space, folding: Mapping[str, Fold]) -> dict[str, int]:
    raw = RawEncoding(space)
    parameters = {}
    for layer, fold in folding.items():
        for side, choices in raw.sides(layer).items():
            parameters[f"{side}.{layer}"] = choices.index(getattr(fold, side))
    return parameters


def _table(
    space: Space,
    pool: Pool,
    fastest: Mapping[str, Fold],
    whole: Mapping[str, float],
    layer: str,
    cost: str,
    bounded: str,
) -> LayerTable:
    choices = folds(space.network.nodes[layer])
    results = _evaluated(space, pool, [{**fastest, layer: fold} for fold in choices])
    found = [result.figures for result in results]
    return LayerTable(
        layer,
        choices,
        np.array([round(f[INTERVAL]) for f in found]),
        np.array([f[cost] - whole[cost] for f in found]),
        np.array([round(f[bounded] - whole[bounded]) for f in found]),
    )


def _knapsack(tables: Sequence[LayerTable], target: int, room: int) -> list[int] | None:
    """For each layer the position of its fold with the least total cost; None where none is allowed."""
    meeting = [np.flatnonzero(table.interval_cycles <= target) for table in tables]
    chosen = cheapest_choice(
        [table.cost[rows] for table, rows in zip(tables, meeting, strict=True)],
        [table.bounded[rows] for table, rows in zip(tables, meeting, strict=True)],
        room,
    )
    if chosen is None:
        return None
    return [int(rows[pick]) for rows, pick in zip(meeting, chosen, strict=True)]
