"""A genetic sampler's study in memory, which shows the sampler the trials that it still breeds from."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from optuna.samplers._ga import BaseGASampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState


class RecentTrials(InMemoryStorage):
    """Optuna's storage in memory, without the trials that ``sampler`` has no more use for.

    A genetic sampler looks through all trials for each point that it proposes, so that a search of n
    trials takes time in n squared. It needs the parents of the generation that it breeds, that
    generation and the one before; what else there is has no effect on what it proposes. When it chooses
    the parents of a generation, the trials older than that are left out of what it sees.
    """

    def __init__(self, sampler: BaseGASampler) -> None:
        super().__init__()
        self._generation = sampler._get_generation_key()
        self._parents = sampler._get_parent_cache_key_prefix()
        self._seen: list[int] = []

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        trial_id = super().create_new_trial(study_id, template_trial)
        self._seen.append(trial_id)
        return trial_id

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        if deepcopy or states == (TrialState.WAITING,):
            return super().get_all_trials(study_id, deepcopy, states)
        trials = map(self.get_trial, self._seen)
        return [trial for trial in trials if states is None or trial.state in states]

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        super().set_study_system_attr(study_id, key, value)
        if key.startswith(self._parents):
            self._forget(int(key.removeprefix(self._parents)), set(value))

    def _forget(self, generation: int, parents: set[int]) -> None:
        def is_needed(trial_id: int) -> bool:
            trial = self.get_trial(trial_id)
            of = trial.system_attrs.get(self._generation, generation)
            return trial_id in parents or of >= generation - 1 or not trial.state.is_finished()

        self._seen = [trial_id for trial_id in self._seen if is_needed(trial_id)]
