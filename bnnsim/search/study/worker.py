"""One worker at a study in a database: claim a point, judge it, write it back, until there are enough.

Workers know nothing of each other. A claimed point is a running trial with its parameters, and whoever
holds it lets its heart beat. What can go wrong, and what is done:

* A worker dies with a trial: its heartbeat stops, another worker fails the trial and runs its point.
* A worker dies between claiming a trial and its first heartbeat: others lend it one after the grace
  period, so that it can go stale like any other.
* A worker dies between failing a trial and running its point: running again is not tied to failing;
  every worker takes over any failed point that nobody has.
* Two workers take over the same point, or one thought dead finishes after all: a design counts once,
  however many trials have judged it.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from bnnsim.search.front.evaluator import Judge, Judgement
from bnnsim.search.points.encoding import Parameters, point_key
from bnnsim.search.storage.database import Database, connected, open_storage
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.search.storage.store import CONSTRAINT, attributes, point_of, record_of
from bnnsim.search.study.plan import SearchPlan

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

POLL_S = 0.5
BATCH = 5
"""Points that a worker draws at once: it learns from the others in between."""
TRIES = 10
"""A point whose workers died this often is given up and recorded as one that cannot be judged."""
PATIENCE = 20
"""Give up when this many times the trials asked for were run and too few designs were new."""
_KEPT, _TAKEN_FROM, _TRIES = "kept", "taken over from", "tries"


def work(
    database: Database,
    plan: SearchPlan,
    worker: int,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Judge trials until the study has ``plan.trials`` different designs or ``stopped`` says so.

    ``worker`` makes this worker's draws differ from the others'; such a study is not reproducible.
    """
    with connected(database):
        _Worker(database, plan, worker).run(stopped)


