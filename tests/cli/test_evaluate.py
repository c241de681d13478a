"""``bnnsim evaluate``: the command, its JSON, and what it refuses or only reports."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import bnnsim
from bnnsim.cli.app import run
from bnnsim.spec.library import shipped_folder

COST_KEYS = {
    "resources", "resources_by_unit", "utilisation", "power_w", "power_basis", "power_parts_w",
    "power_by_basis_w", "power_rate_fps", "error_bars", "structure_kind",
    "activity_source", "energy_per_frame_uj", "energy_by_layer_uj", "tops", "tops_per_w", "fps_per_w",
    "fps_per_klut", "achievable_clock_mhz", "clock_warning", "feasible", "violations", "advice",
    "capped", "remark", "wide_words", "synthesis",
}  # fmt: skip
RESOURCES = {"lut", "lutram", "ff", "bram18", "uram", "dsp"}


def _json(arguments: list[str], capsys: pytest.CaptureFixture[str], command: str = "evaluate") -> Any:
    assert run([command, *arguments, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def _changed(name: str, folder: Path, old: str, new: str) -> str:
    text = (shipped_folder("architecture") / f"{name}.yaml").read_text(encoding="utf-8")
    assert old in text
    path = folder / f"{name}.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return str(path)


def test_json_is_that_of_simulate_with_the_costs(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["digits-7z020", "digits", "--frames", "2"]
    data = _json(arguments, capsys)
    simulated = _json(arguments, capsys, "simulate")
    assert {key: data[key] for key in simulated} == simulated
    assert set(data) - set(simulated) == COST_KEYS
    assert set(data["resources"]) >= RESOURCES
    assert all(isinstance(amount, int) for amount in data["resources"].values())
    assert data["utilisation"]["lut"] == data["resources"]["lut"] / 53_200
    assert (data["power_basis"], data["activity_source"]) == ("chip", "measured")
    assert (data["feasible"], data["violations"]) == (True, [])


def test_numbers_of_a_frame_follow_from_power_and_rate(capsys: pytest.CaptureFixture[str]) -> None:
    data = _json(["pynq-cnv", "cnv", "--timing-only"], capsys)
    assert data["power_w"] == pytest.approx(sum(data["power_parts_w"].values()))
    frame_us = data["initiation_interval_cycles"] / data["clock_mhz"]
    assert data["energy_per_frame_uj"] == pytest.approx(data["power_w"] * frame_us)
    assert data["energy_per_frame_uj"] == pytest.approx(sum(data["energy_by_layer_uj"].values()))
    macs = 59_461_376 + 54 * 512  # the topology's, and BNN-PYNQ's 64 outputs instead of 10
    assert data["tops"] == pytest.approx(2 * macs * data["throughput_fps"] / 1e12)
    assert data["fps_per_w"] == pytest.approx(data["throughput_fps"] / data["power_w"])
    assert data["activity_source"] == "default"


def test_units_add_up_to_the_total(capsys: pytest.CaptureFixture[str]) -> None:
    data = _json(["pynq-cnv", "cnv", "--timing-only"], capsys)
    for name, total in data["resources"].items():
        assert sum(unit[name] for unit in data["resources_by_unit"]) == total


def test_block_memory_of_pynq_cnv_is_within_ten_percent_of_the_placed_248(
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = _json(["pynq-cnv", "cnv", "--timing-only"], capsys)
    assert data["resources"]["bram18"] == pytest.approx(248, rel=0.1)


@pytest.mark.parametrize(
    ("arch", "workload", "counted"),
    [
        ("acce-bnn", "binarynet", {"lut", "ff", "bram18", "dsp"}),
        ("fracbnn", "fracbnn-cifar10", {"lut", "lutram", "ff", "bram18", "dsp"}),
        ("fp-bnn", "binarynet", {"alm", "ff", "m20k"}),
    ],
)
def test_engines_have_resources_power_and_energy_too(
    arch: str, workload: str, counted: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    data = _json([arch, workload, "--timing-only"], capsys)
    assert {name for name, amount in data["resources"].items() if amount} == counted
    assert data["power_parts_w"]["dynamic"] > 0
    assert data["energy_per_frame_uj"] == pytest.approx(sum(data["energy_by_layer_uj"].values()))
    assert data["activity_source"] == "default"


def test_a_design_over_budget_is_reported_not_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arch = _changed("pynq-cnv", tmp_path, "bram18: 280", "bram18: 200")
    data = _json([arch, "cnv", "--timing-only"], capsys)
    used = data["resources"]["bram18"]
    assert data["feasible"] is False
    assert data["violations"] == [
        {"name": "bram18", "used": used, "allowed": 200, "amount": used - 200}
    ]
    assert run(["evaluate", arch, "cnv", "--timing-only"]) == 0
    assert f"{used - 200} too many" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("device: xc7z020", "device: xc7z021", r"device: expected one of .*nearest: xc7z020"),
        ("clock_mhz: 100", "clock_mhz: 0", "clock_mhz: expected a number > 0"),
        ("clock_mhz: 100", "clock_mhz: 20000", "clock_mhz: expected a number <= 2000"),
    ],
)
def test_a_part_or_clock_that_does_not_exist_is_refused(
    old: str, new: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arch = _changed("pynq-cnv", tmp_path, old, new)
    assert run(["evaluate", arch, "cnv"]) == 2
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert re.search(message, captured.err)


def test_tiling_for_area_takes_fewer_blocks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arch = _changed("pynq-cnv", tmp_path, "clock_mhz: 100", "clock_mhz: 100\ntiling: area")
    cheapest = _json([arch, "cnv", "--timing-only"], capsys)["resources"]["bram18"]
    side_by_side = _json(["pynq-cnv", "cnv", "--timing-only"], capsys)["resources"]["bram18"]
    assert cheapest < side_by_side


def test_python_and_command_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    data = _json(["digits-7z020", "digits", "--frames", "2"], capsys)
    evaluation = bnnsim.evaluate("digits-7z020", "digits", frames=2)
    assert json.loads(json.dumps(evaluation.to_json())) == data


def test_each_reason_of_a_wide_interval_names_the_figures_that_have_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """LUTs of Vitis HLS are known from several placed designs, LUTRAM and watts of its from none."""
    designs = Path(bnnsim.__file__).parent / "validation" / "designs"
    names = ("finn-cnv-five.arch.yaml", "cnv-five.workload.yaml")
    assert run(["evaluate", *(str(designs / name) for name in names), "--timing-only"]) == 0
    sure = " ".join(capsys.readouterr().out.partition("how sure")[2].split())
    assert "no placed design of this kind is known (lutram);" in sure
    assert "with measured watts is known (power_w, energy_per_frame_uj, fps_per_w)" in sure


def test_tables_fit_a_terminal_of_100_columns(capsys: pytest.CaptureFixture[str]) -> None:
    for names in (["digits-7z020", "digits", "--frames", "2"], ["acce-bnn", "binarynet"]):
        assert run(["evaluate", *names]) == 0
        printed = capsys.readouterr().out
        for text in ("largest parts", "BRAM18", "power", "energy", "feasible"):
            assert text in printed
        lines = [line.rstrip() for line in printed.split("\ndesign ")[0].splitlines()]
        assert max(len(line) for line in lines) <= 100
