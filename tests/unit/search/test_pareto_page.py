"""The page's record: what it shows, in plain data; and that the page needs no network."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bnnsim.exploration.plan import plan_of
from bnnsim.report.search.pareto import ParetoInfo, pareto_info, pareto_page
from bnnsim.search.front.point_result import PointResult
from bnnsim.search.storage.record import Exploration, TrialRecord
from bnnsim.validation.certainty import ModelError
from tests.unit.search.test_columns import read

SPACE = """\
name: small
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: {choose: [100, 143]}
layers:
  fc0: {pe: divisors, simd: divisors}
  fc1: {pe: 8, simd: 8}
  fc2: {pe: 8, simd: 8}
  fc3: {pe: 10, simd: 8}
explore:
  workload: tfc
  objectives: [throughput_fps, lut]
  landmarks: [{name: "</script> published", source: "a paper", figures: {throughput_fps: 5, lut: 70}}]
"""
FIGURES = [(9.0, 100.0), (5.0, 50.0), (4.0, 60.0), (20.0, 300.0)]


def _trial(number: int, fps: float, lut: float, over: float = -1.0) -> TrialRecord:
    knobs = {"clock_mhz": 100, "layers.fc0.pe": 1, "layers.fc0.simd": number + 1}
    figures = {"throughput_fps": fps, "lut": lut, "bram18": 7.0}
    return TrialRecord(number, {}, knobs, PointResult(figures, {"budget lut": over}))


@pytest.fixture
def found(tmp_path: Path) -> Exploration:
    (tmp_path / "small.yaml").write_text(SPACE)
    plan = plan_of(tmp_path / "small.yaml", None, 10, None, (), "front", 0)
    trials = [_trial(n, fps, lut, over=100 if fps == 20 else -1) for n, (fps, lut) in enumerate(FIGURES)]
    trials.append(TrialRecord(4, {}, trials[0].knobs, PointResult({}, {}, "it deadlocks")))
    baseline = (_trial(0, 1.0, 100.0),)
    return replace(plan.outcome(trials), baseline=baseline)


@pytest.fixture
def info(found: Exploration) -> ParetoInfo:
    return pareto_info(found, {"00000": "one frame bit-exact"}, {"00000": True})


def test_every_design_is_told_apart_by_what_became_of_it(info: ParetoInfo) -> None:
    states = [point.state for point in info.points]
    assert states == ["front", "front", "feasible", "infeasible", "unbuildable"]
    assert [point.why for point in info.points[3:]] == ["budget lut", "it deadlocks"]
    assert (info.points[0].checked, info.points[0].is_exact) == ("one frame bit-exact", True)
    assert info.points[1].is_exact is None


def test_objectives_come_first_and_figures_that_never_differ_are_left_out(info: ParetoInfo) -> None:
    assert [(f.name, f.unit, f.maximises) for f in info.figures] == [
        ("throughput_fps", "FPS", True),
        ("lut", "LUT", False),
    ]
    assert info.points[2].figures == (4.0, 60.0)
    assert info.points[4].figures == (None, None)


def test_knobs_are_the_users_names_and_values(info: ParetoInfo) -> None:
    assert info.knobs == ("layers.fc0.pe", "layers.fc0.simd", "clock_mhz")
    assert info.points[1].knobs == (1, 2, 100)


def test_curves_end_at_what_both_reach_of_a_bound(info: ParetoInfo, found: Exploration) -> None:
    # Worst feasible: 1 FPS, 100 LUT; the corner lies 1 % of the span (8 FPS, 50 LUT) beyond.
    left, top = -1 + 0.08, 100.5
    front = (9 + left) * (top - 100) + (5 + left) * (100 - 50)
    assert found.hypervolume_of(found.trials) == pytest.approx(front)
    box = (9 + left) * (top - 50)  # nothing dominates more than a design that is best in both
    assert info.curve[-1] == (5, pytest.approx(front / box))
    assert info.baseline_curve[-1] == (1, pytest.approx(0.08 * 0.5 / box))
    assert [share for _, share in info.curve] == sorted(share for _, share in info.curve)


def test_page_says_how_far_the_figures_that_it_shows_may_be_off(found: Exploration) -> None:
    errors = [ModelError("lut", 11, 0.097, 0.163), ModelError("power_w", 5, 0.057, 0.071)]
    text = pareto_info(found, errors=errors).sureness
    assert "off by a median of LUT 9.7% (worst 16%, 11 designs)" in text
    assert "power" not in text  # this search has no watts
    assert pareto_info(found).sureness == ""


def test_reference_designs_are_shown_for_the_network_that_the_space_names(found: Exploration) -> None:
    assert [reference.figures for reference in pareto_info(found).landmarks] == [(5.0, 70.0)]
    other = replace(found.space, explore=found.space.explore.model_copy(update={"workload": "x"}))
    assert pareto_info(replace(found, space=other)).landmarks == ()


def test_page_is_one_file_without_anything_fetched(info: ParetoInfo) -> None:
    page = pareto_page(info)
    assert "@@" not in re.sub(r"<script>.*?</script>", "", page, flags=re.S)
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=[\"'](?!data:)", page)
    assert "default-src 'none'" in page
    held = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)
    assert held is not None
    data = json.loads(held[1])
    assert data["landmarks"][0]["name"] == "</script> published"
    assert [row["state"] for row in read(data["points"])] == [point.state for point in info.points]


def test_search_without_a_feasible_design_still_has_a_page(found: Exploration) -> None:
    bad = replace(found, trials=(_trial(0, 5.0, 9.0, over=3.0),), baseline=())
    info = pareto_info(bad)
    assert [point.state for point in info.points] == ["infeasible"]
    assert info.curve == ()
    assert "plotly" in pareto_page(info)
