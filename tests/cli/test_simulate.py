"""``bnnsim simulate``: the command, its JSON, and the same through Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bnnsim
from bnnsim.cli.app import run
from bnnsim.datapath.mismatch import BitMismatchError
from bnnsim.functional.parameters.parameters import Parameters
from bnnsim.simulation import RunOptions, Stimulus, datapaths_for, load_streaming_design, stimulate
from bnnsim.timing.streaming.programs.graph import build_timing
from bnnsim.timing.streaming.reference.executor import run_simpy

KEYS = {
    "arch", "workload", "frames", "clock_mhz", "cycles_total", "latency_cycles",
    "initiation_interval_cycles", "latency_us", "throughput_fps", "bit_exact", "predictions", "scores",
    "units", "fifos",
}  # fmt: skip
UNIT_KEYS = {
    "name", "kind", "busy_cycles", "stalled_on_input_cycles", "stalled_on_output_cycles", "idle_cycles",
}  # fmt: skip
FIFO_KEYS = {"name", "depth_words", "width_bits", "max_occupancy_words"}

BRANCH = """\
name: branch
input: {shape: [4, 6, 6], type: bipolar}
layers:
  - {name: conv0, op: conv, out: 4, kernel: 3, pad: 1, activation: bipolar}
  - {name: sum, op: add, inputs: [input, conv0]}
  - {name: bits, op: threshold, activation: bipolar}
  - {name: fc, op: linear, out: 4}
"""
BRANCH_ARCH = """\
name: branch-arch
source: "made for this test"
style: streaming
device: xc7z020
clock_mhz: 100
defaults: {fifo_words: 2}
layers:
  conv0: {pe: 4, simd: 4}
  bits: {pe: 4}
  fc: {pe: 4, simd: 4}
"""


def _json(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert run(["simulate", *arguments, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def test_json_says_everything_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    data = _json(["digits-7z020", "digits", "--frames", "8"], capsys)
    assert set(data) >= KEYS
    assert all(set(unit) == UNIT_KEYS for unit in data["units"])
    assert all(set(fifo) == FIFO_KEYS for fifo in data["fifos"])
    assert (data["frames"], data["bit_exact"], len(data["scores"])) == (8, True, 8)
    for unit in data["units"]:
        cycles = [unit[key] for key in UNIT_KEYS if key.endswith("_cycles")]
        assert sum(cycles) == data["cycles_total"]
        assert all(isinstance(count, int) for count in cycles)
    assert data["latency_us"] == data["latency_cycles"] / data["clock_mhz"]
    interval = data["initiation_interval_cycles"]
    assert data["throughput_fps"] == data["clock_mhz"] * 1e6 / interval


def test_digits_are_recognised_bit_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    data = _json(["digits-7z020", "digits"], capsys)
    assert (data["frames"], data["bit_exact"]) == (360, True)
    right = sum(p == label for p, label in zip(data["predictions"], data["labels"], strict=True))
    assert right == 356  # counted by the training tool's own evaluation, stated in the workload


def test_tables_show_where_the_cycles_go(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "digits-7z020", "digits", "--frames", "4"]) == 0
    printed = capsys.readouterr().out
    for text in ("Where the cycles go", "conv1.mvau", "FIFOs", "Predictions", "accuracy", "FPS"):
        assert text in printed
    assert max(len(line) for line in printed.splitlines()) <= 100


def test_python_and_command_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    data = _json(["digits-7z020", "digits", "--frames", "3"], capsys)
    simulation = bnnsim.simulate("digits-7z020", "digits", frames=3)
    assert json.loads(json.dumps(simulation.to_json())) == data


@pytest.mark.parametrize(
    ("frames", "cycles"), [(1, 157_971), (3, 274_187), (1_330, 43_770_314), (10_000, 327_868_874)]
)
def test_pynq_cnv_takes_the_cycles_of_two_independent_programs(
    frames: int, cycles: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The boards measured 158,100; 274,200; 43,770,550 and 327,869,110 (timers +/- 100 and more)."""
    data = _json(["pynq-cnv", "cnv", "--timing-only", "--frames", str(frames)], capsys)
    assert data["cycles_total"] == cycles
    assert data["latency_cycles"] == 157_971
    assert data["initiation_interval_cycles"] == 32_768
    assert data["bit_exact"] is None


