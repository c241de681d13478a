"""Trials on disk: every finished batch is in the journal before the next one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bnnsim.search.front.objectives import Objective
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Knobs, PointEncoding
from bnnsim.search.storage.record import TrialRecord
from bnnsim.search.study.plan import PLAN_ATTRIBUTE, SearchPlan, check_plan, store_plan
from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    import optuna
    from optuna.storages import JournalStorage

    from bnnsim.search.storage.journal import Journal

JOURNAL = "study.journal"
STUDY, BASELINE = "search", "baseline"
CONSTRAINT = "constraints:"  # where Optuna 5 keeps what trial.set_constraint sets


class TrialStore:
    """Finished trials in a study of Optuna's; with a journal they are on disk when ``add`` returns."""

    def __init__(
        self,
        study: optuna.Study,
        encoding: PointEncoding,
        objectives: tuple[Objective, ...],
        journal: Journal | None = None,
        system_attrs: Mapping[str, Any] | None = None,
    ) -> None:
        self.study = study
        self.encoding = encoding
        self.objectives = objectives
        self.journal = journal
        self.system_attrs = system_attrs or {}
        self._distributions = encoding.distributions()

    def add(self, records: Iterable[TrialRecord]) -> None:
        """Write finished trials; each is one line of the journal."""
        self.study.add_trials([self.frozen(record) for record in records])
        if self.journal is not None:
            self.journal.flush()

    def frozen(self, record: TrialRecord) -> optuna.trial.FrozenTrial:
        """A trial as Optuna knows it, with the figures, knobs and violations as its attributes."""
        from optuna.trial import TrialState, create_trial

        result = record.result
        values = None
        state = TrialState.FAIL
        if not result.infeasible_reason:
            values = [float(result.figures[o.name]) for o in self.objectives]
            state = TrialState.COMPLETE
        return create_trial(
            state=state,
            values=values,
            params=dict(record.parameters),
            distributions=self._distributions,
            user_attrs=attributes(result, record.knobs),
            system_attrs={
                **{CONSTRAINT + name: amount for name, amount in result.normalised_violations.items()},
                **self.system_attrs,
            },
        )

    def records(self) -> list[TrialRecord]:
        """The trials of earlier sessions, in order."""
        return [
            record_of(trial, number)
            for number, trial in enumerate(
                t for t in self.study.get_trials(deepcopy=False) if "figures" in t.user_attrs
            )
        ]


def attributes(result: PointResult, knobs: Knobs) -> dict[str, Any]:
    """What a stored trial keeps besides its values."""
    return {
        "figures": dict(result.figures),
        "violations": dict(result.violations),
        "obstacle": result.infeasible_reason,
        "knobs": dict(knobs),
    }


def record_of(
    trial: optuna.trial.FrozenTrial, number: int, kept: Mapping[str, Any] | None = None
) -> TrialRecord:
    """A stored trial as the search knows it; ``kept`` where its attributes are not its own."""
    kept = kept or trial.user_attrs
    result = PointResult(kept["figures"], kept["violations"], str(kept["obstacle"]))
    return TrialRecord(number, point_of(trial), kept["knobs"], result)


def name_objectives(study: optuna.Study, objectives: tuple[Objective, ...]) -> None:
    """Give the objectives their names in the study."""
    import warnings

    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([objective.name for objective in objectives])


def point_of(trial: optuna.trial.FrozenTrial) -> dict[str, int]:
    """The point that a trial has, or that it waits to be given."""
    fixed = trial.system_attrs.get("fixed_params", {})
    return {name: int(value) for name, value in {**fixed, **trial.params}.items()}


def directions(
    objectives: tuple[Objective, ...],
) -> list[Literal["minimize", "maximize"]]:
    """Optuna's names of the objectives' directions."""
    return ["maximize" if objective.maximises else "minimize" for objective in objectives]


@contextmanager
def open_journal(
    out: Path, plans: Mapping[str, SearchPlan], resume: bool
) -> Iterator[dict[str, TrialStore]]:
    """The studies of ``plans`` (by study name) in ``out``'s journal, for this process alone.

    Raises :class:`InputError` where there is a journal already and ``resume`` was not asked for, where
    there is none to resume, where its study is of another plan, or where another search has it open.
    """
    from optuna.storages import JournalStorage

    from bnnsim.search.storage.journal import Journal

    path = out / JOURNAL
    if path.exists() and not resume:
        raise InputError(str(path), "a folder without a study (or --resume to go on with it)", "a study")
    if resume and not path.exists():
        raise InputError(str(path), "the study to go on with", "no file")
    journal = Journal(path)
    try:
        storage = JournalStorage(journal)
        yield {name: _open(storage, journal, name, plan) for name, plan in plans.items()}
    finally:
        journal.close()


def _open(storage: JournalStorage, journal: Journal, name: str, plan: SearchPlan) -> TrialStore:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        directions=directions(plan.objectives),
        load_if_exists=True,
    )
    if PLAN_ATTRIBUTE in study.user_attrs:
        check_plan(study, plan, str(journal.path))
    else:
        name_objectives(study, plan.objectives)
        store_plan(study, plan)
        journal.flush()
    return TrialStore(study, plan.encoding, plan.objectives, journal)
