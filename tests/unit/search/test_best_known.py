"""What a front is measured against: the best known, all designs, or a bound; never itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bnnsim.exploration.plan import plan_of
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.storage.best_known import best_known, scale_of
from bnnsim.search.storage.record import Exploration, TrialRecord
from tests.designs import SMALL_SPACE


def _found(name: str | Path, rows: list[tuple[float, ...]], bounds: tuple[str, ...] = ()) -> Exploration:
    plan = plan_of(name, None, 10, None, bounds, "front", 0)
    names = [objective.name for objective in plan.objectives]
    trials = [
        TrialRecord(n, {}, {"clock_mhz": n}, PointResult(dict(zip(names, row, strict=True)), {}))
        for n, row in enumerate(rows)
    ]
    return plan.outcome(trials)


def test_every_entry_is_of_a_shipped_space_with_its_own_aims() -> None:
    for known in best_known():
        assert known.is_of(_found(known.space, []))
    assert len({known.space for known in best_known()}) == len(best_known()) >= 2


def test_share_is_of_the_best_front_known_and_may_be_more() -> None:
    found = _found("cnv-7z020", [(1300.0, 2.0, 33_200.0)])
    known = next(known for known in best_known() if known.space == "cnv-7z020")
    scale = scale_of(found)
    assert scale is not None and known.origin in scale.text
    assert scale.share(found, found.trials) == pytest.approx(1000 * 2 * 20_000 / known.hypervolume)
    better = _found("cnv-7z020", [(1e6, 1.0, 1.0)])
    assert scale.share(better, better.trials) > 1
    assert scale.curve(found, found.trials)[-1] == (1, scale.share(found, found.trials))


def test_other_aims_than_the_best_known_s_are_not_measured_by_it() -> None:
    found = _found("cnv-7z020", [(1300.0, 2.0, 33_200.0)], ("lut<=40000",))
    scale = scale_of(found)
    assert scale is not None and "no best front is known" in scale.text


def test_space_without_entry_is_measured_by_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL_SPACE)
    found = _found(path, [(100.0, 10.0), (200.0, 30.0), (50.0, 110.0)])
    scale = scale_of(found)
    assert scale is not None and "best in every objective at once" in scale.text
    # The corner is a hundredth of the span beyond the worst: 48.5 FPS and 111 LUT.
    dominated = (200 - 48.5) * (111 - 30) + (100 - 48.5) * (30 - 10)
    assert scale.share(found, found.trials) == pytest.approx(dominated / (151.5 * 101))


def test_all_designs_judged_is_said(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(SMALL_SPACE.replace("{pe: divisors, simd: divisors}", "{pe: 16, simd: 8}"))
    found = _found(path, [(100.0, 10.0), (200.0, 30.0)])
    scale = scale_of(found)
    assert scale is not None and "all designs judged" in scale.text
    assert scale.share(found, found.trials) == 1
    part = replace(found, trials=found.trials[:1])
    other = scale_of(part)
    assert other is not None and "no best front is known" in other.text


def test_without_a_feasible_design_there_is_nothing_to_measure() -> None:
    assert scale_of(_found("cnv-7z020", [])) is None
