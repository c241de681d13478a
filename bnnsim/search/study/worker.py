"""One worker at a study in a database: claim a point, evaluate it, store it, until there are enough.

Workers know nothing of each other. A claimed point is a running trial with its parameters, and whoever
holds it lets its heart beat. What can go wrong, and what is done:

* A worker dies with a trial: its heartbeat stops, another worker fails the trial and runs its point.
* A worker dies between claiming a trial and its first heartbeat: others lend it one after the grace
  period, so that it can go stale like any other.
* A worker dies between failing a trial and running its point: running again is not tied to failing;
  every worker takes over any failed point that nobody has.
* The server is gone for a while: each worker waits with what it has; a trial that was thought dead
  meanwhile is run again.
* Two workers take over the same point, or one thought dead finishes after all: a design counts once,
  however many trials have evaluated it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from bnnsim.search.front.evaluator import Evaluator
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Parameters, point_key
from bnnsim.search.storage.database import Database
from bnnsim.search.storage.outage import through_outages
from bnnsim.search.storage.store import CONSTRAINT, attributes, point_of
from bnnsim.search.study.heartbeat import Heartbeats
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.stored_trials import KEPT
from bnnsim.search.study.study_view import TAKEN_FROM, StudyView

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

POLL_S = 0.5
WORKER_BATCH_POINTS = 5
"""Points that a worker draws at once: it learns from the others in between."""
MOST_TRIES = 10
"""A point whose workers died this often is given up and recorded as one that cannot be evaluated."""
MOST_TRIALS_A_DESIGN = 20
"""Give up when this many times the trials asked for were run and too few designs were new."""
MOST_DRAWS = 20
"""Batches that are drawn in search of a point that nobody has."""
_TRIES = "tries"


def work(
    database: Database,
    plan: SearchPlan,
    worker: int,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Evaluate trials until the study has ``plan.trials`` different designs or ``stopped`` says so.

    ``worker`` makes this worker's draws differ from the others'; such a study is not reproducible. Its
    sampler lives as long as it does and takes in what the others find out. A
    server that stops answering is waited for (:mod:`bnnsim.search.storage.outage`). Raises
    :class:`~bnnsim.spec.faults.InputError` where it stays away, or where its study is deleted.
    """
    through_outages(database, lambda: _Worker(database, plan, worker), stopped).run(stopped)


class _Worker:
    def __init__(self, database: Database, plan: SearchPlan, worker: int) -> None:
        import optuna

        from bnnsim.search.study.proposer import proposer_of

        self.plan = plan
        self.database = database
        self.view = StudyView(database)
        self.storage = self.view.storage
        self.study = optuna.load_study(study_name=database.study, storage=self.storage)
        self.heartbeats = Heartbeats(database, self.study, self.storage)
        self.evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
        self.encoding = plan.encoding
        self.distributions = self.encoding.distributions()
        self.proposer = proposer_of(plan, (plan.seed + worker + 1) % 2**32)
        self.drawn: list[Parameters] = []
        self.held: set[object] = set()
        """Keys of designs that somebody has."""

    def run(self, stopped: Callable[[], bool]) -> None:
        while not stopped():
            found = through_outages(self.database, self.next_point, stopped)
            if found == "done":
                return
            if found is None:
                time.sleep(POLL_S)
            else:
                self.settle(*found, stopped)

    def next_point(self) -> tuple[int, Parameters] | Literal["done"] | None:
        """A claimed point; ``done`` where the study is complete, None while others hold the last ones."""
        new = self.view.look()
        self.heartbeats.reap_stale(self.running)
        others = [point_of(trial) for trial in self.view.open.values()]
        complete = [point for point in others if set(point) == set(self.distributions)]
        self.proposer.learn(new, complete)
        self.held |= {point_key(record.knobs) for record in new}
        self.held |= {point_key(self.encoding.describe(point)) for point in complete}
        return "done" if self.is_done() else self.claim()

    @property
    def running(self) -> list[FrozenTrial]:
        from optuna.trial import TrialState

        return [trial for trial in self.view.open.values() if trial.state == TrialState.RUNNING]

    def is_done(self) -> bool:
        enough = self.view.counted >= self.plan.designs
        return enough or self.view.trials >= MOST_TRIALS_A_DESIGN * self.plan.trials

    # ---- claiming a point --------------------------------------------------------------------

    def claim(self) -> tuple[int, Parameters] | None:
        """A running trial of this worker's with its point; None while others hold the last ones."""
        from optuna.trial import TrialState

        for trial in list(self.view.open.values()):
            if trial.state == TrialState.WAITING and self._pop(trial):
                return trial._trial_id, point_of(trial)
        for trial in list(self.view.lost.values()):
            if set(point_of(trial)) != set(self.distributions):
                continue
            tries = int(trial.system_attrs.get(_TRIES, 1))
            origin = {TAKEN_FROM: trial.number, _TRIES: tries + 1}
            if tries < MOST_TRIES:
                return self._begin(point_of(trial), origin), point_of(trial)
            trial_id = self._begin(point_of(trial), origin)
            given_up = PointResult({}, {}, f"its worker died {tries} times")
            self._write(trial_id, point_of(trial), given_up)
        if self.view.counted + len(self.running) >= self.plan.trials:
            return None
        point = self._draw()
        return None if point is None else (self._begin(point, {}), point)

    def _pop(self, trial: FrozenTrial) -> bool:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        try:
            return self.storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
        except UpdateFinishedTrialError:
            return False

    def _begin(self, point: Parameters, origin: dict[str, Any]) -> int:
        """A new running trial; ``origin`` says whose point it takes over. Returns its id."""
        from optuna.trial import TrialState, create_trial

        return self.storage.create_new_trial(
            self.view.study_id,
            create_trial(
                state=TrialState.RUNNING,
                params=dict(point),
                distributions=self.distributions,
                system_attrs=origin,
            ),
        )

    def _draw(self) -> Parameters | None:
        """The sampler's next point that nobody has; None where it finds no such one."""
        for _ in range(MOST_DRAWS):
            if not self.drawn:
                self.drawn = self.proposer.propose(WORKER_BATCH_POINTS)
            while self.drawn:
                point = self.drawn.pop(0)
                if point_key(self.encoding.describe(point)) not in self.held:
                    return point
        return None

    # ---- evaluating it -----------------------------------------------------------------------

    def settle(self, trial_id: int, point: Parameters, stopped: Callable[[], bool]) -> None:
        """Evaluate a claimed point and store its result, the heart beating meanwhile."""
        with self.heartbeats.beating(trial_id):
            result = self.evaluator(self.encoding.describe(point))
        through_outages(self.database, lambda: self._write(trial_id, point, result), stopped)

    def _write(self, trial_id: int, point: Parameters, result: PointResult) -> None:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        try:
            kept = attributes(result, self.encoding.describe(point))
            self.storage.set_trial_user_attr(trial_id, KEPT, kept)
            # One constraint for all: each attribute costs a transaction.
            excess = sum(max(0.0, violation) for violation in result.normalised_violations.values())
            self.storage.set_trial_system_attr(trial_id, CONSTRAINT + "bounds", excess)
            if result.infeasible_reason:
                self.storage.set_trial_state_values(trial_id, TrialState.FAIL)
                return
            values = [float(result.figures[o.name]) for o in self.plan.objectives]
            self.storage.set_trial_state_values(trial_id, TrialState.COMPLETE, values)
        except UpdateFinishedTrialError:
            return  # others thought this worker dead, and its point is taken over
