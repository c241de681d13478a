"""The search of this project's own problem as a sampler of Optuna's."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from bnnsim.search.forecast.losses import PointModel
from bnnsim.search.front.objectives import Constraint, Objective
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Parameters, PointEncoding
from bnnsim.search.proposal.front_search import FrontSearch
from bnnsim.search.space.alternatives import SearchSpace

BATCH_POINTS = 10
"""Points that are proposed at once: they take account of each other."""


class FrontSampler(BaseSampler):
    """Hands out what ``search`` proposes, all parameters at once, and tells it what became of them.

    It learns from trials that carry what a stored trial does: ``figures``, ``violations`` and
    ``obstacle`` among their user attributes.
    """

    def __init__(
        self, search: FrontSearch, distributions: Mapping[str, BaseDistribution]
    ) -> None:
        self.search = search
        self._distributions = dict(distributions)
        self._waiting: deque[Parameters] = deque()

    def has_points(self) -> bool:
        """Whether there is a point to hand out: a space may have no more."""
        if not self._waiting:
            self._waiting += self.search.propose(BATCH_POINTS)
        return bool(self._waiting)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._distributions

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if not self.has_points():
            raise ValueError("all designs of the space that can be found are proposed")
        return dict(self._waiting.popleft())

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        raise ValueError(f"{param_name} is no parameter of the space that this sampler is for")

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        kept = trial.user_attrs
        if "figures" in kept:
            point = {name: int(value) for name, value in trial.params.items()}
            self.learn(point, PointResult(kept["figures"], kept["violations"], kept["obstacle"]))

    def learn(self, point: Parameters, result: PointResult) -> None:
        """Take in what became of a point, whoever proposed it."""
        self.search.learn(point, result)

    def leave(self, point: Parameters) -> None:
        """Somebody else has this point."""
        self.search.leave(point)


def front_sampler(
    space: SearchSpace,
    encoding: PointEncoding,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    first: Sequence[Parameters],
    seeds: Sequence[Parameters],
    seed: int,
) -> FrontSampler:
    """A sampler for a space: ``first`` are points to judge first, ``seeds`` points to look around from,
    ``seed`` is that of its draws."""
    distributions = encoding.distributions()
    is_ordered = [not isinstance(d, CategoricalDistribution) for d in distributions.values()]
    model = PointModel(space, encoding, objectives, constraints)
    search = FrontSearch(encoding, model, first, seeds, is_ordered, seed)
    return FrontSampler(search, distributions)
