"""Trials on disk: Optuna's journal, appended and flushed after every trial, so that a kill loses none."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bnnsim.search.encoding import Encoding
from bnnsim.search.judge import Judgement
from bnnsim.search.objectives import Constraint, Objective
from bnnsim.search.record import TrialRecord
from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    import optuna

JOURNAL = "study.journal"
STUDY = "bnnsim"
_CONSTRAINT = "constraints:"  # where Optuna 5 keeps what trial.set_constraint sets


class TrialStore:
    """The study that the coordinator writes finished trials to."""

    def __init__(
        self,
        study: optuna.Study,
        encoding: Encoding,
        objectives: tuple[Objective, ...],
        constraints: tuple[Constraint, ...],
    ) -> None:
        self.study = study
        self.encoding = encoding
        self.objectives = objectives
        self.constraints = constraints
        self._distributions = encoding.distributions()

    def add(self, records: Iterable[TrialRecord]) -> None:
        """Write finished trials; each is one line of the journal."""
        self.study.add_trials([self.frozen(record) for record in records])

    def frozen(self, record: TrialRecord) -> optuna.trial.FrozenTrial:
        """A trial as Optuna knows it, with the figures, knobs and violations as its attributes."""
        from optuna.trial import TrialState, create_trial

        judgement = record.judgement
        values = None
        state = TrialState.FAIL
        if not judgement.obstacle:
            values = [float(judgement.figures[o.name]) for o in self.objectives]
            state = TrialState.COMPLETE
        return create_trial(
            state=state,
            values=values,
            params=dict(record.parameters),
            distributions=self._distributions,
            user_attrs={
                "figures": dict(judgement.figures),
                "violations": dict(judgement.violations),
                "obstacle": judgement.obstacle,
                "knobs": dict(record.knobs),
            },
            system_attrs={
                _CONSTRAINT + name: amount for name, amount in judgement.violations.items()
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


def record_of(trial: optuna.trial.FrozenTrial, number: int) -> TrialRecord:
    """A stored trial as the search knows it."""
    attributes = trial.user_attrs
    judgement = Judgement(
        attributes["figures"], attributes["violations"], str(attributes["obstacle"])
    )
    return TrialRecord(number, dict(trial.params), attributes["knobs"], judgement)


def directions(
    objectives: tuple[Objective, ...],
) -> list[Literal["minimize", "maximize"]]:
    """Optuna's names of the objectives' directions."""
    return ["maximize" if objective.maximises else "minimize" for objective in objectives]


def open_journal(out: Path, objectives: tuple[Objective, ...], resume: bool) -> optuna.Study:
    """The study in ``out``'s journal.

    Raises :class:`InputError` where there is one already and ``resume`` was not asked for, or where
    its objectives are others.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    path = out / JOURNAL
    if path.exists() and not resume:
        raise InputError(
            str(path), "a folder without a study (or --resume to go on with it)", "a study"
        )
    out.mkdir(parents=True, exist_ok=True)
    backend = JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path)))
    study = optuna.create_study(
        storage=JournalStorage(backend),
        study_name=STUDY,
        directions=directions(objectives),
        load_if_exists=True,
    )
    check_objectives(study, objectives, str(path))
    study.set_metric_names([objective.name for objective in objectives])
    return study


def check_objectives(
    study: optuna.Study, objectives: tuple[Objective, ...], place: str
) -> None:
    """Raise :class:`InputError` where a stored study has other objectives."""
    wanted = [o.name for o in objectives]
    named = study.metric_names
    same_directions = [d.name.lower() for d in study.directions] == directions(objectives)
    if (named is not None and list(named) != wanted) or not same_directions:
        raise InputError(place, f"a study of {', '.join(wanted)}", f"one of {', '.join(named or [])}")
