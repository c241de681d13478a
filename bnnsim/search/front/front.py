"""Pareto fronts and their hypervolume: mathematics on arrays, every objective minimised."""

from __future__ import annotations

import numpy as np

from bnnsim.arrays import Bools, Floats

BLOCK = 256
"""Rows that are compared with a front at once."""


def is_on_front(losses: Floats) -> Bools:
    """Which rows of ``losses`` ``(points, objectives)`` no other row dominates.

    A row dominates another that it equals or beats everywhere and beats somewhere. Of equal rows all
    are on the front.
    """
    on_front = np.zeros(len(losses), bool)
    order = np.lexsort(losses.T[::-1])  # who dominates a row is before it
    front = losses[:0]
    for begin in range(0, len(order), BLOCK):
        block = order[begin : begin + BLOCK]
        block = block[~dominated(losses[block], front)]
        block = block[~dominated(losses[block], losses[block])]
        on_front[block] = True
        front = np.concatenate([front, losses[block]])
    return on_front


def dominated(rows: Floats, others: Floats) -> Bools:
    """For each of ``rows`` ``(rows, objectives)`` whether a row of ``others`` is better somewhere and
    nowhere worse."""
    no_worse = np.ones((len(rows), len(others)), bool)
    better = np.zeros((len(rows), len(others)), bool)
    for own, theirs in zip(rows.T, others.T, strict=True):
        no_worse &= theirs <= own[:, None]
        better |= theirs < own[:, None]
    found: Bools = np.any(no_worse & better, axis=1)
    return found


def hypervolume(losses: Floats, reference: Floats) -> float:
    """The volume that ``losses`` ``(points, objectives)`` dominate within the ``reference`` corner.

    Points that do not lie below the reference in every objective add nothing. Exact for any number of
    objectives, by slicing along the last one (Zitzler and Thiele, 1998).
    """
    inside = np.unique(losses[(losses < reference).all(axis=1)], axis=0)
    if not len(inside):
        return 0.0
    return _sliced(inside[is_on_front(inside)], reference)


def _sliced(points: Floats, reference: Floats) -> float:
    if points.shape[1] == 1:
        return float(reference[0] - points[:, 0].min())
    if points.shape[1] == 2:
        return _area(points, reference)
    points = points[np.argsort(points[:, -1], kind="stable")]
    edges = np.append(points[1:, -1], reference[-1])
    volume = 0.0
    for i, edge in enumerate(edges):
        height = float(edge - points[i, -1])
        if height > 0:
            below = points[: i + 1, :-1]
            if below.shape[1] > 2:  # an area takes dominated points as they are
                below = below[is_on_front(below)]
            volume += height * _sliced(below, reference[:-1])
    return volume


def _area(points: Floats, reference: Floats) -> float:
    points = points[np.lexsort((points[:, 1], points[:, 0]))]
    lowest = np.minimum.accumulate(points[:, 1])
    rights = np.append(points[1:, 0], reference[0])
    return float(((rights - points[:, 0]) * (reference[1] - lowest)).sum())
