"""One coordinator asks and tells in batches; a pool of processes only evaluates.

Batches have a fixed size and are told in the order in which they were asked, one batch being evaluated
while the next is asked for; so the same seed gives the same trials whatever the number of jobs. Every
finished batch is on disk before another is asked.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bnnsim.search.front.evaluator import evaluate_here
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Knobs, Parameters, point_key
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.search.storage.store import TrialStore
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.pool import Pool
from bnnsim.search.study.progress import SearchProgress, search_progress
from bnnsim.search.study.samplers import SEQUENTIAL

BATCH_POINTS = 10
BATCHES_IN_FLIGHT = 2
"""One to evaluate, and one to begin with while the coordinator is busy with the first."""
PROGRESS_S = 0.25
"""Between two reports of progress: a front and its hypervolume take their time too."""
MOST_PROPOSALS_A_TRIAL = 20
"""Give up when this many times the trials asked for were proposed and too few were new."""


def search(
    plan: SearchPlan,
    pool: Pool,
    store: TrialStore | None = None,
    earlier: Sequence[TrialRecord] = (),
    progress: Callable[[SearchProgress], None] | None = None,
    evaluate: Callable[[Knobs], PointResult] = evaluate_here,
) -> tuple[Exploration, bool]:
    """Run a plan's trials beyond the ``earlier`` ones; all of them, and whether Ctrl-C ended it.

    ``pool`` is one prepared with :func:`~bnnsim.search.front.evaluator.set_evaluator`; ``evaluate`` runs
    in its processes. Finished trials go to ``store``. After Ctrl-C the batches in flight are dropped and
    everything before them is returned.
    """
    started = time.monotonic()
    source = _ListedPoints(plan, pool) if plan.sampler == "exact" else _SampledPoints(plan, earlier)
    run = _Run(plan, source, pool, store, list(earlier), evaluate)
    reported = started - PROGRESS_S
    try:
        while run.submit() or run.in_flight:
            run.collect()
            now = time.monotonic()
            if progress is not None and (now - reported >= PROGRESS_S or not run.in_flight):
                reported = now
                outcome = plan.outcome(run.records)
                progress(search_progress(outcome, source.designs, len(earlier), now - started))
    except KeyboardInterrupt:
        return plan.outcome(run.records), True
    return plan.outcome(run.records), False


@dataclass(frozen=True)
class _Batch:
    """Points that were asked for together and are being evaluated.

    ``fresh`` are the positions of those that are new designs, in order; ``results`` gives the result of
    each of these, waiting for it where needed.
    """

    points: Sequence[Parameters]
    knobs: Sequence[Knobs]
    fresh: Sequence[int]
    results: Iterator[PointResult]


class _PointSource(Protocol):
    """Where points come from. ``designs`` is how many different ones there can be."""

    designs: int

    def propose(self, count: int, wanted: int) -> Sequence[Parameters]:
        """The next batch, of ``count`` points at most, where ``wanted`` more designs are asked for."""

    def tell(self, results: Sequence[PointResult]) -> None:
        """Take in the results of the oldest batch that was not told yet, in its order."""


class _Run:
    """Batches that are submitted to a pool and collected in order."""

    def __init__(
        self,
        plan: SearchPlan,
        source: _PointSource,
        pool: Pool,
        store: TrialStore | None,
        earlier: list[TrialRecord],
        evaluate: Callable[[Knobs], PointResult],
    ) -> None:
        self.source = source
        self.pool = pool
        self.store = store
        self.evaluate = evaluate
        self.encoding = plan.encoding
        self.records = earlier
        self.known = {point_key(record.knobs): record.result for record in earlier}
        self.in_flight: deque[_Batch] = deque()
        is_sequential = plan.sampler in SEQUENTIAL
        self.batch_points = 1 if is_sequential else BATCH_POINTS
        self.most_in_flight = 1 if is_sequential else BATCHES_IN_FLIGHT

    @property
    def expected(self) -> int:
        """How many trials there will be when everything in flight is collected."""
        return len(self.records) + sum(len(batch.fresh) for batch in self.in_flight)

    def submit(self) -> bool:
        """Give batches to the pool, as many as may be in flight; whether there was one to give."""
        before = len(self.in_flight)
        while len(self.in_flight) < self.most_in_flight:
            points = self.source.propose(self.batch_points, self.source.designs - self.expected)
            if not points:
                break
            knobs: list[Knobs] = [self.encoding.describe(point) for point in points]
            keys = [point_key(named) for named in knobs]
            submitted = {point_key(b.knobs[i]) for b in self.in_flight for i in b.fresh}
            first = {key: i for i, key in reversed(list(enumerate(keys)))}
            fresh = sorted(
                i for key, i in first.items() if key not in self.known and key not in submitted
            )
            results = iter(self.pool.map(self.evaluate, [knobs[i] for i in fresh]))
            self.in_flight.append(_Batch(points, knobs, fresh, results))
        return len(self.in_flight) > before

    def collect(self) -> None:
        """Wait for the oldest batch; keep, store and tell its results."""
        batch = self.in_flight[0]
        results = list(batch.results)
        new = [
            TrialRecord(len(self.records) + n, batch.points[i], batch.knobs[i], result)
            for n, (i, result) in enumerate(zip(batch.fresh, results, strict=True))
        ]
        if self.store is not None:
            self.store.add(new)
        self.in_flight.popleft()
        self.known |= {point_key(record.knobs): record.result for record in new}
        self.records = self.records + new
        self.source.tell([self.known[point_key(knobs)] for knobs in batch.knobs])


class _SampledPoints:
    """Points proposed by one of Optuna's samplers, the plan's seeds first."""

    def __init__(self, plan: SearchPlan, earlier: Sequence[TrialRecord]) -> None:
        from bnnsim.search.study.proposer import Proposer

        self.designs = plan.designs
        self.proposer = Proposer(plan, plan.seed + len(earlier))
        self.proposer.learn(earlier)
        self.room = MOST_PROPOSALS_A_TRIAL * plan.trials

    def propose(self, count: int, wanted: int) -> Sequence[Parameters]:
        size = min(count, wanted)
        if size <= 0 or self.room <= 0:
            return ()
        self.room -= size
        return self.proposer.ask(size)

    def tell(self, results: Sequence[PointResult]) -> None:
        self.proposer.tell(results)


class _ListedPoints:
    """The points of the exact front, computed before the first is evaluated."""

    def __init__(self, plan: SearchPlan, pool: Pool) -> None:
        from bnnsim.search.front.exact import exact_points

        self.waiting = exact_points(plan.encoding, plan.space, pool, plan.objectives, plan.constraints)
        self.designs = len(self.waiting)

    def propose(self, count: int, wanted: int) -> Sequence[Parameters]:
        now, self.waiting = self.waiting[:count], self.waiting[count:]
        return now

    def tell(self, results: Sequence[PointResult]) -> None:
        """Nothing is learned from results."""
