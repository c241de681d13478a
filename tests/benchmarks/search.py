"""How good and how fast the search is, against the exact front and a search without knowledge."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.exploration.explore import explore
from bnnsim.exploration.plan import plan_of
from bnnsim.search.front.evaluator import Evaluator, evaluate_here, set_evaluator
from bnnsim.search.front.exact import ExactPoint, exact_front
from bnnsim.search.front.front import hypervolume
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.encoding import point_key
from bnnsim.search.points.raw_encoding import RawEncoding
from bnnsim.search.space.space import Space
from bnnsim.search.study.coordinator import search
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.pool import Pool, open_pool
from tests.benchmarks.row import Row

FOLDING = "cnv-7z020-folding"
BOUND = 280
SEEDS = 5


def volume(evaluated: Sequence[PointResult], lut: float) -> float:
    """The hypervolume of FPS against LUT, from no frames a second and the device's LUTs."""
    good = [j.figures for j in evaluated if j.is_feasible]
    losses = np.array([[-f["throughput_fps"], f["lut"]] for f in good]).reshape(len(good), 2)
    return hypervolume(losses, np.array([0.0, lut]))


def folding_plan() -> SearchPlan:
    """CNV on a 7Z020, PE and SIMD alone free, FPS against LUT with the block RAM bounded."""
    return plan_of(FOLDING, None, 500, None, (), "front", 0)


def exact_volume(plan: SearchPlan, pool: Pool, lut: float) -> tuple[float, list[ExactPoint], int]:
    """The exact front's hypervolume, its points, and for how many of them the prediction held."""
    assert isinstance(plan.space, Space)
    raw = RawEncoding(plan.space)
    points = [p for p in exact_front(plan.space, pool, "lut", "bram18", BOUND) if p.cost <= lut]
    evaluated = list(pool.map(evaluate_here, [raw.describe(p.parameters) for p in points]))
    held = sum(
        (j.figures.get("initiation_interval_cycles"), j.figures.get("lut"), j.figures.get("bram18"))
        == (p.interval_cycles, p.cost, p.bounded)
        for p, j in zip(points, evaluated, strict=True)
    )
    return volume(evaluated, lut), points, held


def shares(plan: SearchPlan, pool: Pool, budgets: Sequence[int], whole: float, lut: float) -> list[float]:
    """The share of the exact front's hypervolume after each budget of one search."""
    found, _ = search(replace(plan, trials=max(budgets)), pool)
    evaluated = [trial.result for trial in found.trials]
    assert len({point_key(trial.knobs) for trial in found.trials}) == len(evaluated)
    return [volume(evaluated[:budget], lut) / whole for budget in budgets]


def hypervolumes(seeds: int, budgets: Sequence[int], jobs: int) -> list[Row]:
    """the exact front, the search and random at each budget."""
    plan = folding_plan()
    evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
    rows: list[Row] = []
    lut = 53_200.0
    with open_pool(jobs, set_evaluator, evaluator) as pool:
        whole, points, held = exact_volume(plan, pool, lut)
        rows.append(Row("exact front", len(points), "designs"))
        rows.append(Row("exact front: evaluated as predicted", held, "designs"))
        for sampler in ("front", "random"):
            table = [
                shares(replace(plan, sampler=sampler, seed=seed), pool, budgets, whole, lut)
                for seed in range(seeds)
            ]
            for budget, column in zip(budgets, zip(*table, strict=True), strict=True):
                rows.append(Row(f"{sampler}, {budget} designs: worst of {seeds}", min(column) * 100, "%"))
                rows.append(Row(f"{sampler}, {budget} designs: mean", sum(column) / seeds * 100, "%"))
    return rows


def speed(trials: int, jobs: int) -> list[Row]:
    """Explorations of CNV on a 7Z020 with journal and page: the search alone, then as it comes.

    As it comes: as many random designs beside it, and the front executed once more, bit by bit.
    """
    rows = []
    kinds: Mapping[str, dict[str, Any]] = {
        "search alone": {"baseline": 0, "verify_words": 0},
        "with baseline and verification": {},
    }
    for name, options in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            report = explore(trials=trials, jobs=jobs, out=Path(folder) / "o", **options)
            seconds = time.perf_counter() - started
        exact = sum(v.is_exact is True for v in report.verifications)
        note = f"{exact} of {len(report.verifications)} front designs bit-exact"
        rows += [
            Row(f"{trials} designs, {name}", seconds, "s", note=note),
            Row("designs a second while searching", trials / report.search_seconds, "1/s"),
        ]
    return rows


def measure() -> list[Row]:
    """Everything."""
    jobs = os.cpu_count() or 1
    return speed(300, jobs) + hypervolumes(SEEDS, (50, 500), jobs)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.name:<50} {row.value:>10.4g} {row.unit}")
