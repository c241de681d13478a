"""A study in a database server, for any number of processes on any number of machines."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bnnsim.search.storage.study_objectives import directions, name_objectives
from bnnsim.search.study.plan import SearchPlan, check_plan, store_plan, stored_plan
from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    import optuna

TABLE_ATTEMPTS = 5
"""How often the tables of an empty database are tried where other processes make them too."""
_ANSWERING = "a database server that answers"
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


class ServerGone(InputError):
    """A database server does not answer, or not now: it may be back in a while."""


@dataclass(frozen=True)
class Database:
    """Where the study is: ``url`` as SQLAlchemy knows it, and its name there.

    A worker says every ``heartbeat_s`` seconds that it lives; after ``grace_s`` of silence its trial
    is put back.
    """

    url: str
    study: str
    heartbeat_s: int = 5
    grace_s: int = 20

    @property
    def shown(self) -> str:
        """The address without its password."""
        scheme, mark, rest = self.url.partition("://")
        login, at, place = rest.rpartition("@")
        return f"{scheme}{mark}{login.split(':')[0]}{at}{place}"


def check_storage(database: Database, workers: int) -> None:
    """Raise :class:`InputError` for a database that cannot serve ``workers`` processes."""
    scheme = database.url.split("://", 1)[0].split("+", 1)[0]
    if scheme == "sqlite":
        if workers > 1:
            raise InputError(
                "--storage",
                "PostgreSQL for several workers (--storage postgresql://user@host/database), or "
                "SQLite with --jobs 1: SQLite locks the whole file for every write",
                f"SQLite with {workers} workers",
            )
    elif scheme not in DRIVERS or "://" not in database.url:
        raise InputError("--storage", "an address like postgresql://user@host/database", database.shown)


def open_storage(database: Database) -> optuna.storages.RDBStorage:
    """Connect. Raises :class:`InputError` where the server does not answer or has no such database."""
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    url = database.url
    scheme = url.split("://", 1)[0]
    if scheme in DRIVERS:
        url = url.replace(scheme, DRIVERS[scheme], 1)
    with _answering(database), warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        for attempt in range(TABLE_ATTEMPTS):
            try:
                return optuna.storages.RDBStorage(
                    url,
                    engine_kwargs={"pool_pre_ping": True},
                    heartbeat_interval=database.heartbeat_s,
                    grace_period=database.grace_s,
                )
            except SQLAlchemyError as error:
                # Another process makes the tables of an empty database at the same moment.
                is_race = any(word in str(error) for word in ("duplicate key", "already exists"))
                if not is_race or attempt == TABLE_ATTEMPTS - 1:
                    raise
                time.sleep(0.2 * (attempt + 1))
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def _answering(database: Database) -> Iterator[None]:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except ImportError as error:
        raise InputError(
            "--storage", "the driver psycopg (pip install 'psycopg[binary]')", f"none ({error})"
        ) from None
    except SQLAlchemyError as error:
        raise _refused(database, error) from None
    except ValueError as error:
        raise InputError(database.shown, _ANSWERING, _reason(error)) from None


def _reason(error: BaseException) -> str:
    return (str(getattr(error, "orig", None) or error).strip() or type(error).__name__).splitlines()[0]


def _refused(database: Database, error: BaseException) -> InputError:
    """What a server, or the way to it, said; :class:`ServerGone` where it may be better in a while."""
    from sqlalchemy import exc

    lasting = (
        exc.ProgrammingError, exc.IntegrityError, exc.DataError, exc.ArgumentError,
        exc.NoSuchModuleError,
    )  # fmt: skip
    kind = InputError if isinstance(error, lasting) else ServerGone
    return kind(database.shown, _ANSWERING, _reason(error))


@contextmanager
def connected(database: Database) -> Iterator[None]:
    """Within this block, a server that stops answering is a :class:`ServerGone`."""
    from optuna.exceptions import StorageInternalError

    with _answering(database):
        try:
            yield
        except StorageInternalError as error:
            raise _refused(database, error.__cause__ or error) from None


def create_study(database: Database, plan: SearchPlan, resume: bool) -> None:
    """Make the study of ``plan`` with its seeds waiting, or check the one that ``resume`` goes on with.

    The plan is written last: a study without one is not ready, whoever began it.
    """
    import optuna

    storage = open_storage(database)
    try:
        study = optuna.create_study(
            storage=storage, study_name=database.study, directions=directions(plan.objectives)
        )
    except optuna.exceptions.DuplicatedStudyError:
        study = optuna.load_study(study_name=database.study, storage=storage)
        if not resume:
            raise InputError(
                f"study {database.study}", "a name not used yet (--study), or --resume", "a study"
            ) from None
    if stored_plan(study) is None:
        name_objectives(study, plan.objectives)
        for seed in plan.first():
            study.enqueue_trial(dict(seed), skip_if_exists=True)
        store_plan(study, plan)
        return
    check_plan(study, plan, f"study {database.study}")
    store_plan(study, plan)  # the number of trials may be another now


def wait_for_plan(database: Database, patience_s: float = 60.0) -> SearchPlan:
    """The plan of a study that another process made or is just making.

    Raises :class:`InputError` where there is none after ``patience_s``.
    """
    import optuna

    storage = open_storage(database)
    until = time.monotonic() + patience_s
    while True:
        try:
            study = optuna.load_study(study_name=database.study, storage=storage)
            plan = stored_plan(study)
        except KeyError:
            plan = None
        if plan is not None:
            return plan
        if time.monotonic() > until:
            raise InputError(
                f"study {database.study}",
                f"a study on {database.shown} (start the search without --worker first)",
                "none",
            )
        time.sleep(0.5)
