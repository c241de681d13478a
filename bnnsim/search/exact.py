"""The exact front of a space in which layers only share the budget: folding alone.

With FIFOs deep enough to be harmless, a design's initiation interval is the slowest unit's and its
resources are sums over layers. Then, for every target interval, the best design is a multiple-choice
knapsack: of each layer's folds that meet the target take one, with the least total of the second
objective within the constraint. Solved exactly by dynamic programming; every point of the result is
judged like any other, so an assumption that fails shows as a difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bnnsim.search.encoding import RawEncoding
from bnnsim.search.folding import Fold, folds
from bnnsim.search.judge import Judge, Judgement
from bnnsim.search.space import Space
from bnnsim.spec.faults import InputError

LARGEST = 1 << 22
"""Cells of the knapsack's table beyond which the enumeration is refused."""


@dataclass(frozen=True)
class LayerTable:
    """What each fold of one layer adds to the total: ``cost`` (to minimise) and ``bounded`` amounts."""

    layer: str
    folds: tuple[Fold, ...]
    cost: npt.NDArray[np.float64]
    bounded: npt.NDArray[np.int64]


def exact_front(
    space: Space, judge: Judge, cost: str, bounded: str, bound: int
) -> list[dict[str, int]]:
    """Raw parameters of the points with the least ``cost`` for each target interval.

    ``cost`` and ``bounded`` name resources that add up over layers; ``bounded`` must be a whole number
    of at most ``bound`` in all. Raises :class:`InputError` where the space has other free fields.
    """
    if space.knobs or not space.folded:
        raise InputError(
            space.name, "a space in which only PE and SIMD are free", f"{len(space.knobs)} other knobs"
        )
    raw = RawEncoding(space)
    base = {layer: folds(space.network.nodes[layer])[0] for layer in space.folded}
    figures = _judged(judge, raw, base).figures
    tables = [_table(judge, raw, base, figures, layer, cost, bounded) for layer in space.folded]
    room = bound - int(figures[bounded])
    targets = sorted({fold.cycles for table in tables for fold in table.folds})
    points = []
    for target in targets:
        chosen = _knapsack(tables, target, room)
        if chosen is not None:
            points.append(_parameters(raw, dict(zip(space.folded, chosen, strict=True))))
    return [dict(p) for p in {tuple(sorted(point.items())): point for point in points}.values()]


def _judged(judge: Judge, raw: RawEncoding, folding: Mapping[str, Fold]) -> Judgement:
    judgement = judge(_parameters(raw, folding))
    if judgement.obstacle:
        raise InputError(raw.space.name, "a space whose every folding can be built", judgement.obstacle)
    return judgement


def _parameters(raw: RawEncoding, folding: Mapping[str, Fold]) -> dict[str, int]:
    parameters = {}
    for layer, fold in folding.items():
        choices = folds(raw.space.network.nodes[layer])
        parameters[f"pe.{layer}"] = sorted({f.pe for f in choices}).index(fold.pe)
        parameters[f"simd.{layer}"] = sorted({f.simd for f in choices}).index(fold.simd)
    return parameters


def _table(
    judge: Judge,
    raw: RawEncoding,
    base: Mapping[str, Fold],
    figures: Mapping[str, float],
    layer: str,
    cost: str,
    bounded: str,
) -> LayerTable:
    """Amounts relative to the layer's cheapest fold, with all other layers at theirs."""
    choices = folds(raw.space.network.nodes[layer])
    found = [_judged(judge, raw, {**base, layer: fold}).figures for fold in choices]
    return LayerTable(
        layer,
        choices,
        np.array([f[cost] - figures[cost] for f in found]),
        np.array([round(f[bounded] - figures[bounded]) for f in found]),
    )


def _knapsack(tables: Sequence[LayerTable], target: int, room: int) -> list[Fold] | None:
    """The fold of each layer with the least total cost; None where the bound cannot be met."""
    lowest = [int(table.bounded[_meeting(table, target)].min(initial=0)) for table in tables]
    size = room - sum(lowest) + 1
    if size <= 0:
        return None
    if size * len(tables) > LARGEST:
        raise InputError("exact front", f"a bound of at most {LARGEST // len(tables)}", str(room))
    best = np.zeros(size)
    picks = []
    for table, low in zip(tables, lowest, strict=True):
        meeting = np.flatnonzero(_meeting(table, target))
        if not len(meeting):
            return None
        options = np.full((len(meeting), size), np.inf)
        for row, index in enumerate(meeting):
            extra = int(table.bounded[index]) - low
            if extra < size:
                options[row, extra:] = best[: size - extra] + table.cost[index]
        picks.append((meeting, options.argmin(axis=0)))
        best = options.min(axis=0)
    if not np.isfinite(best[-1]):
        return None
    chosen: list[Fold] = []
    used: int = size - 1
    for table, low, (meeting, pick) in reversed(list(zip(tables, lowest, picks, strict=True))):
        index = int(meeting[int(pick[used])])
        chosen.append(table.folds[index])
        used = used - (int(table.bounded[index]) - low)
    return chosen[::-1]


def _meeting(table: LayerTable, target: int) -> npt.NDArray[np.bool_]:
    return np.array([fold.cycles <= target for fold in table.folds])
