"""Heartbeats of workers at a study in a database: whose stops is dead, and its trial is failed."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from bnnsim.search.storage.database import Database, connected
from bnnsim.spec.faults import InputError

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial


class Heartbeats:
    """One worker's view: it keeps its own trial alive and fails the trials of the dead."""

    def __init__(
        self, database: Database, study: optuna.Study, storage: optuna.storages.RDBStorage
    ) -> None:
        self.database = database
        self.study = study
        self.storage = storage
        self._first_seen_s: dict[int, float] = {}
        self._reaped_s = -float("inf")

    def reap_stale(self, trials: Iterable[FrozenTrial]) -> None:
        """Fail the trials whose heartbeat stopped; lend one to those of the running ``trials`` that never
        had any.

        Nothing happens where the last call was a moment ago.
        """
        import optuna

        now_s = time.monotonic()
        if now_s - self._reaped_s < min(1.0, self.database.grace_s / 4):
            return
        self._reaped_s = now_s
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            optuna.storages.fail_stale_trials(self.study)
        running = {trial.number: trial for trial in trials}
        self._first_seen_s = {n: self._first_seen_s.get(n, now_s) for n in running}
        patience_s = self.database.grace_s + self.database.heartbeat_s
        for number, trial in running.items():
            # A heart that beat once and stopped is failed by now; one that beats takes no harm.
            if now_s - self._first_seen_s[number] > patience_s:
                self.storage.record_heartbeat(trial._trial_id)
                self._first_seen_s[number] = float("inf")

    @contextmanager
    def beating(self, trial_id: int) -> Iterator[None]:
        """Keep a trial alive within this block: a first beat, then one in every interval.

        A server that does not answer misses beats; the trial is then run again by whoever notices.
        """
        over = Event()

        def beat() -> None:
            while True:
                with contextlib.suppress(InputError), connected(self.database):
                    self.storage.record_heartbeat(trial_id)
                if over.wait(self.database.heartbeat_s):
                    return

        heart = Thread(target=beat, daemon=True)
        heart.start()
        try:
            yield
        finally:
            over.set()
            heart.join()