@pytest.mark.parametrize("executor", ["simpy", "compiled"])
def test_both_executors_report_the_same(executor: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["pynq-cnv", "cnv", "--timing-only", "--frames", "3", "--executor"]
    data = _json([*arguments, executor], capsys)
    other = _json([*arguments, "simpy"], capsys)
    assert {**data, "executor": "simpy"} == other


def test_workload_without_weights_runs_with_drawn_ones(capsys: pytest.CaptureFixture[str]) -> None:
    data = _json(["pynq-tfc", "tfc", "--weights-seed", "1", "--frames", "2"], capsys)
    assert (data["bit_exact"], data["labels"]) == (True, None)
    assert data == _json(["pynq-tfc", "tfc", "--weights-seed", "1", "--frames", "2"], capsys)
    other = _json(["pynq-tfc", "tfc", "--weights-seed", "2", "--frames", "2"], capsys)
    assert other["scores"] != data["scores"]


def test_workload_without_weights_runs_timing_only(capsys: pytest.CaptureFixture[str]) -> None:
    data = _json(["pynq-tfc", "tfc"], capsys)
    assert data["bit_exact"] is None
    assert data["bit_exact_basis"] == (
        "timing only: workload tfc has no weights (--weights-seed draws some)"
    )


def _branch(tmp_path: Path, arch: str = BRANCH_ARCH) -> list[str]:
    (tmp_path / "w.yaml").write_text(BRANCH)
    (tmp_path / "a.yaml").write_text(arch)
    return [str(tmp_path / "a.yaml"), str(tmp_path / "w.yaml"), "--weights-seed", "3"]


def test_shallow_branch_deadlocks_with_the_fifos_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulate", *_branch(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert message.startswith("deadlock: nothing moves after cycle ")
    cause, others = message.split("; ")
    assert "input.split waits for room in input.split->sum.add (" in cause
    assert "while sum.add waits for a word in conv0.mvau->sum.add (0 of " in cause
    assert "more unit" in others
    assert len(message) < 250


def test_deep_enough_branch_runs_bit_exactly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arch = BRANCH_ARCH + "fifo_words: {input.split->sum.add: 40}\n"
    data = _json(_branch(tmp_path, arch), capsys)
    assert data["bit_exact"] is True


def test_a_wrong_bit_names_layer_pixel_and_channel() -> None:
    design, folder = load_streaming_design("digits-7z020", "digits")
    stimulus = stimulate(design, folder, RunOptions(frames=1))
    assert isinstance(stimulus, Stimulus)
    weights = dict(stimulus.parameters.weights)
    swapped = weights["conv1"].copy()
    swapped[:, [0, 1]] = swapped[:, [1, 0]]  # as a wrong interleave of the weight memory would be
    wrong = Parameters({**weights, "conv1": swapped}, stimulus.parameters.thresholds)
    datapaths = datapaths_for(design, stimulus)
    mixed = datapaths_for(design, Stimulus(design.network, wrong, stimulus.frames, None))
    datapaths["conv1.mvau"]._inner = mixed["conv1.mvau"]._inner  # type: ignore[attr-defined]
    wanted = r"layer conv1, frame 0, pixel \(row \d, column \d\), channel \d+: "
    with pytest.raises(BitMismatchError, match=wanted):
        run_simpy(build_timing(design.graph), 1, datapaths)


def test_json_file_is_whole_or_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.json"
    arguments = ["simulate", "pynq-tfc", "tfc", "--json"]
    assert run([*arguments, str(target)]) == 0
    assert json.loads(target.read_text())["arch"] == "pynq-tfc"
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]
    assert run([*arguments, str(tmp_path / "nowhere" / "out.json")]) == 2
    assert "No such file or directory" in capsys.readouterr().err


def test_several_pictures_follow_one_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from bnnsim.cli import _spread

    assert _spread(["simulate", "a", "w", "--images", "x.png", "y.png", "--frames", "2"]) == [
        "simulate", "a", "w", "--images", "x.png", "--images", "y.png", "--frames", "2",
    ]  # fmt: skip
    images = np.load(Path(bnnsim.__file__).parents[1] / "workloads" / "digits-images.npz")["images_u8"]
    for i in range(2):
        np.save(tmp_path / f"{i}.npy", images[i])
    files = [str(tmp_path / f"{i}.npy") for i in range(2)]
    data = _json(["digits-7z020", "digits", *_spread(["--images", *files])], capsys)
    assert data["scores"] == _json(["digits-7z020", "digits", "--frames", "2"], capsys)["scores"]


def test_bits_with_compiled_cycles_are_those_of_simpy(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["digits-7z020", "digits", "--frames", "1"]
    simpy = _json([*asked, "--executor", "simpy"], capsys)
    compiled = _json([*asked, "--executor", "compiled"], capsys)
    assert (simpy["executor"], compiled["executor"]) == ("simpy", "compiled")
    said = {"executor", "bit_exact_basis", "frames_basis"}
    assert {k for k in simpy if simpy[k] != compiled[k]} <= said | {"frames_simulated"}
    assert compiled["bit_exact"] is True
    assert compiled["bit_exact_basis"].endswith("; cycles are the compiled executor's")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pynq-tfc", "tfc", "--images", "x.npz"], "tfc: expected weights in the workload, or --weights"),
        (["digits-7z020", "digits", "--images", "x.npz"], "x.npz: expected"),
        (["digits-7z020", "digits", "--timing-only", "--images", "x.npz"], "expected no images with"),
    ],
)
def test_wrong_wishes_are_one_message(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulate", *arguments]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""
