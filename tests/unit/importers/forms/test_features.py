"""Numbers of every feature behind a Flatten, and frames that are vectors, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.importers.check.check import check_model
from bnnsim.importers.onnx.network import import_onnx
from bnnsim.spec.faults import InputError
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import agreement


def _per_feature(b: Builder, x: str, way: str, features: int) -> str:
    rng = np.random.default_rng(9)
    row = rng.normal(size=(1, features)).astype(np.float32) * 3
    if way == "norm":
        return b.batch_norm(x, features, 3.0)
    if way == "product":
        return b.op("Add", b.op("Mul", x, b.constant(row)), b.constant(0.25))
    if way == "slope":
        return b.op("Sub", b.op("PRelu", x, b.constant(np.abs(row) / 9)), b.constant(row))
    return b.op("Sub", b.op("Sign", b.op("Sub", x, b.constant(row))), b.constant(0.5))


@pytest.mark.parametrize("way", ["norm", "product", "slope", "twice"])
@pytest.mark.parametrize("behind", ["conv", "signs", "rows last"])
def test_numbers_of_every_feature_behind_a_flatten(way, behind, tmp_path):
    b = Builder((1, 3, 6, 5), seed=5)
    x = b.op("Conv", "x", b.signs(4, 3, 3, 3), kernel_shape=[3, 3])
    if behind == "signs":
        x = b.op("Sign", b.batch_norm(x, 4, 3.0))
    if behind == "rows last":
        x = b.op("Transpose", x, perm=[0, 3, 1, 2])
    x = b.op("Sign", _per_feature(b, b.op("Flatten", x), way, 48))
    found = agreement(b, b.op("MatMul", x, b.signs(48, 5)), tmp_path)
    assert found.same() >= 0.999


def test_scales_of_every_position_of_a_map_that_is_flattened_then(tmp_path):
    b = Builder((1, 3, 6, 5), seed=6)
    x = b.op("Conv", "x", b.signs(4, 3, 3, 3), kernel_shape=[3, 3])
    x = b.op("Sub", x, b.constant(np.random.default_rng(1).normal(size=(1, 1, 4, 3)) * 4))
    x = b.op("Flatten", b.op("Sign", x))
    found = agreement(b, b.op("MatMul", x, b.signs(48, 5)), tmp_path)
    assert found.same() >= 0.999


def test_a_convolution_behind_numbers_of_every_position_is_refused(tmp_path):
    b = Builder((1, 3, 6, 5), seed=6)
    x = b.op("Conv", "x", b.signs(4, 3, 3, 3), kernel_shape=[3, 3])
    x = b.op("Sign", b.op("Sub", x, b.constant(np.random.default_rng(1).normal(size=(1, 1, 4, 3)))))
    path = b.save(b.op("Conv", x, b.signs(2, 4, 3, 3), kernel_shape=[3, 3]), tmp_path / "net.onnx")
    with pytest.raises(InputError, match=r"\(Sub\): expected constants that are equal within a channel"):
        import_onnx(path, tmp_path / "out", input_type="uint8")


@pytest.mark.parametrize("target", [[-1, 2, 8, 6], [1, 2, 8, 6], [0, 2, -1, 6], [-1, 1, 12, 8]])
@pytest.mark.parametrize("given", [(1, 96), (1, 2, 48), (1, 96, 1)])
def test_a_vector_becomes_a_map(target, given, tmp_path):
    b = Builder(given, seed=7)
    channels = target[1]
    x = b.op("Reshape", b.op("Sub", "x", b.constant(0.5)), b.constant(target, np.int64))
    x = b.batch_norm(b.op("Conv", x, b.signs(5, channels, 3, 3), kernel_shape=[3, 3]), 5, 2.0)
    x, elements = b.op("Sign", x), 5 * 24 if channels == 2 else 5 * 60
    found = agreement(b, b.op("MatMul", b.op("Flatten", x), b.signs(elements, 4)), tmp_path)
    assert found.same() >= 0.999
    assert found.workload.input.shape == [channels, *((8, 6) if channels == 2 else (12, 8))]


def test_a_vector_that_becomes_a_map_with_its_channels_last_is_checked(tmp_path):
    b = Builder((1, 96), seed=8)
    x = b.op("Reshape", "x", b.constant([-1, 8, 6, 2], np.int64))
    x = b.op("Sub", x, b.constant(np.array([0.25, 0.5]).reshape(1, 1, 1, 2)))
    x = b.op("Transpose", x, perm=[0, 3, 1, 2])
    x = b.op("Sign", b.op("Conv", x, b.signs(5, 2, 3, 3), kernel_shape=[3, 3]))
    path = b.save(b.op("MatMul", b.op("Flatten", x), b.signs(120, 4)), tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path, input_type="uint8")
    assert found.workload.input.shape == [2, 8, 6]
    np.save(tmp_path / "reals.npy", np.random.default_rng(1).integers(0, 256, (7, 96)) / np.float32(255))
    for images in (None, tmp_path / "reals.npy"):
        report = check_model(path, found.workload_path, images=images, random_inputs=50)
        assert report.verdict in ("equal", "flips"), str(report)


def test_a_vector_that_dense_layers_read_stays_one(tmp_path):
    b = Builder((1, 96), seed=8)
    x = b.op("Reshape", b.op("Sub", "x", b.constant(0.5)), b.constant([-1, 1, 8, 12], np.int64))
    found = agreement(b, b.op("MatMul", b.op("Flatten", x), b.signs(96, 4)), tmp_path, images=100)
    assert found.same() == 1 and found.workload.input.shape == [96]


@pytest.mark.parametrize("turned", [False, True])
def test_an_output_with_numbers_of_every_position_is_checked(turned, tmp_path):
    b = Builder((1, 3, 6, 5), seed=6)
    x = b.op("Conv", "x", b.signs(4, 3, 3, 3), kernel_shape=[3, 3])
    x = b.op("Sign", b.op("Sub", x, b.constant(np.random.default_rng(1).normal(size=(1, 1, 4, 3)) * 4)))
    path = b.save(b.op("Transpose", x, perm=[0, 2, 3, 1]) if turned else x, tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path, input_type="uint8")
    report = check_model(path, found.workload_path, random_inputs=100)
    assert report.verdict == "equal", str(report)
