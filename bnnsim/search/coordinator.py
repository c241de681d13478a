"""One coordinator asks and tells in batches; a pool of processes only judges.

Batches have a fixed size and are told in the order in which they were asked, so the same seed gives the
same trials whatever the number of jobs. Every finished batch is on disk before the next is asked.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from bnnsim.search.encoding import Encoding, Parameters, RawEncoding, point_key
from bnnsim.search.judge import Judge, Judgement, judge_in_worker, start_worker
from bnnsim.search.objectives import Constraint, Objective
from bnnsim.search.record import Exploration, TrialRecord
from bnnsim.search.samplers import SamplerName, make_sampler
from bnnsim.search.space import Space
from bnnsim.search.store import TrialStore, directions

BATCH = 10
SEEDS = 20
PATIENCE = 20
"""Give up when this many times the trials asked for were proposed and nothing new among them."""

Judging = Callable[[Sequence[Parameters]], list[Judgement]]


@dataclass(frozen=True)
class Progress:
    """How far a search is."""

    trials: int
    wanted: int
    front: int
    hypervolume: float
    designs_per_s: float


@dataclass(frozen=True)
class SearchPlan:
    """What to search, for what, and how."""

    space: Space
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    sampler: SamplerName = "nsga2"
    trials: int = 300
    seed: int = 0

    @property
    def encoding(self) -> Encoding:
        """What the sampler sees; the random baseline sees raw knobs."""
        return RawEncoding(self.space) if self.sampler == "random" else Encoding(self.space)


@contextmanager
def judging(plan: SearchPlan, jobs: int) -> Iterator[Judging]:
    """A function that judges a batch, in ``jobs`` processes (in this one where ``jobs`` is 1)."""
    is_raw = plan.sampler == "random"
    arguments = (plan.space, plan.objectives, plan.constraints, is_raw)
    if jobs == 1:
        judge = Judge(*arguments)
        yield lambda batch: [judge(parameters) for parameters in batch]
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bnnsim.search.judge", "bnnsim.timing.compiled"])
    with ProcessPoolExecutor(jobs, context, start_worker, (arguments,)) as pool:
        try:
            yield lambda batch: list(pool.map(judge_in_worker, batch))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def search(
    plan: SearchPlan,
    judge: Judging,
    store: TrialStore | None = None,
    earlier: Sequence[TrialRecord] = (),
    progress: Callable[[Progress], None] | None = None,
) -> Exploration:
    """Run a plan's trials beyond the ``earlier`` ones and return all of them.

    Ctrl-C ends the search after the batch at hand; what is done is returned.
    """
    run = _Run(plan, judge, store, list(earlier))
    started = time.monotonic()
    try:
        while run.wants_more():
            run.batch()
            if progress is not None:
                progress(run.progress(time.monotonic() - started))
    except KeyboardInterrupt:
        pass
    return run.outcome()


class _Run:
    def __init__(
        self, plan: SearchPlan, judge: Judging, store: TrialStore | None, earlier: list[TrialRecord]
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.plan = plan
        self.judge = judge
        self.store = store
        self.encoding = plan.encoding
        self.distributions = self.encoding.distributions()
        self.records = earlier
        self.earlier = len(earlier)
        self.proposed = 0
        self.known = {point_key(record.knobs): record.judgement for record in earlier}
        # The sampler's own study lives in memory: asking a journal costs ten times as much.
        self.study = optuna.create_study(
            directions=directions(plan.objectives),
            sampler=make_sampler(plan.sampler, plan.seed + len(earlier), plan.trials),
        )
        memory = TrialStore(self.study, self.encoding, plan.objectives, plan.constraints)
        memory.add(earlier)
        if not earlier:
            for seed in self.encoding.seeds(min(SEEDS, plan.trials)):
                self.study.enqueue_trial(dict(seed))

    def wants_more(self) -> bool:
        left = len(self.records) < self.plan.trials
        return left and self.proposed < PATIENCE * self.plan.trials

    def batch(self) -> None:
        """Ask for a batch, judge what is new in it, tell and store."""
        size = min(BATCH, self.plan.trials - len(self.records))
        asked = [self.study.ask(self.distributions) for _ in range(size)]
        self.proposed += size
        points = [{name: int(value) for name, value in trial.params.items()} for trial in asked]
        named = [self.encoding.describe(point) for point in points]
        keys = [point_key(names) for names in named]
        fresh = {
            key: i for i, key in reversed(list(enumerate(keys))) if key not in self.known
        }
        chosen = sorted(fresh.values())
        judged = self.judge([points[i] for i in chosen])
        self.known |= {keys[i]: judgement for i, judgement in zip(chosen, judged, strict=True)}
        for trial, key in zip(asked, keys, strict=True):
            self._tell(trial, self.known[key])
        new = [
            TrialRecord(len(self.records) + n, points[i], named[i], self.known[keys[i]])
            for n, i in enumerate(chosen)
        ]
        if self.store is not None:
            self.store.add(new)
        self.records += new

    def _tell(self, trial: object, judgement: Judgement) -> None:
        import optuna

        assert isinstance(trial, optuna.Trial)
        if judgement.obstacle:
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            return
        for name, amount in judgement.violations.items():
            trial.set_constraint(name, amount)
        values = [float(judgement.figures[o.name]) for o in self.plan.objectives]
        self.study.tell(trial, values)

    def progress(self, seconds: float) -> Progress:
        outcome = self.outcome()
        curve = outcome.hypervolumes(outcome.trials, 1)
        rate = (len(self.records) - self.earlier) / seconds if seconds > 0 else 0.0
        volume = curve[-1][1] if curve else 0.0
        return Progress(len(self.records), self.plan.trials, len(outcome.front), volume, rate)

    def outcome(self) -> Exploration:
        plan = self.plan
        return Exploration(
            plan.space,
            plan.objectives,
            plan.constraints,
            plan.sampler,
            plan.seed,
            tuple(self.records),
        )
