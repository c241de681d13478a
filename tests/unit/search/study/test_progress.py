"""What progress tells: the front kept up to date is that of all trials, and its reports cost little."""

from __future__ import annotations

import random
import time

import pytest

from bnnsim.exploration.plan import plan_of
from bnnsim.search.front.objectives import parse_objectives
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import Knobs
from bnnsim.search.storage.record import TrialRecord
from bnnsim.search.study.coordinator import search
from bnnsim.search.study.pool import Pool
from bnnsim.search.study.progress import SearchProgress, Tally

NAMES = ("throughput_fps", "power_w", "lut")


def test_front_kept_up_to_date_is_the_front_of_all() -> None:
    draw = random.Random(4)
    tally = Tally(parse_objectives(NAMES))
    losses: list[tuple[float, ...]] = []
    for batch in range(60):
        records = []
        for n in range(10):
            fps, power, lut = (float(draw.randint(1, 12)) for _ in NAMES)
            over = float(draw.randint(-3, 1))
            figures = dict(zip(NAMES, (fps, power, lut), strict=True))
            records.append(TrialRecord(10 * batch + n, {}, {}, PointResult(figures, {"lut<=1": over})))
            if over <= 0:
                losses.append((-fps, power, lut))
        tally.add(records)
        front = {
            a
            for a in losses
            if not any(b != a and all(x <= y for x, y in zip(b, a, strict=True)) for b in losses)
        }
        assert {tuple(map(float, row)) for row in tally.front} == front
        assert len(tally.front) == len(front)
        assert (tally.trials, tally.feasible) == (10 * (batch + 1), len(losses))


def test_slow_reports_become_rarer(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of("digits-7z020", None, 200, None, (), "random", 0)
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    told: list[int] = []

    def evaluate(knobs: Knobs) -> PointResult:
        clock[0] += 0.1
        return PointResult({o.name: 1.0 for o in plan.objectives}, {})

    def report(progress: SearchProgress) -> None:
        told.append(progress.trials)
        clock[0] += 1.0

    search(plan, Pool(None), progress=report, evaluate=evaluate)
    assert len(told) <= 3  # 20 s of trials; a report of 1 s may come every 20
    assert told[-1] == 200
