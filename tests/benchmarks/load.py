"""Large studies: processor time a trial, journal and memory over 20,000 trials."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from bnnsim.exploration.plan import plan_of
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Knobs
from bnnsim.search.storage.store import JOURNAL, STUDY, open_journal
from bnnsim.search.study.coordinator import search
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.pool import Pool
from bnnsim.search.study.progress import SearchProgress
from tests.benchmarks.row import Row

SPACE = "digits-7z020"
TRIALS = 20_000
SAMPLE = 40
"""Designs that are judged; the figures of the others are theirs in turn."""


def judged(plan: SearchPlan) -> list[PointResult]:
    """Results as designs have them, judged once: the time of a trial is then the search's own."""
    from bnnsim.search.front.evaluator import Evaluator

    evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
    points = plan.encoding.seeds(SAMPLE)
    return [evaluator(plan.encoding.describe(point)) for point in points]


def long_search() -> list[Row]:
    """The search's own time a trial, by thousands, and what the journal and the memory come to."""
    plan = plan_of(SPACE, None, TRIALS, None, (), "front", 0)
    results = judged(plan)
    moments: list[tuple[int, float]] = []

    def evaluate(knobs: Knobs) -> PointResult:
        place = sum(int(v) for v in knobs.values() if isinstance(v, int))
        return results[place % len(results)]

    def note(progress: SearchProgress) -> None:
        moments.append((progress.trials, time.process_time()))

    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        with open_journal(out, {STUDY: plan}, resume=False) as stores:
            search(plan, Pool(None), stores[STUDY], note, evaluate)
        size = (out / JOURNAL).stat().st_size
        begun = time.process_time()
        with open_journal(out, {STUDY: plan}, resume=True) as stores:
            kept = len(stores[STUDY].records())
        read_s = time.process_time() - begun
    first, last = (_ms_a_trial(moments, part) for part in (0, 1))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Row(f"own time a trial, first tenth of {TRIALS:,}", first, "ms CPU"),
        Row("own time a trial, last tenth", last, "ms CPU", first / last, "the first tenth"),
        Row("journal", size / TRIALS, "bytes a trial"),
        Row(f"reading {kept:,} trials back", read_s, "s CPU"),
        Row("peak memory", peak_mb, "MB"),
    ]


def _ms_a_trial(moments: list[tuple[int, float]], part: int) -> float:
    tenth = [m for m in moments if (m[0] <= TRIALS / 10 if part == 0 else m[0] >= TRIALS * 0.9)]
    (least, begun), (most, ended) = tenth[0], tenth[-1]
    return 1000 * (ended - begun) / max(1, most - least)


def measure() -> list[Row]:
    """A long search."""
    return long_search()
