"""From a model file to a simulated accelerator: import, check, fold, simulate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bnnsim.cli.app import run

pytest.importorskip("onnx", reason="needs bnnsim[onnx]")

from tests.golden.imported.onnx_models import Builder
from tests.golden.networks import trained


@pytest.fixture
def model() -> str:
    """FINN's TFC as Brevitas exports it."""
    return str(trained("qonnx/model.onnx"))


def test_four_commands_lead_from_a_model_to_an_accelerator(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workload, arch = str(tmp_path / "tfc.yaml"), str(tmp_path / "arch.yaml")
    assert run(["import", "onnx", model, "--out", str(tmp_path), "--name", "tfc"]) == 0
    assert run(["check", model, workload, "--random-inputs", "50"]) == 0
    assert "all 4 layers equal, 50 of 50 predictions equal" in " ".join(capsys.readouterr().out.split())
    assert run(["fold", workload, "--device", "xc7z020", "--fps", "1000", "--out", arch]) == 0
    digits = np.load(trained("tfcW1A1_mnist.npz"))
    images = tmp_path / "images.npz"
    np.savez(images, images_u8=digits["images_u8"], labels=digits["labels"])
    capsys.readouterr()
    assert run(["simulate", arch, workload, "--images", str(images), "--json", "-"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["bit_exact"] is True
    assert data["predictions"] == [7, 2, 1, 0]
    assert data["throughput_fps"] >= 1000


def test_a_network_that_differs_is_told(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "onnx", model, "--out", str(tmp_path), "--name", "tfc"]) == 0
    weights = dict(np.load(tmp_path / "tfc.npz"))
    name = next(key for key in sorted(weights) if key.endswith(".weights"))
    weights[name] = 1 - weights[name]
    np.savez(tmp_path / "tfc.npz", **weights)
    assert run(["check", model, str(tmp_path / "tfc.yaml"), "--random-inputs", "10"]) == 1
    assert "first difference in layer " in capsys.readouterr().err


def test_an_edited_workload_survives_a_second_import_without_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    b = Builder((1, 6))
    model = b.save(b.op("MatMul", b.bipolar("x"), b.signs(6, 3)), tmp_path / "net.onnx")
    again = ["import", "onnx", str(model), "--out", str(tmp_path)]
    assert run(again) == 0
    workload = tmp_path / "net.yaml"
    workload.write_text(workload.read_text() + "classes: [a, b, c]\n")
    capsys.readouterr()
    assert run(again) == 2
    error = capsys.readouterr().err
    assert "net.yaml: expected" in error and "--force" in error
    assert len(error.splitlines()) == 1
    assert "classes" in workload.read_text()
    assert run([*again, "--force"]) == 0
    assert "classes" not in workload.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "onnx", "nowhere.onnx"], "nowhere.onnx: expected "),
        (["import", "keras", "nowhere.h5"], "nowhere.h5: expected "),
        (["import", "bnn-pynq", "nowhere", "--topology", "cnv"], "nowhere: expected "),
    ],
)
def test_missing_model_is_one_line_and_nothing_written(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run([*arguments, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert not out.exists() or not any(out.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--device", "xc7z02"], "xc7z02: expected a YAML file or a shipped device"),
        (["--device", "xc7z020", "--fps", "1e12"], "expected"),
        (["--device", "xc7z020", "--clock-mhz", "-1"], "expected above 0, to 2000 MHz, got -1"),
    ],
)
def test_impossible_fold_is_one_line_and_nothing_written(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "arch.yaml"
    assert run(["fold", "tfc", *options, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert not out.exists()
