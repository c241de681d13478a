"""The library's modules are the programs: a clocked implementation beside SimPy, unit by unit."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import get_args

import pytest

from bnnsim.design.streaming.units import UnitKind
from tests.hardware.drawn.kinds import KINDS
from tests.hardware.lint import check_yosys, lint_icarus, lint_verilator, write_units
from tests.hardware.unit_bench import make_case, run_cases

CASES_A_KIND = 3
LINTED_A_KIND = 3
needs_icarus = pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus Verilog is not installed")


def test_every_kind_of_unit_is_drawn() -> None:
    drawn = {KINDS[kind](Random(1)).unit.kind for kind in KINDS}
    assert drawn == set(get_args(UnitKind)) - {"frame_source", "frame_sink"}


@needs_icarus
def test_modules_move_every_word_in_the_cycle_in_which_the_simulation_does(tmp_path: Path) -> None:
    """Random parameters, words and neighbours that pause; every stream's words and cycles."""
    cases = []
    for kind, draw in KINDS.items():
        for number in range(CASES_A_KIND):
            random = Random(f"{kind}.{number}")
            cases.append(make_case(f"{kind}{number}", draw(random), random))
    assert run_cases(cases, tmp_path / "bench") == []


@pytest.fixture(scope="module")
def linted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Units at random parameters in a folder, and the files to read."""
    folder = tmp_path_factory.mktemp("lint") / "units"
    units = [
        draw(Random(f"{kind}.lint.{i}")) for kind, draw in KINDS.items() for i in range(LINTED_A_KIND)
    ]
    return folder, write_units(units, folder)


@needs_icarus
def test_icarus_warns_of_nothing(linted: tuple[Path, list[str]]) -> None:
    assert lint_icarus(*linted) == ""


@pytest.mark.skipif(not shutil.which("verilator"), reason="Verilator is not installed")
def test_verilator_warns_of_nothing(linted: tuple[Path, list[str]]) -> None:
    assert lint_verilator(*linted) == ""


@pytest.mark.skipif(not shutil.which("yosys"), reason="Yosys is not installed")
def test_yosys_finds_no_fault(linted: tuple[Path, list[str]]) -> None:
    assert check_yosys(*linted) == ""
