"""Forecasts: costs are those of the design, no design is faster than its floor, effects are learnt."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from bnnsim.cost.usage import RESOURCES
from bnnsim.exploration.plan import plan_of
from bnnsim.search.forecast.effects import Effects
from bnnsim.search.forecast.losses import PointModel
from bnnsim.search.front.evaluator import Evaluator
from bnnsim.search.front.objectives import parse_constraints, parse_objectives
from bnnsim.search.study.plan import SearchPlan

DRAWN = 25


def _model(plan: SearchPlan) -> PointModel:
    return PointModel(plan.space, plan.encoding, plan.objectives, plan.constraints)


def _drawn(plan: SearchPlan, count: int, seed: int) -> list[dict[str, int]]:
    draw = np.random.default_rng(seed)
    sizes = plan.encoding.sizes.items()
    return [{name: int(draw.integers(size)) for name, size in sizes} for _ in range(count)]


def test_costs_of_a_pipeline_are_forecast_exactly_and_no_design_is_faster() -> None:
    costs_named = [name for name in RESOURCES if name not in ("alm", "m20k")]
    names = ["throughput_fps", "power_w", "fifo_bits", *costs_named]
    plan = plan_of("digits-7z020", None, 60, names, (), "front", 0)
    model = _model(plan)
    assert model.build(np.array([list(point.values()) for point in _drawn(plan, 600, 1)])).all()
    evaluator = Evaluator(plan.space, plan.objectives, ())
    points = _drawn(plan, 2 * DRAWN, 2)
    losses, _, known = model.expect(np.array([list(point.values()) for point in points]))
    compared = 0
    for point, row, is_known in zip(points, losses, known, strict=True):
        result = evaluator(plan.encoding.describe(point))
        if not is_known or result.infeasible_reason or compared == DRAWN:
            continue
        compared += 1
        fps, watts, *costs = (result.figures[name] for name in names)
        assert costs == row[2:].tolist()
        assert fps <= -row[0] * (1 + 1e-12)
        if fps == pytest.approx(-row[0], rel=1e-12):
            assert watts == pytest.approx(row[1], rel=1e-9)
    assert compared == DRAWN  # of points that were not built


@pytest.mark.parametrize(
    ("space", "bound"), [("digits-7z020", "lut<=10500"), ("cnv-engine", "lut<=20000")]
)
def test_bounds_that_need_no_timing_are_known_without_it(space: str, bound: str) -> None:
    plan = plan_of(space, None, 60, None, (bound,), "front", 0)
    model, evaluator = _model(plan), Evaluator(plan.space, plan.objectives, plan.constraints)
    broken = kept = 0
    for point in _drawn(plan, 12, 3):
        excess = model.look(np.array(list(point.values())))
        result = evaluator.screen(plan.encoding.describe(point))
        is_barred = bool(result.infeasible_reason)
        assert (excess > 0) == is_barred, result
        broken += is_barred
        kept += not is_barred
    assert broken and kept


def test_effects_of_a_product_are_found_from_few_of_its_values() -> None:
    sizes = (3, 5, 2, 4)
    draw = np.random.default_rng(0)
    factors = [draw.uniform(1, 9, size) for size in sizes]
    every = np.array(list(itertools.product(*map(range, sizes))))
    products = [math.prod(f[v] for f, v in zip(factors, point, strict=True)) for point in every]
    right = np.log(products)[:, None]
    effects = Effects(sizes, 1)
    seen = draw.permutation(len(every))[:40]
    for place in seen:
        effects.learn(every[place], right[place])
    others = np.setdiff1d(np.arange(len(every)), seen)
    assert np.abs(effects.predict(every[others]) - right[others]).max() < 0.1  # of factors up to 9


def test_effects_are_those_of_ridge_regression_solved_at_once() -> None:
    sizes, draw = (3, 4), np.random.default_rng(1)
    points = np.stack([draw.integers(0, size, 30) for size in sizes], axis=1)
    values = draw.normal(size=(30, 2))
    effects = Effects(sizes, 2, stiffness=0.5)
    for point, value in zip(points, values, strict=True):
        effects.learn(point, value)
    rows = np.zeros((30, 3 + 4 + 12))
    for row, (a, b) in zip(rows, points, strict=True):
        row[[a, 3 + b, 7 + 4 * a + b]] = 1
    needs = np.diag([0.5] * 7 + [15.0] * 12)
    solved = np.linalg.solve(rows.T @ rows + needs, rows.T @ (values - values.mean(axis=0)))
    assert np.allclose(effects.predict(points), values.mean(axis=0) + rows @ solved)


def test_alternatives_are_forecast_each_by_its_own_model() -> None:
    plan = plan_of("cnv-streaming-or-engine", None, 60, None, (), "front", 0)
    model = _model(plan)
    rows = np.array([list(point.values()) for point in plan.seeds()[:6]])
    assert len(set(model.keys(rows))) == 6
    other = rows.copy()
    for row, changed in zip(rows, other, strict=True):
        unused = [c for c in range(1, rows.shape[1]) if c not in model.own_columns(row)]
        changed[unused] = 0 if row[unused].any() else 1
    assert model.keys(other) == model.keys(rows)  # parameters of the others are ignored
    assert all(model.look(row) >= 0 for row in rows)


def test_figures_that_no_timing_is_needed_for_count_as_given() -> None:
    objectives = parse_objectives(["throughput_fps", "lut", "accuracy_percent"])
    plan = plan_of("rebnet-7z020", None, 30, None, (), "front", 0)
    model = PointModel(plan.space, plan.encoding, objectives, parse_constraints(["accuracy_percent>=85"]))
    best = {plan.encoding.describe(p)["alternative"]: model.look(np.array(list(p.values())))
            for p in plan.seeds()[:9]}  # fmt: skip
    assert best["rebnet-m1"] > 0  # 80.59 %
    assert best["rebnet-m3"] == 0
