"""Engines from a template are complete, bit-exact, fit their part, and give what their file says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from bnnsim.cli.app import run
from bnnsim.evaluation import evaluate
from bnnsim.search.template.choice import INPUTS, OUTPUTS, new_engine
from bnnsim.search.template.spec import Kind
from bnnsim.simulation import simulate
from bnnsim.spec.faults import InputError
from bnnsim.spec.load import load_architecture


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_template_runs_bit_exact_at_the_speed_that_it_states(kind: Kind, tmp_path: Path) -> None:
    target = tmp_path / "engine.yaml"
    arguments = ["new", "engine", "digits", "--device", "xc7z020", "--kind", kind, "--out", str(target)]
    assert run(arguments) == 0
    found = simulate(target, "digits", frames=4, executor="simpy")
    assert found.bit_exact and found.predictions == found.labels
    assert not found.outside
    (stated,) = re.findall(r"^# ([\d,.]+) FPS", target.read_text(), re.M)
    assert f"{found.throughput_fps:,.1f}" == stated
    evaluation = evaluate(target, "digits", timing_only=True)
    assert evaluation.feasible
    assert f"{evaluation.resources.total.lut:,} LUT" in target.read_text()


@pytest.mark.parametrize(
    ("workload", "device"), [("binarynet", "xczu3eg"), ("fracbnn-cifar10", "xczu9eg"), ("tfc", "xc7z020")]
)
def test_without_a_kind_the_fastest_of_all_is_taken(workload: str, device: str) -> None:
    fastest = new_engine(workload, device)
    one = new_engine(workload, device, "output-stationary")
    assert fastest.fps >= one.fps
    assert one.tried <= len(OUTPUTS) * len(INPUTS) < fastest.tried
    text = fastest.text()
    assert "max_burst_words: 256" in text and "in_place: false" in text  # defaults too


def test_the_file_of_a_template_is_the_spec_that_was_timed(tmp_path: Path) -> None:
    found = new_engine("tfc", "xc7z020", "output-stationary", clock_mhz=100, name="mine")
    (tmp_path / "mine.yaml").write_text(found.text())
    assert load_architecture(tmp_path / "mine.yaml").spec == found.spec
    assert found.spec.clock_mhz == 100 and found.spec.name == "mine"


def test_a_network_too_large_for_its_part_is_refused_with_what_runs_out() -> None:
    with pytest.raises(InputError, match=r"--device: expected a part that holds .* xc7z020 \(.*bram18"):
        new_engine("fracbnn-imagenet", "xc7z020", "output-stationary")


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--clock-mhz", "nan", "--clock-mhz: expected above 0, to 2000 MHz, got nan"),
        ("--clock-mhz", "0", "--clock-mhz: expected above 0, to 2000 MHz, got 0"),
        ("--name", "a/b", "--name: expected"),
        ("--device", "nosuch", "nosuch: expected a YAML file or a shipped device"),
    ],
)
def test_what_cannot_be_is_one_line(
    option: str, value: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"--device": "xc7z020", option: value}
    assert run(["new", "engine", "tfc", *(word for pair in given.items() for word in pair)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith(expected)
