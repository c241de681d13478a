"""One coordinator asks and tells in batches; a pool of processes only judges.

Batches have a fixed size and are told in the order in which they were asked, so the same seed gives the
same trials whatever the number of jobs. Every finished batch is on disk before the next is asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bnnsim.search.encoding import Knobs, Parameters, point_key
from bnnsim.search.judge import Judgement, judge_here
from bnnsim.search.plan import SearchPlan
from bnnsim.search.pool import Pool
from bnnsim.search.record import Exploration, TrialRecord
from bnnsim.search.store import TrialStore

BATCH = 10
PATIENCE = 20
"""Give up when this many times the trials asked for were proposed and too few were new."""


@dataclass(frozen=True)
class Progress:
    """How far a search is. ``hypervolume`` is the share of the box between the worst and the best
    figures seen so far that the front dominates."""

    trials: int
    wanted: int
    feasible: int
    front: int
    hypervolume: float
    designs_per_s: float


def search(
    plan: SearchPlan,
    pool: Pool,
    store: TrialStore | None = None,
    earlier: Sequence[TrialRecord] = (),
    progress: Callable[[Progress], None] | None = None,
) -> tuple[Exploration, bool]:
    """Run a plan's trials beyond the ``earlier`` ones; all of them, and whether Ctrl-C ended it.

    ``pool`` is one prepared with :func:`~bnnsim.search.judge.set_judge`. After Ctrl-C the batch in
    flight is dropped and everything before it returned.
    """
    started = time.monotonic()
    if plan.sampler == "exact":
        run: _Run = _Listed(plan, pool, store, list(earlier))
    else:
        run = _Sampled(plan, pool, store, list(earlier))
    try:
        while run.wants_more():
            run.batch()
            if progress is not None:
                progress(run.progress(time.monotonic() - started))
    except KeyboardInterrupt:
        return plan.outcome(run.records), True
    return plan.outcome(run.records), False


class _Run:
    """What all ways to propose points have in common."""

    def __init__(
        self, plan: SearchPlan, pool: Pool, store: TrialStore | None, earlier: list[TrialRecord]
    ) -> None:
        self.plan = plan
        self.pool = pool
        self.store = store
        self.encoding = plan.encoding
        self.records = earlier
        self.earlier = len(earlier)
        self.known = {point_key(record.knobs): record.judgement for record in earlier}

    def wants_more(self) -> bool:
        raise NotImplementedError

    def batch(self) -> None:
        raise NotImplementedError

    def judge_new(self, points: Sequence[Parameters]) -> list[Judgement]:
        """Judge, keep and store those of ``points`` that are not known yet; judgements of all."""
        named: list[Knobs] = [self.encoding.describe(point) for point in points]
        keys = [point_key(knobs) for knobs in named]
        fresh = {k: i for i, k in reversed(list(enumerate(keys))) if k not in self.known}
        chosen = sorted(fresh.values())
        judged = list(self.pool.map(judge_here, [named[i] for i in chosen]))
        new = [
            TrialRecord(len(self.records) + n, points[i], named[i], judgement)
            for n, (i, judgement) in enumerate(zip(chosen, judged, strict=True))
        ]
        if self.store is not None:
            self.store.add(new)
        self.known |= {point_key(record.knobs): record.judgement for record in new}
        self.records = self.records + new
        return [self.known[key] for key in keys]

    def progress(self, seconds: float) -> Progress:
        outcome = self.plan.outcome(self.records)
        rate = (len(self.records) - self.earlier) / seconds if seconds > 0 else 0.0
        return Progress(
            len(self.records),
            self.plan.trials,
            len(outcome.feasible),
            len(outcome.front),
            outcome.box_share(outcome.trials),
            rate,
        )


class _Sampled(_Run):
    """Points proposed by one of Optuna's samplers, the greedy seeds first."""

    def __init__(
        self, plan: SearchPlan, pool: Pool, store: TrialStore | None, earlier: list[TrialRecord]
    ) -> None:
        from bnnsim.search.proposer import Proposer

        super().__init__(plan, pool, store, earlier)
        self.proposer = Proposer(plan, plan.seed + len(earlier))
        self.proposer.learn(earlier)
        self.proposed = 0

    def wants_more(self) -> bool:
        left = len(self.records) < self.plan.designs
        return left and self.proposed < PATIENCE * self.plan.trials

    def batch(self) -> None:
        """Ask for a batch, judge and store what is new in it, tell all of it."""
        size = min(BATCH, self.plan.trials - len(self.records))
        self.proposed += size
        self.proposer.tell(self.judge_new(self.proposer.ask(size)))


class _Listed(_Run):
    """The points of the exact front, computed before the first is judged."""

    def __init__(
        self, plan: SearchPlan, pool: Pool, store: TrialStore | None, earlier: list[TrialRecord]
    ) -> None:
        from bnnsim.search.exact import exact_points

        super().__init__(plan, pool, store, earlier)
        self.waiting = exact_points(plan.space, pool, plan.objectives, plan.constraints)

    def wants_more(self) -> bool:
        return bool(self.waiting)

    def batch(self) -> None:
        self.judge_new(self.waiting[:BATCH])
        self.waiting = self.waiting[BATCH:]
