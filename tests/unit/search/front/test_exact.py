"""The exact front against enumeration, and the search against the exact front."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnsim.exploration.explore import explore
from bnnsim.exploration.plan import plan_of
from bnnsim.search.front.evaluator import Evaluator, set_evaluator
from bnnsim.search.front.exact import exact_front
from bnnsim.search.front.front import hypervolume, is_on_front
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.points.knapsack import cheapest_choice
from bnnsim.search.points.raw_encoding import RawEncoding
from bnnsim.search.storage.record import TrialRecord
from bnnsim.search.study.coordinator import search
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.pool import Pool

SPACE = """\
name: small
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {memory: per_pe, pipeline: freezing, fifo_words: 64}
layers:
  fc0: {pe: 32, simd: 98, out_width_bits: 64}
  fc1: {pe: 16, simd: 16, out_width_bits: 64}
  fc2: {pe: divisors, simd: divisors, out_width_bits: 64}
  fc3: {pe: divisors, simd: divisors}
explore: {workload: tfc, objectives: [throughput_fps, lut], constraints: ["bram18<=280"]}
"""
LUT = 53_200.0

groups = st.lists(
    st.lists(st.tuples(st.integers(0, 20), st.integers(-4, 8)), min_size=1, max_size=5),
    min_size=1,
    max_size=4,
)


@given(groups, st.integers(-6, 20))
@settings(max_examples=300)
def test_cheapest_choice_is_what_trying_everything_finds(
    items: list[list[tuple[int, int]]], room: int
) -> None:
    allowed = [
        sum(cost for cost, _ in choice)
        for choice in itertools.product(*items)
        if sum(amount for _, amount in choice) <= room
    ]
    found = cheapest_choice(
        [np.array([float(cost) for cost, _ in group]) for group in items],
        [np.array([amount for _, amount in group]) for group in items],
        room,
    )
    if not allowed:
        assert found is None
        return
    assert found is not None
    chosen = [group[i] for group, i in zip(items, found, strict=True)]
    assert sum(cost for cost, _ in chosen) == min(allowed)
    assert sum(amount for _, amount in chosen) <= room


@pytest.fixture
def plan(tmp_path: Path) -> SearchPlan:
    (tmp_path / "small.yaml").write_text(SPACE)
    found = plan_of(tmp_path / "small.yaml", None, 50, None, (), "front", 0)
    set_evaluator(Evaluator(found.space, found.objectives, found.constraints))
    return found


def _losses(evaluated: list[PointResult]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    good = [j.figures for j in evaluated if j.is_feasible]
    return np.array([[-f["throughput_fps"], f["lut"]] for f in good]).reshape(len(good), 2)


def _volume(evaluated: list[PointResult]) -> float:
    return hypervolume(_losses(evaluated), np.array([0.0, LUT]))


def _exact(plan: SearchPlan) -> list[PointResult]:
    evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
    raw = RawEncoding(plan.space)
    points = exact_front(plan.space, Pool(None), "lut", "bram18", 280)
    return [evaluator(raw.describe(point.parameters)) for point in points]


def test_exact_front_is_the_front_of_every_design_of_the_space(plan: SearchPlan) -> None:
    evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
    raw = RawEncoding(plan.space)
    names = list(raw.sizes)
    every = [
        evaluator(raw.describe(dict(zip(names, point, strict=True))))
        for point in itertools.product(*(range(size) for size in raw.sizes.values()))
    ]
    losses = _losses(every)
    front = {tuple(row) for row in losses[is_on_front(losses)].tolist()}
    exact = _losses(_exact(plan))
    assert {tuple(row) for row in exact[is_on_front(exact)].tolist()} == front


def test_exact_front_predicts_the_figures_that_its_designs_have(plan: SearchPlan) -> None:
    points = exact_front(plan.space, Pool(None), "lut", "bram18", 280)
    assert len(points) >= 3
    for point, evaluated in zip(points, _exact(plan), strict=True):
        figures = evaluated.figures
        assert figures["initiation_interval_cycles"] == point.interval_cycles
        assert (figures["lut"], figures["bram18"]) == (point.cost, point.bounded)


def test_search_reaches_the_exact_front_and_leaves_random_behind(plan: SearchPlan) -> None:
    whole = _volume(_exact(plan))
    pool = Pool(None)
    for seed in range(2):
        shares = {}
        for sampler in ("front", "random"):
            found, _ = search(replace(plan, sampler=sampler, seed=seed), pool)
            shares[sampler] = _volume([t.result for t in found.trials]) / whole
        assert shares["front"] >= 0.95
        assert shares["front"] <= 1 + 1e-9


def test_exact_sampler_evaluates_the_points_of_the_exact_front(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SPACE)
    found = explore(
        tmp_path / "small.yaml", sampler="exact", jobs=1, baseline=0, verify_words=0
    ).exploration
    assert all(trial.result.is_feasible for trial in found.trials)
    assert len(found.front) == len(found.trials) >= 3
    assert isinstance(found.trials[0], TrialRecord)
