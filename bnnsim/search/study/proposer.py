"""Who proposes points, by the name of a plan's sampler."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol, assert_never

import optuna
from optuna.distributions import CategoricalDistribution

from bnnsim.search.forecast.losses import PointModel
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Parameters
from bnnsim.search.proposal.front_search import FrontSearch
from bnnsim.search.proposal.open_trials import OpenTrials
from bnnsim.search.storage.record import TrialRecord
from bnnsim.search.storage.store import attributes
from bnnsim.search.storage.study_objectives import directions
from bnnsim.search.study.plan import SearchPlan

BATCH_POINTS = 10
"""Points that the front search proposes at once: they take account of each other."""


class Proposer(Protocol):
    """Asked for points in batches and told what became of them, batch by batch.

    What it proposes follows from the plan, the seed and the results told so far in their order, and from
    nothing else.
    """

    def ask(self, count: int) -> list[Parameters]:
        """``count`` points, or as many as there are; :meth:`tell` says what became of them, batch by
        batch."""

    def tell(self, results: Sequence[PointResult]) -> None:
        """What became of the points asked for first and not told yet, in their order."""

    def propose(self, count: int) -> list[Parameters]:
        """``count`` points, or as many as there are, of which :meth:`learn` will say what became."""

    def learn(self, records: Iterable[TrialRecord], running: Iterable[Parameters] = ()) -> None:
        """Take in what others found out, and which points they have."""


class FrontProposer:
    """The project's own search."""

    def __init__(self, plan: SearchPlan, seed: int) -> None:
        encoding = plan.encoding
        kinds = encoding.distributions().values()
        is_ordered = [not isinstance(kind, CategoricalDistribution) for kind in kinds]
        model = PointModel(plan.space, encoding, plan.objectives, plan.constraints)
        self.search = FrontSearch(encoding, model, plan.first(), plan.seeds(), is_ordered, seed)
        self._waiting: deque[Parameters] = deque()
        self._asked: deque[list[Parameters]] = deque()

    def ask(self, count: int) -> list[Parameters]:
        asked = self.propose(count)
        if asked:
            self._asked.append(asked)
        return asked

    def tell(self, results: Sequence[PointResult]) -> None:
        for point, result in zip(self._asked.popleft(), results, strict=True):
            self.search.learn(point, result)

    def propose(self, count: int) -> list[Parameters]:
        found: list[Parameters] = []
        while len(found) < count:
            if not self._waiting:
                self._waiting += self.search.propose(BATCH_POINTS)
            if not self._waiting:
                break
            found.append(self._waiting.popleft())
        return found

    def learn(self, records: Iterable[TrialRecord], running: Iterable[Parameters] = ()) -> None:
        for record in records:
            self.search.learn(record.parameters, record.result)
        for point in running:
            self.search.leave(point)


class OptunaProposer:
    """A sampler of Optuna's.

    Its study lives in memory: asking a journal costs ten times as much, a database more.
    """

    def __init__(self, plan: SearchPlan, sampler: optuna.samplers.BaseSampler) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.objectives = plan.objectives
        self.distributions = plan.encoding.distributions()
        self.study = optuna.create_study(
            storage=OpenTrials(), directions=directions(plan.objectives), sampler=sampler
        )
        self._asked: deque[list[optuna.Trial]] = deque()

    def ask(self, count: int) -> list[Parameters]:
        asked = [self.study.ask(self.distributions) for _ in range(count)]
        self._asked.append(asked)
        return [_point_of(trial) for trial in asked]

    def tell(self, results: Sequence[PointResult]) -> None:
        for trial, result in zip(self._asked.popleft(), results, strict=True):
            for name, value in attributes(result, {}).items():
                trial.set_user_attr(name, value)
            if result.infeasible_reason:
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
                continue
            for name, violation in result.normalised_violations.items():
                trial.set_constraint(name, violation)
            self.study.tell(trial, [float(result.figures[o.name]) for o in self.objectives])

    def propose(self, count: int) -> list[Parameters]:
        asked = [self.study.ask(self.distributions) for _ in range(count)]
        for trial in asked:
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return [_point_of(trial) for trial in asked]

    def learn(self, records: Iterable[TrialRecord], running: Iterable[Parameters] = ()) -> None:
        """Nothing: what these samplers draw follows from what they were told alone."""


def _point_of(trial: optuna.Trial) -> Parameters:
    return {name: int(value) for name, value in trial.params.items()}


def proposer_of(plan: SearchPlan, seed: int) -> Proposer:
    """The proposer of a plan that is not for the exact front, which needs none.

    ``seed`` is that of its draws; equal seeds give equal proposals for equal results.

    Example:
        >>> from bnnsim.exploration.plan import plan_of
        >>> plan = plan_of("digits-7z020", None, 20, None, (), "front", 0)
        >>> type(proposer_of(plan, seed=0)).__name__
        'FrontProposer'
    """
    match plan.sampler:
        case "front":
            return FrontProposer(plan, seed)
        case "random":
            return OptunaProposer(plan, optuna.samplers.RandomSampler(seed=seed))
        case "exact":
            raise AssertionError("the exact front needs no sampler")
        case _:
            assert_never(plan.sampler)
