"""Who proposes points: a plan's sampler over a study in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import assert_never

import optuna

from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Parameters
from bnnsim.search.proposal.front_sampler import FrontSampler, front_sampler
from bnnsim.search.proposal.open_trials import OpenTrials
from bnnsim.search.storage.record import TrialRecord
from bnnsim.search.storage.store import attributes
from bnnsim.search.storage.study_objectives import directions
from bnnsim.search.study.plan import SearchPlan


class Proposer:
    """Asks a sampler for points in batches and tells it what became of them, batch by batch.

    The sampler's study lives in memory: asking a journal costs ten times as much, a database more. What
    it proposes follows from the plan, the seed and the results told so far in their order, and from
    nothing else.
    """

    def __init__(self, plan: SearchPlan, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.plan = plan
        self.encoding = plan.encoding
        self.distributions = self.encoding.distributions()
        self.sampler = make_sampler(plan, seed)
        self.study = optuna.create_study(
            storage=OpenTrials(), directions=directions(plan.objectives), sampler=self.sampler
        )
        self._asked: deque[list[optuna.Trial]] = deque()

    def learn(self, records: Iterable[TrialRecord], running: Iterable[Parameters] = ()) -> None:
        """Take in what others found out, and which points they have."""
        if isinstance(self.sampler, FrontSampler):
            for record in records:
                self.sampler.learn(record.parameters, record.result)
            for point in running:
                self.sampler.leave(point)

    def propose(self, count: int) -> list[Parameters]:
        """``count`` points, or as many as there are, of which :meth:`learn` will say what became."""
        asked = self.ask(count)
        if asked:
            for trial in self._asked.pop():
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return asked

    def ask(self, count: int) -> list[Parameters]:
        """``count`` points, or as many as there are; :meth:`tell` says what became of them, batch by
        batch."""
        asked: list[optuna.Trial] = []
        while len(asked) < count and self._has_points():
            asked.append(self.study.ask(self.distributions))
        if asked:
            self._asked.append(asked)
        return [{n: int(value) for n, value in t.params.items()} for t in asked]

    def _has_points(self) -> bool:
        return not isinstance(self.sampler, FrontSampler) or self.sampler.has_points()

    def tell(self, results: Sequence[PointResult]) -> None:
        """What became of the points asked for first and not told yet, in their order."""
        for trial, result in zip(self._asked.popleft(), results, strict=True):
            for name, value in attributes(result, {}).items():
                trial.set_user_attr(name, value)
            if result.infeasible_reason:
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
                continue
            for name, violation in result.normalised_violations.items():
                trial.set_constraint(name, violation)
            values = [float(result.figures[o.name]) for o in self.plan.objectives]
            self.study.tell(trial, values)


def make_sampler(plan: SearchPlan, seed: int) -> optuna.samplers.BaseSampler:
    """The sampler of a plan that is not for the exact front, which is no sampler.

    ``seed`` is that of its draws; equal seeds give equal proposals for equal results.

    Example:
        >>> from bnnsim.exploration.plan import plan_of
        >>> plan = plan_of("digits-7z020", None, 20, None, (), "front", 0)
        >>> type(make_sampler(plan, seed=0)).__name__
        'FrontSampler'
    """
    match plan.sampler:
        case "front":
            encoding, aims = plan.encoding, (plan.objectives, plan.constraints)
            return front_sampler(plan.space, encoding, *aims, plan.first(), plan.seeds(), seed)
        case "random":
            return optuna.samplers.RandomSampler(seed=seed)
        case "exact":
            raise AssertionError("the exact front needs no sampler")
        case _:
            assert_never(plan.sampler)