def judged_trials(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials that count, by number: completed or found unbuildable, each design once."""
    seen = set()
    result = []
    for trial in trials:
        if not _is_judged(trial):
            continue
        key = point_key(trial.user_attrs[_KEPT]["knobs"])
        if key not in seen:
            seen.add(key)
            result.append(trial)
    return result


def exploration(database: Database, plan: SearchPlan) -> Exploration:
    """The designs judged so far, at most as many as were asked for."""
    import optuna

    with connected(database):
        study = optuna.load_study(study_name=database.study, storage=open_storage(database))
        return plan.outcome(_records(study.get_trials(deepcopy=False))[: plan.trials])


def _records(trials: Sequence[FrozenTrial]) -> list[TrialRecord]:
    return [record_of(t, n, t.user_attrs[_KEPT]) for n, t in enumerate(judged_trials(trials))]


def _is_judged(trial: FrozenTrial) -> bool:
    from optuna.trial import TrialState

    kept = trial.user_attrs.get(_KEPT)
    if kept is None:
        return False
    return trial.state == TrialState.COMPLETE or (
        trial.state == TrialState.FAIL and bool(kept["obstacle"])
    )


class _Worker:
    def __init__(self, database: Database, plan: SearchPlan, worker: int) -> None:
        import optuna

        self.plan = plan
        self.database = database
        self.seed = plan.seed + 1000 * (worker + 1)
        self.storage = open_storage(database)
        self.study = optuna.load_study(study_name=database.study, storage=self.storage)
        self.study_id = self.storage.get_study_id_from_name(database.study)
        self.judge = Judge(plan.space, plan.objectives, plan.constraints)
        self.encoding = plan.encoding
        self.distributions = self.encoding.distributions()
        self.seen_running: dict[int, float] = {}
        self.drawn: list[Parameters] = []
        self.tended = -float("inf")

    def run(self, stopped: Callable[[], bool]) -> None:
        while not stopped():
            self.tend()
            trials = self.study.get_trials(deepcopy=False)
            if self.is_done(trials):
                return
            claimed = self.claim(trials)
            if claimed is None:
                time.sleep(POLL_S)
            else:
                self.settle(*claimed)

    def is_done(self, trials: Sequence[FrozenTrial]) -> bool:
        enough = len(judged_trials(trials)) >= self.plan.designs
        return enough or len(trials) >= PATIENCE * self.plan.trials

    # ---- the dead --------------------------------------------------------------------------

    def tend(self) -> None:
        """Fail the trials of the dead; lend a heartbeat to those that never had one."""
        import optuna
        from optuna.trial import TrialState

        now = time.monotonic()
        if now - self.tended < min(1.0, self.database.grace_s / 4):
            return
        self.tended = now
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            optuna.storages.fail_stale_trials(self.study)
        trials = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        running = {t.number: t for t in trials}
        self.seen_running = {n: self.seen_running.get(n, now) for n in running}
        for number, trial in running.items():
            # A heart that beat once and stopped is failed by now; one that beats takes no harm.
            if now - self.seen_running[number] > self.database.grace_s + self.database.heartbeat_s:
                self.storage.record_heartbeat(trial._trial_id)
                self.seen_running[number] = float("inf")

    # ---- a trial of one's own ----------------------------------------------------------------

    def claim(self, trials: Sequence[FrozenTrial]) -> tuple[int, Parameters] | None:
        """A running trial of this worker's with its point; None while others hold the last ones."""
        from optuna.trial import TrialState

        for trial in trials:
            if trial.state == TrialState.WAITING and self._pop(trial):
                return trial._trial_id, point_of(trial)
        for trial in self._lost(trials):
            tries = int(trial.system_attrs.get(_TRIES, 1))
            marks = {_TAKEN_FROM: trial.number, _TRIES: tries + 1}
            if tries < TRIES:
                return self._begin(point_of(trial), marks), point_of(trial)
            number = self._begin(point_of(trial), marks)
            self._write(number, point_of(trial), Judgement({}, {}, f"its worker died {tries} times"))
        running = sum(trial.state == TrialState.RUNNING for trial in trials)
        if len(judged_trials(trials)) + running >= self.plan.trials:
            return None
        point = self._draw(trials)
        return self._begin(point, {}), point

    def _pop(self, trial: FrozenTrial) -> bool:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        try:
            return self.storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
        except UpdateFinishedTrialError:
            return False

    def _lost(self, trials: Sequence[FrozenTrial]) -> Iterator[FrozenTrial]:
        """Failed trials that nobody judged and nobody has taken over."""
        from optuna.trial import TrialState

        taken = {trial.system_attrs.get(_TAKEN_FROM) for trial in trials}
        for trial in trials:
            failed = trial.state == TrialState.FAIL and not _is_judged(trial)
            if failed and trial.number not in taken and set(point_of(trial)) == set(self.distributions):
                yield trial

    def _begin(self, point: Parameters, marks: dict[str, Any]) -> int:
        from optuna.trial import TrialState, create_trial

        return self.storage.create_new_trial(
            self.study_id,
            create_trial(
                state=TrialState.RUNNING,
                params=dict(point),
                distributions=self.distributions,
                system_attrs=marks,
            ),
        )

    def _draw(self, trials: Sequence[FrozenTrial]) -> Parameters:
        """The sampler's next point; one that nobody has, where it finds such a one."""
        from bnnsim.search.study.proposer import Proposer

        held = {point_key(self.encoding.describe(point_of(t))) for t in trials if point_of(t)}
        if not self.drawn:
            self.seed += 1
            proposer = Proposer(self.plan, self.seed, seeds=False)
            proposer.learn(_records(trials))
            for _ in range(PATIENCE):
                asked = proposer.ask(BATCH)
                self.drawn = [p for p in asked if point_key(self.encoding.describe(p)) not in held]
                if self.drawn:
                    break
            else:
                self.drawn = list(asked)
        return self.drawn.pop()

    def settle(self, number: int, point: Parameters) -> None:
        """Judge a claimed point and write it down, the heart beating meanwhile."""
        with self._beating(number):
            judgement = self.judge(self.encoding.describe(point))
        self._write(number, point, judgement)

    def _write(self, number: int, point: Parameters, judgement: Judgement) -> None:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        try:
            kept = attributes(judgement, self.encoding.describe(point))
            self.storage.set_trial_user_attr(number, _KEPT, kept)
            # One constraint for all: each attribute costs a transaction.
            excess = sum(max(0.0, strain) for strain in judgement.strains.values())
            self.storage.set_trial_system_attr(number, CONSTRAINT + "bounds", excess)
            if judgement.obstacle:
                self.storage.set_trial_state_values(number, TrialState.FAIL)
                return
            values = [float(judgement.figures[o.name]) for o in self.plan.objectives]
            self.storage.set_trial_state_values(number, TrialState.COMPLETE, values)
        except UpdateFinishedTrialError:
            return  # others thought this worker dead, and its point is taken over

    @contextmanager
    def _beating(self, number: int) -> Iterator[None]:
        """The first beat before the work begins, then one in every interval."""
        over = Event()
        self.storage.record_heartbeat(number)

        def beat() -> None:
            while not over.wait(self.database.heartbeat_s):
                self.storage.record_heartbeat(number)

        heart = Thread(target=beat, daemon=True)
        heart.start()
        try:
            yield
        finally:
            over.set()
            heart.join()
