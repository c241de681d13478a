"""docs/verilog.md can be followed: its commands print what it says they print."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bnnsim.cli.app import run
from tests.golden.networks import ELSEWHERE
from tests.hardware.benches import needs

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "verilog.md").read_text(encoding="utf-8")
MODEL = ELSEWHERE / "qonnx"
SIMULATOR = re.compile(r"(Verilator|Icarus Verilog) [\d.]+")


def documented_run(page: str) -> list[tuple[str, str]]:
    """The commands of the page's first block, each with what it prints."""
    block = page.split("```")[1]
    steps = [step.partition("\n") for step in block.strip().removeprefix("$ ").split("\n$ ")]
    return [(command, printed.strip()) for command, _, printed in steps]


def test_a_newcomer_has_verified_verilog_after_five_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx")
    if not MODEL.is_dir():
        pytest.skip("networks/qonnx is not there (BNNSIM_NETWORKS)")
    needs("icarus")
    icarus_alone = tmp_path / "bin"  # what Verilator says is the same, after ten times the work
    icarus_alone.mkdir()
    for name in ("iverilog", "vvp", "sh"):
        (icarus_alone / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(icarus_alone))
    monkeypatch.setattr("bnnsim.rtl.tools.sys.executable", str(icarus_alone / "python"))
    python = Path(sys.prefix) / "bin" / "python"
    place = tmp_path / "empty"
    place.mkdir()
    for name in ("model.onnx", "input.npy"):
        shutil.copyfile(MODEL / name, place / name)
    monkeypatch.chdir(place)
    steps = documented_run(PAGE)
    assert len(steps) == 5
    for command, printed in steps:
        program, *arguments = shlex.split(command)
        if program == "python":
            subprocess.run([str(python), *arguments], check=True)
            continue
        assert program == "bnnsim"
        assert run(arguments) == 0
        said = capsys.readouterr().out.strip()
        assert _words(said) == _words(printed)


def _words(text: str) -> list[str]:
    """Words of a printed text, wherever its lines are wrapped, and whichever simulator there is."""
    return SIMULATOR.sub("a simulator", " ".join(text.split())).split()
