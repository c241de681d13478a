"""Objectives and constraints that are functions of an evaluation."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bnnsim
from bnnsim.exploration.report import ExplorationReport
from bnnsim.search.front.own_figures import OwnFigure
from bnnsim.spec.faults import SpecError
from tests.unit.search.study.own_functions import busy_share, largest_unit_lut, luts

QUIET: Mapping[str, Any] = {"baseline": 0, "verify_words": 0}
BOTH: Mapping[str, OwnFigure] = {"largest_lut": largest_unit_lut, "busy_share": busy_share}
AIMS: Mapping[str, Any] = {
    "objectives": ["throughput_fps", "largest_lut:minimise"],
    "constraints": ["busy_share>=0.05"],
    "own_figures": BOTH,
}


def _explore(trials: int = 20, **options: Any) -> ExplorationReport:
    return bnnsim.explore("pynq-tfc", "tfc", trials=trials, **{**QUIET, "jobs": 1, **options})


def _results(report: ExplorationReport) -> list[tuple[Mapping[str, Any], Mapping[str, float], str]]:
    trials = report.exploration.trials
    return [(t.knobs, t.result.figures, t.result.infeasible_reason) for t in trials]


def test_a_function_is_a_figure_of_each_design_as_evaluate_says_it(tmp_path: Path) -> None:
    report = _explore(**AIMS, verify_words=None, out=tmp_path)
    best = report.exploration.front[0]
    (design,) = (tmp_path / "designs").glob(f"*{best.id}.yaml")
    again = bnnsim.evaluate(design, "tfc", timing_only=True)
    assert best.result.figures["largest_lut"] == largest_unit_lut(again)
    assert best.result.figures["busy_share"] == busy_share(again)
    assert all(checked.is_exact for checked in report.verifications)
    with (tmp_path / "pareto.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {float(row["largest_lut"]) for row in rows} == {
        trial.result.figures["largest_lut"] for trial in report.exploration.front
    }
    assert "largest_lut" in (tmp_path / "pareto.html").read_text()


def test_the_front_is_that_of_all_trials_by_the_users_figure() -> None:
    found = _explore(60, **AIMS).exploration
    kept = [t for t in found.trials if t.result.is_feasible]
    pairs = [(-t.result.figures["throughput_fps"], t.result.figures["largest_lut"]) for t in kept]
    best = {p for p in pairs if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in pairs)}
    on_front = {
        (-t.result.figures["throughput_fps"], t.result.figures["largest_lut"]) for t in found.front
    }
    assert on_front == best
    assert all(t.result.figures["busy_share"] >= 0.05 for t in kept)
    assert any(t.result.infeasible_reason.endswith("its function gives None") for t in found.trials)


def test_a_figure_that_is_one_of_bnnsims_is_searched_nearly_as_well_as_that() -> None:
    own = {"objectives": ["throughput_fps", "my_luts:minimise"], "own_figures": {"my_luts": luts}}
    known = _explore(80).exploration
    learnt = _explore(80, **own).exploration
    assert all(t.result.figures["my_luts"] == t.result.figures["lut"] for t in learnt.feasible)
    drawn = _explore(80, sampler="random").exploration
    corner = known.reference_point
    volumes = []
    for found in (known, learnt, drawn):
        losses = np.array(
            [[-t.result.figures["throughput_fps"], t.result.figures["lut"]] for t in found.feasible]
        )
        volumes.append(_area(losses, corner))
    assert volumes[1] > 0.95 * volumes[0] > volumes[2]


def _area(losses: Any, corner: Any) -> float:
    """What is dominated of the rectangle before the corner, by steps from left to right; speed is
    counted in its logarithm and LUT in theirs, so that no end of the front is all of it."""
    points = sorted({(-np.log(-a), np.log(b)) for a, b in losses})
    right, low, area = 0.0, float(np.log(corner[1])), 0.0
    right = float(-np.log(max(1.0, -corner[0])))
    for across, up in points:
        if up < low and across < right:
            area += (right - across) * (low - up)
            low = up
    return area


def test_trials_are_the_same_with_any_number_of_processes_and_after_a_resume(tmp_path: Path) -> None:
    whole = _explore(30, **AIMS)
    _explore(20, **AIMS, jobs=2, out=tmp_path)
    resumed = _explore(30, **AIMS, out=tmp_path, resume=True)
    assert _results(resumed) == _results(whole)


def test_a_resumed_search_has_functions_of_the_same_source(tmp_path: Path) -> None:
    _explore(10, **AIMS, out=tmp_path)
    other = {**AIMS, "own_figures": {**BOTH, "largest_lut": luts}}
    with pytest.raises(SpecError, match=r"expected own figures largest_lut \(source .*which its study"):
        _explore(10, **other, out=tmp_path, resume=True)
    with pytest.raises(SpecError, match=r"own figures|objectives"):
        _explore(10, out=tmp_path, resume=True)


def test_a_stored_figure_that_does_not_come_out_again_is_refused(tmp_path: Path) -> None:
    scale = [1]

    def drifting(evaluation: bnnsim.Evaluation) -> float:
        return scale[0] * largest_unit_lut(evaluation)

    aims = {**AIMS, "own_figures": {**BOTH, "largest_lut": drifting}}
    _explore(10, **aims, out=tmp_path)
    scale[0] = 2
    with pytest.raises(SpecError, match=r"when it is judged again .largest_lut"):
        _explore(10, **aims, out=tmp_path, resume=True)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"own_figures": {"lut": luts}}, "lut is a figure of bnnsim"),
        ({"own_figures": {"clock_mhz": luts}}, "clock_mhz is a figure of bnnsim"),
        ({"own_figures": {"My luts": luts}}, "names such as luts_a_frame, got 'My luts'"),
        ({"own_figures": {"lut.p90": luts}}, "names such as"),
        ({"own_figures": {"my_luts": 3}}, "my_luts: expected a function of an Evaluation, got int"),
        ({"own_figures": {"my_luts": luts}}, "my_luts among the objectives"),
        (
            {"own_figures": {"my_luts": luts}, "objectives": ["my_luts"]},
            "my_luts: expected my_luts:minimise or my_luts:maximise",
        ),
        (
            {"own_figures": {"my_luts": luts}, "objectives": ["my_lust:minimise"]},
            "nearest: my_luts",
        ),
        (
            {"own_figures": {"a": lambda e: 1.0}, "objectives": ["a:minimise"], "jobs": 2},
            "top of a module",
        ),
        (
            {"own_figures": {"a": luts}, "constraints": ["a<=9"], "storage": "postgresql://nowhere/x"},
            "none with a server",
        ),
    ],
)
def test_what_is_no_figure_is_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(SpecError, match=match):
        _explore(10, **options)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "3", [1]])
def test_a_function_that_gives_no_number_is_refused(value: Any) -> None:
    aims = {"own_figures": {"a": lambda e: value}, "objectives": ["a:minimise"]}
    with pytest.raises(SpecError, match="own_figures: a: expected a finite number, or None"):
        _explore(10, **aims)


def test_what_a_function_raises_is_not_taken_for_a_property_of_the_design() -> None:
    aims = {"own_figures": {"a": lambda e: 1 / 0}, "objectives": ["a:minimise"]}
    with pytest.raises(ZeroDivisionError):
        _explore(10, **aims)


def test_a_script_without_a_main_guard_searches_with_several_processes(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import bnnsim\n"
        "found = bnnsim.explore('pynq-tfc', 'tfc', trials=12, jobs=2, baseline=0, verify_words=0)\n"
        "print(len(found.exploration.trials))\n"
        "own = {'fps_a_ff': lambda e: e.throughput_fps / e.resources.total.ff}\n"
        "found = bnnsim.explore('pynq-tfc', 'tfc', trials=12, baseline=0, verify_words=0,\n"
        "    own_figures=own, objectives=['fps_a_ff:maximise'])\n"
        "print(len(found.exploration.front))\n"
    )
    root = Path(__file__).resolve().parents[4]
    run = [sys.executable, str(script)]
    done = subprocess.run(
        run, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(root)}
    )
    assert (done.stdout, done.stderr) == ("12\n1\n", "")
