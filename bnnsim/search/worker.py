"""Many processes, on any number of machines, at one study in a database.

Every worker runs the same loop: take a trial, judge it, write it back; the database hands out numbers.
A worker that dies stops its trial's heartbeat; another puts the trial back and it is run again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bnnsim.search.coordinator import SEEDS, SearchPlan
from bnnsim.search.judge import Judge
from bnnsim.search.record import Exploration, TrialRecord
from bnnsim.search.samplers import make_sampler
from bnnsim.search.store import check_objectives, directions, record_of
from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    import optuna

PLAN = "bnnsim plan"
HEARTBEAT_S = 5
GRACE_S = 20
POLL_S = 1.0


@dataclass(frozen=True)
class Database:
    """Where the study is: ``url`` as SQLAlchemy knows it, and its name there."""

    url: str
    study: str
    heartbeat_s: int = HEARTBEAT_S
    grace_s: int = GRACE_S


def check_storage(url: str, workers: int) -> None:
    """Raise :class:`InputError` for a database that cannot serve several workers."""
    scheme = url.split("://", 1)[0].split("+", 1)[0]
    if scheme == "sqlite":
        if workers > 1:
            raise InputError(
                url,
                "PostgreSQL for several workers (--storage postgresql://user@host/database): "
                "SQLite locks the whole file for every write",
                f"SQLite with {workers} workers",
            )
    elif scheme not in ("postgresql", "mysql"):
        raise InputError("--storage", "postgresql://user@host/database", url)


def open_storage(database: Database) -> optuna.storages.RDBStorage:
    """Connect. Raises :class:`InputError` where the server does not answer or has no such database."""
    import warnings

    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    url = database.url
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.RDBStorage(
                url,
                engine_kwargs={"pool_pre_ping": True},
                heartbeat_interval=database.heartbeat_s,
                grace_period=database.grace_s,
                heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(),
            )
    except (SQLAlchemyError, ImportError, ValueError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise InputError(database.url, "a database server that answers", reason) from None


def create_study(database: Database, plan: SearchPlan, resume: bool) -> optuna.Study:
    """The study of ``plan``, with its seeds waiting; raises where it exists and ``resume`` is not set."""
    import optuna

    storage = open_storage(database)
    names = [s.study_name for s in optuna.get_all_study_summaries(storage, include_best_trial=False)]
    if database.study in names:
        if not resume:
            raise InputError(database.study, "a study name not used yet (or --resume)", "a study")
        study = optuna.load_study(study_name=database.study, storage=storage)
        check_objectives(study, plan.objectives, database.study)
        return study
    study = optuna.create_study(
        storage=storage, study_name=database.study, directions=directions(plan.objectives)
    )
    study.set_metric_names([objective.name for objective in plan.objectives])
    study.set_user_attr(PLAN, json.dumps(_plan_text(plan)))
    for seed in plan.encoding.seeds(min(SEEDS, plan.trials)):
        study.enqueue_trial(dict(seed))
    return study


def _plan_text(plan: SearchPlan) -> dict[str, Any]:
    return {
        "space": plan.space.name,
        "data": plan.space.source.data,
        "objectives": [str(o.name) for o in plan.objectives],
        "constraints": [str(c) for c in plan.constraints],
        "sampler": plan.sampler,
        "trials": plan.trials,
        "seed": plan.seed,
    }


def check_plan(study: optuna.Study, plan: SearchPlan) -> None:
    """Raise :class:`InputError` where the study was made for another space, sampler or constraints."""
    stored = json.loads(study.user_attrs.get(PLAN, "{}"))
    ours = json.loads(json.dumps(_plan_text(plan)))
    for key in ("space", "data", "objectives", "constraints", "sampler"):
        if stored.get(key) != ours[key]:
            raise InputError(
                f"study {study.study_name}", f"the {key} it was made with", f"another {key}"
            )


def work(
    database: Database,
    plan: SearchPlan,
    worker: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Judge trials until the study has ``plan.trials`` finished ones and none is unfinished.

    ``worker`` makes this worker's draws differ from the others'. Ctrl-C ends it after its trial.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = open_storage(database)
    study = optuna.load_study(
        study_name=database.study,
        storage=storage,
        sampler=make_sampler(plan.sampler, plan.seed + 1000 * (worker + 1), plan.trials),
    )
    check_plan(study, plan)
    judge = Judge(plan.space, plan.objectives, plan.constraints, plan.sampler == "random")
    distributions = judge.encoding.distributions()

    def objective(trial: optuna.Trial) -> tuple[float, ...]:
        chosen = {name: _suggest(trial, name, d) for name, d in distributions.items()}
        judgement = judge(chosen)
        trial.set_user_attr("figures", dict(judgement.figures))
        trial.set_user_attr("violations", dict(judgement.violations))
        trial.set_user_attr("obstacle", judgement.obstacle)
        trial.set_user_attr("knobs", dict(judge.encoding.describe(chosen)))
        if judgement.obstacle:
            raise _Unbuildable(judgement.obstacle)
        for name, amount in judgement.violations.items():
            trial.set_constraint(name, amount)
        return tuple(float(judgement.figures[o.name]) for o in plan.objectives)

    try:
        while _open_trials(study, plan.trials, progress):
            study.optimize(objective, n_trials=1, catch=(_Unbuildable,))
    except KeyboardInterrupt:
        return


def _suggest(
    trial: optuna.Trial, name: str, distribution: optuna.distributions.BaseDistribution
) -> int:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return int(trial.suggest_categorical(name, distribution.choices) or 0)
    assert isinstance(distribution, IntDistribution)
    return trial.suggest_int(name, distribution.low, distribution.high)


def judged_trials(trials: list[optuna.trial.FrozenTrial]) -> list[optuna.trial.FrozenTrial]:
    """The trials that count: finished by their worker, each point once.

    A worker that dies may have written figures already; its trial is failed and run again by another,
    and only that one counts.
    """
    from optuna.trial import TrialState

    retried = {n for t in trials for n in t.system_attrs.get("retry_history", ())}
    return [
        t
        for t in trials
        if "figures" in t.user_attrs
        and t.number not in retried
        and (
            t.state == TrialState.COMPLETE
            or (t.state == TrialState.FAIL and t.user_attrs.get("obstacle"))
        )
    ]


class _Unbuildable(Exception):
    """A point without figures: kept as a failed trial that says why."""


def _open_trials(
    study: optuna.Study, wanted: int, progress: Callable[[int, int], None] | None
) -> bool:
    """Whether there is a trial for this worker; waits while others hold the last ones.

    A trial that is running counts as one of those wanted, so that no worker starts one too many; if
    its worker dies, its heartbeat stops and it is put back.
    """
    import warnings

    import optuna
    from optuna.trial import TrialState

    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            optuna.storages.fail_stale_trials(study)
        trials = study.get_trials(deepcopy=False)
        judged = len(judged_trials(trials))
        running = sum(t.state == TrialState.RUNNING for t in trials)
        waiting = sum(t.state == TrialState.WAITING for t in trials)
        if progress is not None:
            progress(min(judged, wanted), wanted)
        if judged >= wanted:
            return False
        if waiting or judged + running < wanted:
            return True
        time.sleep(POLL_S)


def exploration(database: Database, plan: SearchPlan) -> Exploration:
    """All judged trials of the study so far."""
    import optuna

    study = optuna.load_study(study_name=database.study, storage=open_storage(database))
    finished = judged_trials(study.get_trials(deepcopy=False))
    records: tuple[TrialRecord, ...] = tuple(record_of(t, n) for n, t in enumerate(finished))
    return Exploration(
        plan.space, plan.objectives, plan.constraints, plan.sampler, plan.seed, records
    )
