"""The fuzzer's inputs are the same in every run, and it sees what it is there to see."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from tests.fuzz.__main__ import KINDS
from tests.fuzz.case import Case, Kind, run_case

MADE = [kind for kind in KINDS if kind.name != "journal"]  # whose inputs hold times


@pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.name)
def test_inputs_of_a_seed_are_the_same(kind: Kind, tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        for number in range(3):
            here = tmp_path / "case"
            shutil.rmtree(here, ignore_errors=True)
            here.mkdir()
            case = kind.make(Random(f"7:{number}"), here)
            files = {path.name: path.read_bytes() for path in here.iterdir() if path.is_file()}
            made.append((case, files))
    assert made[:3] == made[3:]


def test_a_refusal_that_names_no_place_is_a_finding(tmp_path: Path) -> None:
    arguments = ["simulate", str(tmp_path / "no.yaml"), "tfc"]
    assert run_case(Case(arguments, ("no.yaml",))).failure == ""
    assert run_case(Case(arguments, ("other.yaml",))).failure.startswith("no place: ")


def test_a_traceback_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.case.app.run", lambda arguments: 1 // 0)
    assert "ZeroDivisionError" in run_case(Case([])).failure
