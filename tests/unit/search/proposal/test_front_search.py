"""The project's own search: what it proposes is new, keeps bounds where it can, and leads somewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bnnsim.exploration.plan import plan_of
from bnnsim.search.front.evaluator import Evaluator
from bnnsim.search.front.front import dominated, hypervolume
from bnnsim.search.points.encoding import point_key
from bnnsim.search.proposal.archive import distances
from bnnsim.search.proposal.cover import SAMPLES, Cover, gains
from bnnsim.search.proposal.moves import neighbours
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.search.study.coordinator import search
from bnnsim.search.study.plan import SearchPlan
from bnnsim.search.study.pool import Pool
from bnnsim.search.study.proposer import FrontProposer
from tests.designs import SMALL_SPACE

DEPTHS = "defaults: {fifo_words: {choose: [2, 4, 8]}}\n"


def _found(plan: SearchPlan) -> Exploration:
    evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
    return search(plan, Pool(None), evaluate=evaluator)[0]


def test_designs_that_break_a_bound_at_any_pace_are_not_judged_while_there_are_others() -> None:
    plan = plan_of("digits-7z020", None, 60, None, ("lut<=9500",), "front", 0)
    figures = [trial.result.figures for trial in _found(plan).trials]
    assert len(figures) == 60
    assert max(f["lut"] for f in figures) <= 9500


def test_what_breaks_bounds_is_judged_where_there_is_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL_SPACE)
    found = _found(plan_of(path, None, 20, None, ("lut<=10",), "front", 0))
    assert len({point_key(t.knobs) for t in found.trials}) == 20
    assert not found.feasible


def test_every_design_of_a_small_space_is_judged_once(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    text = SMALL_SPACE.replace("{pe: divisors, simd: divisors}", "{pe: 16, simd: 8}")
    path.write_text(text.replace("clock_mhz:", DEPTHS + "clock_mhz:"))
    found = _found(plan_of(path, None, 50, None, (), "front", 0))
    assert len({point_key(t.knobs) for t in found.trials}) == len(found.trials) == 6


def test_half_as_many_designs_dominate_more_than_random_ones() -> None:
    plan = plan_of("digits-7z020", None, 40, None, (), "front", 1)
    found = _found(plan)
    drawn = _found(plan_of("digits-7z020", None, 80, None, (), "random", 1))
    corner = np.array([0.0, 4.0, 53_200.0])

    def volume(outcome: Exploration) -> float:
        return hypervolume(outcome.losses(outcome.feasible), corner)

    assert volume(found) > 1.2 * volume(drawn)


def test_the_sampler_learns_from_trials_of_others_and_leaves_them_alone() -> None:
    plan = plan_of("digits-7z020", None, 40, None, (), "front", 1)
    evaluator = Evaluator(plan.space, plan.objectives, plan.constraints)
    one, other = (FrontProposer(plan, 3) for _ in range(2))
    first = one.propose(10)
    named = [plan.encoding.describe(point) for point in first]
    judged = zip(first[:5], named[:5], strict=True)
    records = [TrialRecord(n, p, knobs, evaluator(knobs)) for n, (p, knobs) in enumerate(judged)]
    other.learn(records, first[5:])
    keys = {point_key(knobs) for knobs in named}
    assert not keys & {point_key(plan.encoding.describe(p)) for p in other.propose(10)}


def test_moves_stay_in_the_space_and_change_only_what_they_may() -> None:
    sizes, draw = np.array([7, 3, 5, 2]), np.random.default_rng(0)
    here = np.array([6, 0, 2, 1])
    found = neighbours(here, sizes, [True, True, False, True], [0, 1, 2], here[None, :] * 0, draw)
    assert (found >= 0).all() and (found < sizes).all()
    assert (found[:, 3] == 1).all()
    steps = {tuple(row) for row in found}
    assert {(5, 0, 2, 1), (6, 1, 2, 1), (6, 2, 2, 1), (6, 0, 4, 1), (6, 0, 0, 1)} <= steps


def test_masks_and_gains_count_the_samples_that_are_dominated() -> None:
    draw = np.random.default_rng(0)
    front = draw.random((9, 3))
    cover = Cover(front, np.random.default_rng(1))
    samples = cover._samples
    right = [sum(all(row <= sample) for sample in samples) for row in front]
    masks = cover.masks(front)
    nothing = np.zeros(SAMPLES // 64, np.uint64)
    assert gains(masks, nothing).tolist() == right
    assert gains(masks, masks[0])[0] == 0


@pytest.mark.parametrize("seed", range(3))
def test_dominance_and_distance_are_those_of_plain_loops(seed: int) -> None:
    losses = np.random.default_rng(seed).integers(0, 4, (12, 2)).astype(float)
    for row, is_dominated in zip(losses, dominated(losses, losses), strict=True):
        worse = [all(o <= row) and any(o < row) for o in losses]
        assert is_dominated == any(worse)
    span = losses.max(axis=0) - losses.min(axis=0)
    for row, far in zip(losses, distances(losses, losses), strict=True):
        assert far == pytest.approx(max(min((row - other) / span) for other in losses))
