"""One coordinator asks and tells in batches; a pool of processes only evaluates.

Batches have a fixed size and are told in the order in which they were asked, one batch being evaluated
while the next is asked for; so the same seed gives the same trials whatever the number of jobs. Every
finished batch is on disk before another is asked.

A search that goes on begins again: the same batches are asked for, and what the store has is told without
being judged. So a search that was killed, however often, has the trials of one that was not.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from bnnsim.search.front.evaluator import evaluate_here
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Knobs, Parameters, point_key
from bnnsim.search.space.fields import Value
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.search.storage.store import TrialStore
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.pool import Pool
from bnnsim.search.study.progress import SearchProgress, Tally

BATCH_POINTS = 10
BATCHES_IN_FLIGHT = 2
"""One to evaluate, and one to begin with while the coordinator is busy with the first."""
DESIGNS_IN_FLIGHT = BATCH_POINTS * BATCHES_IN_FLIGHT
PROGRESS_S = 0.25
"""Between two reports of progress, at least: a front and its hypervolume take their time too."""
MOST_PROGRESS_SHARE = 0.05
"""Of the time, that reports of progress may take: those of a large front become rarer."""
MOST_PROPOSALS_A_TRIAL = 20
"""Give up when this many times the trials asked for were proposed and too few were new."""


def search(
    plan: SearchPlan,
    pool: Pool,
    store: TrialStore | None = None,
    progress: Callable[[SearchProgress], None] | None = None,
    evaluate: Callable[[Knobs], PointResult] = evaluate_here,
) -> tuple[Exploration, bool]:
    """Run a plan's trials; all of them, and whether Ctrl-C ended it.

    ``pool`` is one prepared with :func:`~bnnsim.search.front.evaluator.set_evaluator`; ``evaluate`` runs
    in its processes. Finished trials go to ``store``, and those that it has are not run again. There are
    at least as many as the store has. After Ctrl-C the batches in flight are dropped and everything
    before them is returned.

    Raises :class:`SpecError` where the store takes no more trials, or has others than this search's.
    """
    started = time.monotonic()
    source = _ListedPoints(plan, pool) if plan.sampler == "exact" else _SampledPoints(plan)
    run = _Run(plan, source, pool, store, evaluate)
    tally = Tally(plan.objectives)
    counted = earlier = 0
    next_report = started
    try:
        while run.submit() or run.in_flight:
            run.collect()
            tally.add(run.records[counted:])
            counted = len(run.records)
            now = time.monotonic()
            if run.judged == 0:
                started, earlier = now, counted
            if progress is not None and (now >= next_report or not run.in_flight):
                progress(tally.progress(run.wanted, counted - earlier, now - started))
                took = time.monotonic() - now
                next_report = now + took + PROGRESS_S + took / MOST_PROGRESS_SHARE
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
    """Where points come from."""

    def wanted(self, trials: int) -> int:
        """How many different designs there will be where ``trials`` are asked for."""

    def propose(self, count: int) -> Sequence[Parameters]:
        """The next batch, of ``count`` points at most; none where there are no more.

        Batches do not depend on how many designs are wanted: a longer search begins as a shorter one.
        """

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
        evaluate: Callable[[Knobs], PointResult],
    ) -> None:
        self.source = source
        self.pool = pool
        self.store = store
        self.evaluate = evaluate
        self.encoding = plan.encoding
        stored = max(store.numbers, default=-1) + 1 if store is not None else 0
        self.wanted = source.wanted(max(plan.trials, stored))
        self.together = max(1, DESIGNS_IN_FLIGHT // (4 * pool.jobs))
        """Designs that travel to a process together: of those in flight each process gets four lots."""
        self.judged = 0
        self.records: list[TrialRecord] = []
        self.known: dict[tuple[tuple[str, Value], ...], PointResult] = {}
        self.in_flight: deque[_Batch] = deque()

    @property
    def expected(self) -> int:
        """How many trials there will be when everything in flight is collected."""
        return len(self.records) + sum(len(batch.fresh) for batch in self.in_flight)

    def submit(self) -> bool:
        """Give batches to the pool, as many as may be in flight; whether there was one to give."""
        before = len(self.in_flight)
        while len(self.in_flight) < BATCHES_IN_FLIGHT and self.expected < self.wanted:
            points = self.source.propose(BATCH_POINTS)
            if not points:
                break
            knobs: list[Knobs] = [self.encoding.describe(point) for point in points]
            keys = [point_key(named) for named in knobs]
            submitted = {point_key(b.knobs[i]) for b in self.in_flight for i in b.fresh}
            first = {key: i for i, key in reversed(list(enumerate(keys)))}
            fresh = sorted(
                i for key, i in first.items() if key not in self.known and key not in submitted
            )
            fresh = fresh[: self.wanted - self.expected]
            results = self._results([knobs[i] for i in fresh], self.expected)
            self.in_flight.append(_Batch(points, knobs, fresh, results))
        return len(self.in_flight) > before

    def _results(self, designs: Sequence[Knobs], number: int) -> Iterator[PointResult]:
        """The results of new designs, numbered from ``number``: as they are stored, or judged now."""
        store = self.store
        kept = [None if store is None else store.kept(number + n, d) for n, d in enumerate(designs)]
        missing = [d for d, result in zip(designs, kept, strict=True) if result is None]
        judged = iter(self.pool.map(self.evaluate, missing, self.together))
        return (next(judged) if result is None else result for result in kept)

    def collect(self) -> None:
        """Wait for the oldest batch; keep, store and tell its results."""
        batch = self.in_flight[0]
        results = list(batch.results)
        new = [
            TrialRecord(len(self.records) + n, batch.points[i], batch.knobs[i], result)
            for n, (i, result) in enumerate(zip(batch.fresh, results, strict=True))
        ]
        stored: Set[int] = frozenset() if self.store is None else self.store.numbers
        judged = [record for record in new if record.number not in stored]
        if self.store is not None:
            self.store.add(judged)
        self.judged += len(judged)
        self.in_flight.popleft()
        self.known |= {point_key(record.knobs): record.result for record in new}
        self.records += new
        if self.expected < self.wanted:
            self.source.tell([self.known[point_key(knobs)] for knobs in batch.knobs])


class _SampledPoints:
    """Points proposed by the plan's sampler."""

    def __init__(self, plan: SearchPlan) -> None:
        from bnnsim.search.study.proposer import proposer_of

        self.points = plan.encoding.points
        self.proposer = proposer_of(plan, plan.seed)
        self.room = MOST_PROPOSALS_A_TRIAL * plan.trials

    def wanted(self, trials: int) -> int:
        return min(trials, self.points)

    def propose(self, count: int) -> Sequence[Parameters]:
        if self.room <= 0:
            return ()
        self.room -= count
        return self.proposer.ask(count)

    def tell(self, results: Sequence[PointResult]) -> None:
        self.proposer.tell(results)


class _ListedPoints:
    """The points of the exact front, computed before the first is evaluated."""

    def __init__(self, plan: SearchPlan, pool: Pool) -> None:
        from bnnsim.search.front.exact import exact_points

        self.waiting = exact_points(plan.encoding, plan.space, pool, plan.objectives, plan.constraints)
        self.points = len(self.waiting)

    def wanted(self, trials: int) -> int:
        return self.points

    def propose(self, count: int) -> Sequence[Parameters]:
        now, self.waiting = self.waiting[:count], self.waiting[count:]
        return now

    def tell(self, results: Sequence[PointResult]) -> None:
        """Nothing is learned from results."""
