"""Shipped spaces: each has designs that keep every bound among the first that a search tries."""

from __future__ import annotations

from functools import cache

import pytest

from bnnsim.exploration.plan import SearchPlan, plan_of
from bnnsim.search.front.evaluator import Evaluator
from bnnsim.search.space.alternatives import Alternatives
from bnnsim.spec.library import shipped_names


@cache
def _plan(name: str) -> SearchPlan:
    return plan_of(name, None, 100, None, (), "front", 0)


@pytest.mark.parametrize("name", shipped_names("space"))
def test_first_points_hold_designs_that_keep_every_bound(name: str) -> None:
    plan = _plan(name)
    evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
    points = [plan.encoding.describe(seed) for seed in plan.encoding.seeds(6)]
    evaluated = [(point, evaluator(point)) for point in points]
    good = [point for point, result in evaluated if result.is_feasible]
    assert good
    if isinstance(plan.space, Alternatives):
        assert {point["alternative"] for point in good} == set(plan.space.members)
    assert plan.space.name == name


@pytest.mark.parametrize("name", shipped_names("space"))
def test_reference_designs_say_only_figures_that_objectives_can_be_read_against(name: str) -> None:
    plan = _plan(name)
    wanted = {objective.name for objective in plan.objectives}
    for reference in plan.space.reference_designs:
        assert len(wanted & set(reference.figures)) >= 1
