"""Who proposes points: one of Optuna's samplers over a study in memory, the plan's seeds first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import optuna
from optuna.samplers._ga import BaseGASampler

from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Parameters, point_key
from bnnsim.search.storage.record import TrialRecord
from bnnsim.search.storage.store import frozen_trial
from bnnsim.search.storage.study_objectives import directions
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.recent_trials import RecentTrials
from bnnsim.search.study.samplers import make_sampler


class Proposer:
    """Asks a sampler for points in batches and tells it what became of them, batch by batch.

    It is more than a sampler: the plan's seeds go first. The sampler's study lives in memory: asking a
    journal costs ten times as much, a database more. What it proposes follows from the plan, the seed and
    the results told so far in their order, and from nothing else.
    """

    def __init__(self, plan: SearchPlan, seed: int, seeds: bool = True) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.plan = plan
        self.encoding = plan.encoding
        self.distributions = self.encoding.distributions()
        self.sampler = make_sampler(plan.sampler, seed, plan.size)
        self.study = self._new_study()
        self.seeds = plan.seeds() if seeds else []
        self._asked: deque[list[optuna.Trial]] = deque()

    def _new_study(self) -> optuna.Study:
        sampler = self.sampler
        return optuna.create_study(
            storage=RecentTrials(sampler) if isinstance(sampler, BaseGASampler) else None,
            directions=directions(self.plan.objectives),
            sampler=sampler,
        )

    def learn(self, records: Iterable[TrialRecord]) -> None:
        """Take in what others found out."""
        attrs = self._system_attrs()
        known = list(records)
        self.study.add_trials(
            frozen_trial(record, self.plan.objectives, self.distributions, system_attrs=attrs)
            for record in known
        )
        keys = {point_key(record.knobs) for record in known}
        self.seeds = [seed for seed in self.seeds if point_key(self.encoding.describe(seed)) not in keys]

    def _system_attrs(self) -> dict[str, Any]:
        """What makes a genetic sampler breed from a trial that it did not propose itself."""
        if isinstance(self.sampler, BaseGASampler):
            return {self.sampler._get_generation_key(): 0}
        return {}

    def ask(self, count: int) -> list[Parameters]:
        """``count`` points; :meth:`tell` says what became of them, batch by batch."""
        now, self.seeds = self.seeds[:count], self.seeds[count:]
        for seed in now:
            self.study.enqueue_trial(dict(seed))
        asked = [self.study.ask(self.distributions) for _ in range(count)]
        self._asked.append(asked)
        return [{n: int(value) for n, value in t.params.items()} for t in asked]

    def tell(self, results: Sequence[PointResult]) -> None:
        """What became of the points asked for first and not told yet, in their order."""
        for trial, result in zip(self._asked.popleft(), results, strict=True):
            if result.infeasible_reason:
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
                continue
            for name, violation in result.normalised_violations.items():
                trial.set_constraint(name, violation)
            values = [float(result.figures[o.name]) for o in self.plan.objectives]
            self.study.tell(trial, values)
