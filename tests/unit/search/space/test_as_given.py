"""An architecture whose folding is searched stands beside its designs, as its file has it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bnnsim.cli.app import run
from bnnsim.evaluation import evaluate
from bnnsim.exploration.as_given import with_architecture_as_given
from bnnsim.exploration.plan import plan_of
from bnnsim.search.space.aims import ReferenceDesign
from bnnsim.spec.library import find_spec

QUICK = ["--trials", "20", "--jobs", "1", "--baseline", "0", "--verify", "none"]
PYNQ_TFC = find_spec("pynq-tfc", "architecture")


def landmarks(space: str, workload: str | None) -> list[ReferenceDesign]:
    plan = plan_of(space, workload, 10, None, [], "front", 0)
    return list(with_architecture_as_given(plan.space).reference_designs)


def test_its_figures_are_those_of_evaluate() -> None:
    (given,) = landmarks("pynq-tfc", "tfc")
    found = evaluate("pynq-tfc", "tfc", timing_only=True)
    total = found.resources.total
    assert given.name == "pynq-tfc as given"
    assert given.figures["throughput_fps"] == found.throughput_fps
    assert (given.figures["lut"], given.figures["bram18"]) == (total.lut, total.bram18)
    assert given.figures["power_w"] == pytest.approx(found.power_w)
    assert "alm" not in given.figures  # the part has none


def test_a_space_has_its_own_landmarks_alone() -> None:
    assert [one.name for one in landmarks("digits-7z020", None)] == []


def test_one_that_locks_up_as_it_is_given_is_no_landmark(tmp_path: Path) -> None:
    data = yaml.safe_load(PYNQ_TFC.read_text())
    data["layers"]["fc1"]["pe"] = 7  # of 64 rows
    (tmp_path / "odd.yaml").write_text(yaml.safe_dump(data))
    assert landmarks(str(tmp_path / "odd.yaml"), "tfc") == []


def test_in_a_space_of_alternatives_it_stands_beside_its_own_designs(tmp_path: Path) -> None:
    (tmp_path / "both.yaml").write_text(
        "name: both\nexplore:\n  alternatives:\n  - {space: pynq-tfc, workload: tfc, name: small}\n"
        "  - {space: digits-7z020, name: digits}\n"
    )
    found = landmarks(str(tmp_path / "both.yaml"), None)
    assert [(one.name, one.alternative) for one in found] == [("pynq-tfc as given", "small")]


def test_the_answer_says_what_beats_it_or_that_nothing_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explore", "pynq-tfc", "tfc", *QUICK, "--out", str(tmp_path / "out")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "beats pynq-tfc as given: " in said or "unbeaten pynq-tfc as given: " in said
    assert "pynq-tfc as given" in (tmp_path / "out" / "pareto.html").read_text()
