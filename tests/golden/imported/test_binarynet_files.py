"""Files that Keras wrote of BinaryNet's and TernaryNet's layers, as hls4ml reads them.

tools/models/export_binarynet.py wrote them and the scores, of 1,000 frames a model, with tensorflow
2.15.1 and layers by the definitions of DingKe/nn_playground.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("h5py", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.check.check import check_model
from bnnsim.importers.model import import_model
from bnnsim.spec.faults import InputError
from tests.golden.imported.test_larq_files import assert_scores, workload_scores

FOLDER = Path(__file__).parent / "binarynet"


@pytest.mark.parametrize(("file", "shape"), [("dense.json", (20,)), ("conv.h5", (9, 9, 2))])
def test_a_thousand_frames_give_what_tensorflow_gave(file: str, shape: tuple, tmp_path: Path) -> None:
    frames = np.random.default_rng(7).integers(0, 256, (1000, *shape)).astype(np.uint8)
    expected = np.load(FOLDER / f"{Path(file).stem}.npz")["scores"].astype(np.float64)
    found, workload = workload_scores(FOLDER / file, tmp_path, frames)
    assert_scores(expected, found, ends_in_softmax=file == "conv.h5", least_different=900)
    report = check_model(FOLDER / file, workload, random_inputs=20)
    assert report.verdict == "equal", str(report)


def _changed(folder: Path, settings: dict[str, Any], removed: str = "") -> Path:
    content = json.loads((FOLDER / "dense.json").read_text())
    first = next(one for one in content["config"]["layers"] if one["class_name"] == "BinaryDense")
    first["config"] |= settings
    first["config"].pop(removed, None)
    (folder / "net.json").write_text(json.dumps(content))
    shutil.copy(FOLDER / "dense_weights.h5", folder / "net_weights.h5")
    return folder / "net.json"


@pytest.mark.parametrize(
    ("settings", "removed", "match"),
    [
        ({}, "H", r"binary_dense \(BinaryDense\): expected its height H .*Riptide.*got none"),
        ({"H": 0}, "", r"expected H a number above 0, got 0"),
        ({"H": "Glorot"}, "", r"H .*a number above 0.*Glorot"),
        ({"binarize": False}, "", r"binarize"),
    ],
)
def test_a_layer_of_that_name_without_a_height_is_somebody_elses(
    settings: dict[str, Any], removed: str, match: str, tmp_path: Path
) -> None:
    path = _changed(tmp_path, settings, removed)
    with pytest.raises(InputError, match=match) as caught:
        import_model(path, tmp_path / "out", input_type="uint8")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()
