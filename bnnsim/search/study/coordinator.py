"""One coordinator asks and tells in batches; a pool of processes only judges.

Batches have a fixed size and are told in the order in which they were asked, one batch being judged while
the next is asked for; so the same seed gives the same trials whatever the number of jobs. Every finished
batch is on disk before another is asked.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bnnsim.search.front.evaluator import Judgement, judge_here
from bnnsim.search.points.encoding import Knobs, Parameters, point_key
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.search.storage.store import TrialStore
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.pool import Pool
from bnnsim.search.study.samplers import SEQUENTIAL

BATCH = 10
BATCHES_AHEAD = 2
"""Batches in flight: one to judge, and one to begin with while the coordinator is busy with the first."""
PROGRESS_S = 0.25
"""Between two reports of progress: a front and its hypervolume take their time too."""
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
    judge: Callable[[Knobs], Judgement] = judge_here,
) -> tuple[Exploration, bool]:
    """Run a plan's trials beyond the ``earlier`` ones; all of them, and whether Ctrl-C ended it.

    ``pool`` is one prepared with :func:`~bnnsim.search.front.evaluator.set_judge`. After Ctrl-C the
    batch in flight is dropped and everything before it returned.
    """
    started = time.monotonic()
    if plan.sampler == "exact":
        run: _Run = _Listed(plan, pool, store, list(earlier), judge)
    else:
        run = _Sampled(plan, pool, store, list(earlier), judge)
    told = started - PROGRESS_S
    try:
        while run.takes_off() or run.flights:
            run.land()
            now = time.monotonic()
            if progress is not None and (now - told >= PROGRESS_S or not run.flights):
                told = now
                progress(run.progress(now - started))
    except KeyboardInterrupt:
        return plan.outcome(run.records), True
    return plan.outcome(run.records), False


@dataclass(frozen=True)
class _Flight:
    """A batch being judged: its points, which of them are new, and what becomes of those, in order."""

    points: Sequence[Parameters]
    named: Sequence[Knobs]
    fresh: Sequence[int]
    judged: Iterator[Judgement]


class _Run:
    """What all ways to propose points have in common."""

    def __init__(
        self,
        plan: SearchPlan,
        pool: Pool,
        store: TrialStore | None,
        earlier: list[TrialRecord],
        judge: Callable[[Knobs], Judgement],
    ) -> None:
        self.plan = plan
        self.pool = pool
        self.store = store
        self.judge = judge
        self.encoding = plan.encoding
        self.records = earlier
        self.earlier = len(earlier)
        self.known = {point_key(record.knobs): record.judgement for record in earlier}
        self.flights: deque[_Flight] = deque()
        self.designs = plan.designs
        self.batch = 1 if plan.sampler in SEQUENTIAL else BATCH
        self.most_flights = 1 if plan.sampler in SEQUENTIAL else BATCHES_AHEAD

    def propose(self) -> Sequence[Parameters]:
        """The next batch; none where nothing is wanted beyond what is in flight."""
        raise NotImplementedError

    def told(self, judgements: Sequence[Judgement]) -> None:
        """What became of the batch that has been in flight for longest."""

    @property
    def expected(self) -> int:
        """How many trials there will be when everything in flight has landed."""
        return len(self.records) + sum(len(flight.fresh) for flight in self.flights)

    def takes_off(self) -> bool:
        """Send batches on their way, as many as may be; whether any was."""
        begun = len(self.flights)
        while len(self.flights) < self.most_flights:
            points = self.propose()
            if not points:
                break
            named: list[Knobs] = [self.encoding.describe(point) for point in points]
            keys = [point_key(knobs) for knobs in named]
            flying = {point_key(f.named[i]) for f in self.flights for i in f.fresh}
            first = {key: i for i, key in reversed(list(enumerate(keys)))}
            fresh = sorted(i for key, i in first.items() if key not in self.known and key not in flying)
            judged = iter(self.pool.map(self.judge, [named[i] for i in fresh]))
            self.flights.append(_Flight(points, named, fresh, judged))
        return len(self.flights) > begun

    def land(self) -> None:
        """Wait for the oldest batch; keep, store and tell what became of it."""
        flight = self.flights[0]
        judged = list(flight.judged)
        new = [
            TrialRecord(len(self.records) + n, flight.points[i], flight.named[i], judgement)
            for n, (i, judgement) in enumerate(zip(flight.fresh, judged, strict=True))
        ]
        if self.store is not None:
            self.store.add(new)
        self.flights.popleft()
        self.known |= {point_key(record.knobs): record.judgement for record in new}
        self.records = self.records + new
        self.told([self.known[point_key(knobs)] for knobs in flight.named])

    def progress(self, seconds: float) -> Progress:
        outcome = self.plan.outcome(self.records)
        rate = (len(self.records) - self.earlier) / seconds if seconds > 0 else 0.0
        return Progress(
            len(self.records),
            self.designs,
            len(outcome.feasible),
            len(outcome.front),
            outcome.box_share(outcome.front),
            rate,
        )


class _Sampled(_Run):
    """Points proposed by one of Optuna's samplers, the greedy seeds first."""

    def __init__(
        self,
        plan: SearchPlan,
        pool: Pool,
        store: TrialStore | None,
        earlier: list[TrialRecord],
        judge: Callable[[Knobs], Judgement],
    ) -> None:
        from bnnsim.search.study.proposer import Proposer

        super().__init__(plan, pool, store, earlier, judge)
        self.proposer = Proposer(plan, plan.seed + len(earlier))
        self.proposer.learn(earlier)
        self.proposed = 0

    def propose(self) -> Sequence[Parameters]:
        size = min(self.batch, self.designs - self.expected)
        if size <= 0 or self.proposed >= PATIENCE * self.plan.trials:
            return ()
        self.proposed += size
        return self.proposer.ask(size)

    def told(self, judgements: Sequence[Judgement]) -> None:
        self.proposer.tell(judgements)


class _Listed(_Run):
    """The points of the exact front, computed before the first is judged."""

    def __init__(
        self,
        plan: SearchPlan,
        pool: Pool,
        store: TrialStore | None,
        earlier: list[TrialRecord],
        judge: Callable[[Knobs], Judgement],
    ) -> None:
        from bnnsim.search.front.exact import exact_points

        super().__init__(plan, pool, store, earlier, judge)
        self.waiting = exact_points(plan.encoding, plan.space, pool, plan.objectives, plan.constraints)
        self.designs = len(self.waiting)

    def propose(self) -> Sequence[Parameters]:
        now, self.waiting = self.waiting[:BATCH], self.waiting[BATCH:]
        return now
