"""Gluon models of BMXNet 2's layers as MXNet writes them, held against what MXNet computed.

The layers are those of BMXNet 2's repository (``gluon/nn/binary_layers.py`` at commit af2b185), run and
written by mxnet 1.9.1 with its own operators in the place of ``det_sign``, ``round_ste`` and
``gradcancel``. ``signs``: BinaryConvolution, ScaledWeightsBinaryConv, QDense; ``dorefa``: weights and
activations of two bits; ``xnor``: ScaledBinaryConv, with XNOR-Net's K. ``packed`` and ``packed-wide``
were packed by its model converter (``tools/binary_converter``), which leaves borders of -1 in front of
layers that take signs themselves; their scores are those of its own kernels (``xnor.cc``), and of the
Gluon models that were packed. The scores are of 1,000 frames.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.check.check import check_model
from bnnsim.importers.model import import_model
from bnnsim.spec.faults import InputError
from tests.golden.imported.test_larq_files import frames_of, workload_scores

FOLDER = Path(__file__).parent / "bmxnet2"


FRAMES = frames_of((12, 12, 3))
"""The frames that MXNet was run on: coarse patches with noise on them."""


NAMES = ["signs", "dorefa", "xnor", "packed", "packed-wide"]


@pytest.mark.parametrize("name", NAMES)
def test_a_thousand_frames_give_what_mxnet_gave(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}-symbol.json"
    expected = np.load(FOLDER / f"{name}.npz")["scores"].astype(np.float64)
    shape = (3, 12, 12) if name.startswith("packed") else None  # its symbol does not say one
    found, workload = workload_scores(path, tmp_path, FRAMES, input_shape=shape)
    gain, offset = np.polyfit(found.reshape(-1), expected.reshape(-1), 1)
    off = np.abs(gain * found + offset - expected)
    assert gain > 0 and np.count_nonzero(off > 1e-4 * np.ptp(expected)) == 0
    assert len(np.unique(expected.round(4), axis=0)) > 300, "frames that tell networks apart"
    report = check_model(path, workload, random_inputs=20)
    assert report.verdict == "equal" and len(report.layers) >= 3, str(report)


def _changed(folder: Path, name: str, change: Callable[[list], None]) -> Path:
    content = json.loads((FOLDER / f"{name}-symbol.json").read_text())
    change(content["nodes"])
    (folder / "net-symbol.json").write_text(json.dumps(content))
    shutil.copy(FOLDER / f"{name}-0000.params", folder / "net-0000.params")
    return folder / "net-symbol.json"


def _first(nodes: list, op: str) -> dict:
    return next(one for one in nodes if one["op"] == op)


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        (
            "dorefa",
            lambda n: _first(n, "clip")["attrs"].update(a_min="-1"),
            "limited to 0 and more",
        ),
        ("xnor", lambda n: _first(n, "mean")["attrs"].update(axis="2"), "a mean over channels"),
        (
            "xnor",
            lambda n: _first(n, "_full")["attrs"].update(shape="(9999, 9999)"),
            "fit each other",
        ),
        (
            "dorefa",
            lambda n: _first(n, "max").update(op="min"),
            "an operator that can be imported, got min",
        ),
        (
            "dorefa",
            lambda n: _first(n, "_mul_scalar").update(op="max", attrs={}),
            "weights are made, got",
        ),
    ],
)
def test_what_is_not_understood_is_named(name: str, change, match: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=match) as caught:
        import_model(_changed(tmp_path, name, change), tmp_path / "out", input_type="uint8")
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()
