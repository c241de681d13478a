"""Which trials of a study in a database count, and the search's outcome from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bnnsim.search.points.encoding import point_key
from bnnsim.search.storage.database import Database, connected, open_storage
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.search.storage.store import record_of
from bnnsim.search.study.plan import SearchPlan
from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

KEPT = "kept"
"""The user attribute in which a worker leaves figures, violations, knobs and reason, all at once."""


def has_result(trial: FrozenTrial) -> bool:
    """Whether a trial was evaluated: completed, or failed since its design is none."""
    from optuna.trial import TrialState

    kept = trial.user_attrs.get(KEPT)
    if kept is None:
        return False
    return trial.state == TrialState.COMPLETE or (
        trial.state == TrialState.FAIL and bool(kept["obstacle"])
    )


def counted_trials(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials that count, by number: those with a result, each design once."""
    seen = set()
    counted = []
    for trial in trials:
        if not has_result(trial):
            continue
        key = point_key(trial.user_attrs[KEPT]["knobs"])
        if key not in seen:
            seen.add(key)
            counted.append(trial)
    return counted


def counted_records(trials: Sequence[FrozenTrial]) -> list[TrialRecord]:
    """The trials that count as the search knows them, numbered from 0."""
    return [record_of(t, n, t.user_attrs[KEPT]) for n, t in enumerate(counted_trials(trials))]


def stored_exploration(database: Database, plan: SearchPlan) -> Exploration:
    """The designs evaluated so far, at most as many as were asked for.

    Raises :class:`InputError` where the server does not answer or the study was deleted.
    """
    import optuna

    with connected(database):
        try:
            study = optuna.load_study(study_name=database.study, storage=open_storage(database))
        except KeyError:
            place, expected = f"study {database.study}", f"a study on {database.shown}"
            raise InputError(place, expected, "none: it was deleted") from None
        return plan.outcome(counted_records(study.get_trials(deepcopy=False))[: plan.trials])
