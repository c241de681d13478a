"""Sizes of an input that a file leaves open, and that the user says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("h5py", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.cli.app import run  # noqa: E402
from bnnsim.importers.model import import_model  # noqa: E402
from bnnsim.spec.faults import InputError  # noqa: E402
from tests.golden.imported.onnx_models import Builder  # noqa: E402
from tests.unit.importers.keras.keras_models import KerasModel  # noqa: E402

MXNET = Path(__file__).parents[3] / "golden" / "imported" / "mxnet"


def _symbol(folder: Path) -> Path:
    """A network of MXNet whose symbol says no shape, which 8 to 11 rows and columns fit."""
    content = json.loads((MXNET / "packed-symbol.json").read_text())
    content["nodes"][0].pop("attrs")
    (folder / "net-symbol.json").write_text(json.dumps(content))
    shutil.copy(MXNET / "packed-0001.params", folder / "net-0001.params")
    return folder / "net-symbol.json"


def _keras(folder: Path) -> Path:
    model = KerasModel((None, None, 2))  # type: ignore[arg-type]
    model.conv((3, 3, 2, 6), quantise_input=False)
    model.batch_norm(6, True, 300)
    model.add("GlobalAveragePooling2D")
    model.add("BatchNormalization", {k: np.full(6, 0.5) for k in _NORM}, axis=[-1], epsilon=1e-3)
    model.dense(6, 3)
    return model.save_h5(folder / "net.h5")


_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def _onnx(folder: Path) -> Path:
    b = Builder((1, 2, 7, 9))
    y = b.op("Conv", b.bipolar("x"), b.signs(4, 2, 3, 3), kernel_shape=[3, 3])
    model = b.model(b.op("GlobalAveragePool", y))
    for place, name in ((2, "rows"), (3, "columns")):
        model.graph.input[0].type.tensor_type.shape.dim[place].dim_param = name
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    onnx.save(model, folder / "net.onnx")
    return folder / "net.onnx"


@pytest.mark.parametrize(
    ("write", "shape", "frame", "open_sizes"),
    [
        (_symbol, "3,9,11", [3, 9, 11], "a shape"),
        (_keras, "7,9,2", [2, 7, 9], "a fixed input shape"),
        (_onnx, "2,7,9", [2, 7, 9], "a shape that is fixed but for the batch"),
    ],
)
def test_sizes_that_a_file_leaves_open_are_said(write, shape, frame, open_sizes, tmp_path, capsys):
    path, out = write(tmp_path), tmp_path / "out"
    with pytest.raises(InputError, match=rf"expected {open_sizes}.* \(--input-shape says one") as caught:
        import_model(path, out, input_type="uint8")
    assert "\n" not in str(caught.value)
    words = ["import", str(path), "--out", str(out), "--input-shape", shape]
    assert run([*words, "--input-type", "uint8" if write is not _onnx else "bipolar"]) == 0
    found = next(out.glob("*.yaml"))
    assert f"shape: {frame}" in found.read_text()
    assert run(["check", str(path), str(found), "--random-inputs", "30"]) == 0
    assert "EQUAL" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("write", "shape", "match"),
    [
        (_keras, (7, 9, 3), r"expected sizes of its input as the file says them, \?,\?,2, got 7,9,3"),
        (_onnx, (2, 7), r"net\.onnx: input x: expected sizes .*, 2,\?,\?, got 2,7"),
        (_onnx, (2, 0, 7), "input shape: expected 1 to 4 sizes above 0"),
        (_onnx, (2, 1 << 20, 1 << 20), "a frame of at most"),
        (_symbol, (3, 1 << 20, 1 << 20), "expected "),
        (_symbol, (4, 9, 9), r"expected a parameter of shape \[64, 4, 3, 3\]"),
    ],
)
def test_a_shape_that_does_not_fit_the_file_is_one_line(write, shape, match, tmp_path):
    with pytest.raises(InputError, match=match) as caught:
        import_model(write(tmp_path), tmp_path / "out", input_type="uint8", input_shape=shape)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["3,,9", "3x9", "-1,2", "3, 1e3", ","])
def test_what_is_no_list_of_sizes_is_one_line(text, tmp_path, capsys):
    words = ["import", str(_onnx(tmp_path)), "--out", str(tmp_path / "out"), "--input-shape", text]
    assert run(words) == 2
    assert "input shape: expected sizes between commas (such as 3,32,32)" in capsys.readouterr().err
