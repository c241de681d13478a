"""Pools of every window, border and rounding of sizes, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnxruntime", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.check.check import check_model
from bnnsim.importers.onnx.network import import_onnx, import_options, lower_model
from bnnsim.spec.faults import SpecError
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import agreement

WINDOWS = {
    "overlapping": {"kernel_shape": [3, 3], "strides": [2, 2]},
    "with a border": {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
    "stride 1 with a border": {"kernel_shape": [3, 3], "strides": [1, 1], "pads": [1, 1, 1, 1]},
    "not square": {"kernel_shape": [2, 3], "strides": [1, 2], "pads": [0, 1, 1, 0]},
    "rounded up": {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1},
    "rounded up over a border": {
        "kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    "rounded up behind the map": {
        "kernel_shape": [2, 2], "strides": [3, 3], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    "same": {"kernel_shape": [3, 2], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
}  # fmt: skip


def _sums(b: Builder) -> str:
    return b.batch_norm(b.conv("x", b.signs(6, 3, 3, 3), 3, pad=1), 6, 1)


def _scores(b: Builder, x: str) -> str:
    x = b.op("Sign", b.batch_norm(b.conv(x, b.signs(6, 6, 1, 1), 1), 6, 2))
    return b.op("Flatten", b.op("GlobalAveragePool", b.conv(x, b.signs(4, 6, 1, 1), 1)))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("of_bits", [False, True])
def test_maxima(window, of_bits, tmp_path):
    b = Builder((1, 3, 7, 8), seed=3)
    x = b.op("Sign", _sums(b)) if of_bits else _sums(b)
    x = b.op("MaxPool", x, **WINDOWS[window])
    found = agreement(b, _scores(b, b.op("Sign", x)), tmp_path, images=200)
    assert found.same() >= 0.995
    assert "max_pool" in found.ops


@pytest.mark.parametrize("window", WINDOWS)
def test_averages_that_count_the_border(window, tmp_path):
    more = {k: v for k, v in WINDOWS[window].items() if k != "ceil_mode"}
    b = Builder((1, 3, 7, 8), seed=4)
    x = b.op("AveragePool", _sums(b), count_include_pad=1, **more)
    found = agreement(b, _scores(b, b.op("Sign", x)), tmp_path, images=200)
    assert found.same() >= 0.99
    b = Builder((1, 3, 7, 8), seed=4)
    x = b.op("AveragePool", _sums(b), count_include_pad=1, **more)
    assert agreement(b, _scores(b, x), tmp_path, images=200).same(1e-4) >= 0.99


@pytest.mark.parametrize("window", WINDOWS)
def test_averages_of_what_lies_in_the_map_in_front_of_a_sign(window, tmp_path):
    b = Builder((1, 3, 7, 8), seed=5)
    x = b.op("AveragePool", _sums(b), **WINDOWS[window])
    found = agreement(b, _scores(b, b.op("Sign", x)), tmp_path, images=200)
    assert found.same() >= 0.99


def test_averages_of_what_lies_in_the_map_are_refused_elsewhere(tmp_path):
    b = Builder((1, 3, 7, 8), seed=5)
    x = b.op("AveragePool", _sums(b), **WINDOWS["with a border"])
    with pytest.raises(SpecError, match="count_include_pad 1"):
        lower_model(b.model(_scores(b, x)), "f", "net", import_options(input_type="uint8"))


@pytest.mark.parametrize("kind", ["GlobalMaxPool", "ReduceMax"])
def test_maximum_over_points(kind, tmp_path):
    b = Builder((1, 3, 20, 1), seed=6)
    x = b.batch_norm(b.conv("x", b.signs(8, 3, 1, 1), 1), 8, 1)
    x = b.op("Flatten", b.op(kind, x, **({"axes": [2, 3]} if kind == "ReduceMax" else {})))
    x = b.op("Sign", b.op("Add", x, b.constant(b.rng.normal(-1, 1, 8))))
    found = agreement(b, b.op("MatMul", x, b.signs(8, 4)), tmp_path, images=200)
    assert found.same() >= 0.995
    pool = next(layer for layer in found.workload.layers if layer.op == "max_pool")
    assert pool.kernel == "global"


@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
def test_check_agrees_layer_by_layer(kind, tmp_path):
    b = Builder((1, 3, 7, 8), seed=7)
    more = {"count_include_pad": 1} if kind == "AveragePool" else {}
    x = b.op(kind, _sums(b), **WINDOWS["with a border"], **more)
    path = b.save(_scores(b, b.op("Sign", x)), tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path, input_type="uint8")
    report = check_model(path, found.workload_path, random_inputs=30)
    assert report.verdict in ("equal", "flips"), str(report)


def test_mean_of_one_pixel_is_that_pixel(tmp_path):
    b = Builder((1, 3, 1, 1), seed=8)
    x = b.op("GlobalAveragePool", b.op("Sign", b.batch_norm(b.conv("x", b.signs(6, 3, 1, 1), 1), 6, 1)))
    found = agreement(b, b.op("Flatten", b.conv(x, b.signs(4, 6, 1, 1), 1)), tmp_path, images=50)
    assert found.same() == 1.0 and np.all(found.off == 0)
