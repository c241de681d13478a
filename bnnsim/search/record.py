"""What a search keeps of each trial, and the search's outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bnnsim.search.front import Floats, hypervolume, is_on_front
from bnnsim.search.judge import Judgement
from bnnsim.search.objectives import Constraint, Objective
from bnnsim.search.space import Space, Value


@dataclass(frozen=True)
class TrialRecord:
    """One judged point. ``parameters`` are the sampler's, ``knobs`` the user's names and values."""

    number: int
    parameters: Mapping[str, int]
    knobs: Mapping[str, Value]
    judgement: Judgement

    @property
    def id(self) -> str:
        """The design's name in files."""
        return f"{self.number:05d}"


@dataclass(frozen=True)
class Exploration:
    """The trials of a search so far, in order.

    ``baseline`` are trials of a search without knowledge (random PE and SIMD) over the same space.
    """

    space: Space
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    sampler: str
    seed: int
    trials: tuple[TrialRecord, ...]
    baseline: tuple[TrialRecord, ...] = ()

    @cached_property
    def feasible(self) -> tuple[TrialRecord, ...]:
        return tuple(t for t in self.trials if t.judgement.is_feasible)

    def losses(self, trials: Sequence[TrialRecord]) -> Floats:
        """The objectives of ``trials`` as figures to minimise, ``(trials, objectives)``."""
        rows = [
            [o.loss(float(t.judgement.figures[o.name])) for o in self.objectives] for t in trials
        ]
        return np.array(rows, dtype=np.float64).reshape(len(trials), len(self.objectives))

    @cached_property
    def front(self) -> tuple[TrialRecord, ...]:
        """The feasible trials that no other dominates, best in the first objective first.

        Of trials with equal objectives the first stands for all.
        """
        losses = self.losses(self.feasible)
        chosen = [t for t, on in zip(self.feasible, is_on_front(losses), strict=True) if on]
        chosen.sort(key=lambda t: (tuple(self.losses([t])[0]), t.number))
        result: list[TrialRecord] = []
        for trial in chosen:
            if not result or not np.array_equal(self.losses([trial]), self.losses(result[-1:])):
                result.append(trial)
        return tuple(result)

    @cached_property
    def reference(self) -> Floats:
        """The corner that hypervolumes are measured from: the worst of all feasible trials."""
        everything = [*self.feasible, *(t for t in self.baseline if t.judgement.is_feasible)]
        if not everything:
            return np.zeros(len(self.objectives))
        losses = self.losses(everything)
        worst, best = losses.max(axis=0), losses.min(axis=0)
        margin: Floats = worst + 0.01 * np.maximum(worst - best, 1e-12)
        return margin

    def hypervolumes(self, trials: Sequence[TrialRecord], points: int = 60) -> list[tuple[int, float]]:
        """(number of trials, hypervolume of their front) at up to ``points`` moments."""
        total = len(trials)
        moments = sorted({max(1, round(total * (i + 1) / points)) for i in range(points)})
        curve = []
        for moment in moments if total else []:
            good = [t for t in trials[:moment] if t.judgement.is_feasible]
            curve.append((moment, hypervolume(self.losses(good), self.reference) if good else 0.0))
        return curve
