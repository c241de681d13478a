"""A sampler's study in memory that shows the trials which are not finished: what asking needs."""

from __future__ import annotations

from collections.abc import Container

from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState


class OpenTrials(InMemoryStorage):
    """Optuna's storage in memory, without the trials that are finished.

    Optuna looks through all trials for each point that is asked for, so that a search of n trials takes
    time in n squared. The samplers here need none of them: they take in what they are told.
    """

    def __init__(self) -> None:
        super().__init__()
        self._open: dict[int, None] = {}

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        trial_id = super().create_new_trial(study_id, template_trial)
        self._open[trial_id] = None
        return trial_id

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        trials = [self.get_trial(trial_id) for trial_id in self._open]
        for trial in trials:
            if trial.state.is_finished():
                del self._open[trial._trial_id]
        return [
            trial
            for trial in trials
            if not trial.state.is_finished() and (states is None or trial.state in states)
        ]
