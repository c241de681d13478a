"""``evaluate --synth``: what Yosys says of each module, beside the model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bnnsim.cli.app import run
from bnnsim.cli.records.json_schema import json_schema

NETWORK = """\
name: small
input: {shape: [8, 1, 1], type: bipolar}
layers:
  - {name: first, op: linear, out: 8, activation: bipolar}
  - {name: second, op: linear, out: 4}
"""
ARCHITECTURE = """\
name: small
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {units: own}
layers:
  first: {pe: 2, simd: 4}
  second: {pe: 1, simd: 2}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.yaml").write_text(NETWORK)
    (tmp_path / "arch.yaml").write_text(ARCHITECTURE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(not shutil.which("yosys"), reason="Yosys is not installed")
def test_each_distinct_module_stands_beside_the_model(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", "arch.yaml", "net.yaml", "--weights-seed", "1", "--synth"]
    assert run([*arguments, "--json", "out.json"]) == 0
    text = capsys.readouterr().out
    assert "Model against Yosys" in text
    assert "FF equal: " in text
    data = json.loads((folder / "out.json").read_text())
    Draft202012Validator(json_schema("evaluate")).validate(data)
    found = data["synthesis"]
    assert found["tool"].startswith("Yosys")
    assert found["others"] == []
    units = {unit["name"]: unit for unit in found["units"]}
    assert {"source", "first.mvau", "second.mvau", "source->first.mvau"} <= set(units)
    # streams of one width and depth are one module, counted as often as they are
    assert sum(unit["count"] for unit in found["units"]) == len(units) + sum(
        unit["count"] - 1 for unit in found["units"]
    )
    fifo = units["source->first.mvau"]
    # two words: pointers of a bit each, a copy of the reading one at the memory, empty and full
    assert (fifo["ff"], fifo["synthesised_ff"], fifo["is_counted"]) == (5, 5, True)
    assert all(unit["is_counted"] for unit in found["units"] if unit["kind"] != "mvau")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["pynq-tfc", "tfc", "--timing-only"],
            "--synth: expected a design with units of this project's Verilog (units: own), "
            "got pynq-tfc, whose units are hls",
        ),
        (["acce-bnn", "binarynet", "--timing-only"], "got the engine acce-bnn"),
    ],
)
def test_a_design_without_own_modules_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", *arguments, "--synth"]) == 2
    assert message in capsys.readouterr().err.replace("\n", " ")


def test_memories_need_weights(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bnnsim.rtl.opinion.find_tool", lambda name: name)
    assert run(["evaluate", "arch.yaml", "net.yaml", "--synth"]) == 2
    told = capsys.readouterr().err.replace("\n", " ")
    assert "--synth: expected weights (or --weights-seed)" in told


def test_what_brings_yosys_is_said_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bnnsim.rtl.opinion.find_tool", lambda name: None)
    assert run(["evaluate", "arch.yaml", "net.yaml", "--weights-seed", "1", "--synth"]) == 1
    assert "apt install yosys" in capsys.readouterr().err.replace("\n", " ")
