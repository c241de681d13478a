"""Models of Riptide's own layers, exported as ONNX, held against what TensorFlow computed with them.

The layers are those of Riptide's repository (``riptide/binary/binary_layers.py`` at commit 00ac5de), run
by TensorFlow 2.1 and exported by tf2onnx 1.9.3; onnxruntime 1.32 folded what hangs on constants (its
basic level), since the layers choose by ``tf.cond``. ``dorefa``: activations of two bits, weights of
-mean and +mean a filter; ``signs``: bipolar activations; ``shifts``: ``ShiftNormalization``. The scores
are of 1,000 frames.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.check.check import check_model
from tests.golden.imported.test_larq_files import assert_scores, frames_of, workload_scores

FOLDER = Path(__file__).parent / "riptide"


@pytest.mark.parametrize("name", ["dorefa", "signs", "shifts"])
def test_a_thousand_frames_give_what_tensorflow_gave(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}.onnx"
    expected = np.load(FOLDER / f"{name}.npz")["scores"].astype(np.float64)
    found, workload = workload_scores(path, tmp_path, frames_of((12, 12, 3)))
    assert len(expected) == 1000
    assert_scores(expected, found, ends_in_softmax=False, least_different=900)
    report = check_model(path, workload, random_inputs=20)
    assert report.verdict == "equal" and len(report.layers) == 4, str(report)
