"""How far a search is, as it tells whoever waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bnnsim.arrays import Bools, Floats
from bnnsim.search.front.front import hypervolume, is_on_front
from bnnsim.search.front.objectives import Objective
from bnnsim.search.storage.record import TrialRecord, losses_of, reference_corner


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is: so many of the ``wanted`` trials, so many feasible, so many on the front.

    ``hypervolume`` is the share of the box from the worst to the best figures that the front dominates,
    in [0, 1]; 1 would be a design that is best in every objective at once.
    """

    trials: int
    wanted: int
    feasible: int
    front: int
    hypervolume: float
    designs_per_s: float


def _are_beaten_or_equalled(losses: Floats, others: Floats) -> Bools:
    """For each row of ``losses`` whether a row of ``others`` is as good or better everywhere."""
    is_as_good: Bools = others[None, :, :] <= losses[:, None, :]
    beaten: Bools = np.any(np.all(is_as_good, axis=2), axis=1)
    return beaten


class Tally:
    """What progress tells of trials, kept up to date: a thousand more cost as much as the first."""

    def __init__(self, objectives: tuple[Objective, ...]) -> None:
        self.objectives = objectives
        self.trials = 0
        self.feasible = 0
        self.front: Floats = np.zeros((0, len(objectives)))
        self._worst: Floats = np.full(len(objectives), -np.inf)

    def add(self, records: Sequence[TrialRecord]) -> None:
        """Take in more trials."""
        self.trials += len(records)
        new = losses_of([t for t in records if t.result.is_feasible], self.objectives)
        if not len(new):
            return
        self.feasible += len(new)
        self._worst = np.maximum(self._worst, new.max(axis=0))
        new = np.unique(new, axis=0)
        new = new[is_on_front(new)]
        new = new[~_are_beaten_or_equalled(new, self.front)]
        self.front = np.concatenate([self.front[~_are_beaten_or_equalled(self.front, new)], new])

    def progress(self, wanted: int, judged: int, seconds: float) -> SearchProgress:
        """How far a search is that has judged so many designs in so many ``seconds``."""
        return SearchProgress(
            self.trials,
            wanted,
            self.feasible,
            len(self.front),
            self._hypervolume(),
            judged / seconds if seconds > 0 else 0.0,
        )

    def _hypervolume(self) -> float:
        if not len(self.front):
            return 0.0
        best = self.front.min(axis=0)
        corner = reference_corner(self._worst, best)
        return hypervolume(self.front, corner) / float(np.prod(corner - best))
