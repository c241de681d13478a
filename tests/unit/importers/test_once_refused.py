"""Networks that users have and that were refused once: imported, checked, and folded onto a device.

The script that writes them is looked for beside the project.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.check.check import check_model
from bnnsim.importers.model import import_model
from bnnsim.search.fold.fold import fold

_BESIDE = Path(__file__).parents[4] / "shared" / "cases" / "imports"
_SCRIPT = Path(os.environ.get("BNNSIM_CASES", _BESIDE)) / "refused.py"
pytestmark = pytest.mark.skipif(
    not _SCRIPT.exists(), reason="no script of networks: BNNSIM_CASES may name its folder"
)

OPTIONS: dict[str, dict[str, object]] = {
    "rgb_mean": {"input_type": "uint8", "image_range": (0.0, 255.0)},
    "float_ends": {"real_layers": "int8"},
}
NAMES = [
    *("stem_pool", "alexnet_pool", "odd_pool", "conv1d", "flat_28x28", "vector_to_image"),
    *("norm_behind_flatten", "rows_of_thresholds", "batch_of_64", "sigmoid_end", "tanh_sign"),
    *("not_lowered", "im2col", "concat_scales", "rgb_mean", "float_ends"),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    command = [sys.executable, "-B", str(_SCRIPT), str(folder)]
    subprocess.run(command, check=True, cwd=_SCRIPT.parent, capture_output=True)
    return folder


def test_every_network_of_the_script_is_listed(models):
    assert sorted(path.stem for path in models.glob("*.onnx")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_that_was_refused_once_is_imported_checked_and_folded(name, models, tmp_path):
    path = models / f"{name}.onnx"
    imported = import_model(path, tmp_path, **OPTIONS.get(name, {}))
    report = check_model(path, imported.workload_path, random_inputs=200)
    assert report.verdict in ("equal", "flips"), str(report)
    assert "a frame every" in fold(imported.workload_path, "xc7z045").text()
