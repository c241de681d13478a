"""Steps in one dimension, tokens, shuffles and shapes with constants, against onnxruntime."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.network.network import resolve_network
from bnnsim.functional.input.frames import frames_from_images
from bnnsim.importers.check.check import check_model
from bnnsim.importers.onnx.network import import_onnx, import_options, lower_model
from tests.golden.imported.onnx_models import Builder
from tests.unit.importers.forms.against_onnxruntime import agreement


def _conv1d(b: Builder, x: str, out: int, into: int, kernel: int, **more: object) -> str:
    return b.op("Conv", x, b.signs(out, into, kernel), kernel_shape=[kernel], **more)


def _steps(b: Builder) -> str:
    """Keyword spotting in small: convolutions over time, a pool, an average over all steps."""
    x = b.op("Sign", b.batch_norm(_conv1d(b, "x", 8, 4, 5, pads=[2, 2]), 8, 1))
    x = b.op("Pad", x, b.constant([0, 0, 1, 0, 0, 2], np.int64), b.constant(-1.0))
    x = b.batch_norm(_conv1d(b, x, 8, 8, 3, strides=[2], dilations=[2]), 8, 4)
    x = b.op("MaxPool", b.op("Sign", x), kernel_shape=[3], strides=[2], pads=[1, 1])
    return b.op("Sign", b.batch_norm(_conv1d(b, x, 8, 1, 3, group=8, pads=[1, 1]), 8, 2))


@pytest.mark.parametrize("end", ["GlobalAveragePool", "ReduceMean", "Flatten"])
def test_networks_over_steps_in_one_dimension(end, tmp_path):
    b = Builder((1, 4, 41), seed=3)
    x = _steps(b)
    if end == "ReduceMean":
        x, elements = b.op("ReduceMean", x, axes=[2], keepdims=0), 8
    else:
        x, elements = b.op("Flatten", b.op(end, x) if end != "Flatten" else x), 8
    elements = 80 if end == "Flatten" else elements
    found = agreement(b, b.op("MatMul", x, b.signs(elements, 5)), tmp_path, images=300)
    assert found.same() >= 0.99
    assert found.workload.input.shape == [4, 1, 41]


def test_steps_are_checked_on_floats_in_the_models_shape(tmp_path):
    b = Builder((1, 4, 41), seed=4)
    path = b.save(b.op("MatMul", b.op("Flatten", _steps(b)), b.signs(80, 5)), tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path, input_type="uint8")
    pixels = np.random.default_rng(1).integers(0, 256, (6, 4, 41))
    np.save(tmp_path / "reals.npy", (pixels / 255).astype(np.float32))
    for images in (None, tmp_path / "reals.npy"):
        report = check_model(path, found.workload_path, images=images, random_inputs=20)
        assert report.verdict in ("equal", "flips"), str(report)


def test_frames_of_steps_need_no_dimension_of_rows(tmp_path):
    b = Builder((1, 4, 41), seed=4)
    model = b.model(b.op("MatMul", b.op("Flatten", _steps(b)), b.signs(80, 5)))
    lowered = lower_model(model, "net.onnx", "net", import_options(input_type="uint8"))
    network = resolve_network(lowered.workload)
    pixels = np.random.default_rng(1).integers(0, 256, (6, 4, 41), np.uint8)
    frames = frames_from_images(network, pixels)
    assert np.array_equal(frames, frames_from_images(network, pixels[:, :, np.newaxis]))


@pytest.mark.parametrize("pools", [False, True])
def test_shuffled_channels(pools, tmp_path):
    b = Builder((1, 3, 6, 6), seed=5)
    x = b.op("Sign", b.batch_norm(b.conv("x", b.signs(12, 3, 3, 3), 3, pad=1), 12, 1))
    for groups in (3, 4):
        x = b.op("Reshape", x, b.constant([1, groups, 12 // groups, 6, 6], np.int64))
        x = b.op("Transpose", x, perm=[0, 2, 1, 3, 4])
        x = b.op("Reshape", x, b.constant([1, 12, 6, 6], np.int64))
        if pools:
            x = b.op("MaxPool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        x = b.conv(x, b.signs(12, 12 // groups, 3, 3), 3, pad=1, group=groups)
        x = b.op("Sign", b.batch_norm(x, 12, 3))
    x = b.op("Reshape", x, b.constant([1, 2, 6, 6, 6], np.int64))
    x = b.op("Transpose", x, perm=[0, 2, 1, 3, 4])
    x = b.conv(b.op("Reshape", x, b.constant([1, 12, 6, 6], np.int64)), b.signs(4, 12, 1, 1), 1)
    found = agreement(b, b.op("Flatten", x), tmp_path, images=200)
    assert found.same() >= 0.99


def test_shuffled_real_values_added_to_others(tmp_path):
    b = Builder((1, 3, 6, 6), seed=6)
    x = b.batch_norm(b.conv("x", b.signs(8, 3, 3, 3), 3, pad=1), 8, 1)
    y = b.op("Reshape", x, b.constant([1, 2, 4, 6, 6], np.int64))
    y = b.op("Reshape", b.op("Transpose", y, perm=[0, 2, 1, 3, 4]), b.constant([1, 8, 6, 6], np.int64))
    y = b.op("Mul", y, b.constant(b.rng.uniform(0.5, 1.5, (8, 1, 1))))
    x = b.op("Sign", b.op("Add", x, y))
    found = agreement(b, b.op("MatMul", b.op("Flatten", x), b.signs(288, 4)), tmp_path, images=200)
    assert found.same() >= 0.99


def test_layers_on_tokens_and_across_them(tmp_path):
    b = Builder((1, 6, 16), seed=7)
    x = b.op("Sign", b.op("Sub", "x", b.constant(0.5)))
    for _ in range(2):
        y = b.op("MatMul", x, b.signs(16, 16))
        x = b.op("Sign", b.op("Add", y, b.constant(b.rng.normal(0, 1, 16))))
        y = b.op("MatMul", b.op("Transpose", x, perm=[0, 2, 1]), b.signs(6, 6))
        y = b.op("Sign", b.op("Add", y, b.constant(b.rng.normal(0, 1, 6))))
        x = b.op("Sign", b.op("Sub", b.op("Transpose", y, perm=[0, 2, 1]), b.constant(0.25)))
    x = b.op("MatMul", b.op("Flatten", x), b.signs(96, 5))
    found = agreement(b, x, tmp_path, images=300)
    assert found.same() >= 0.99


def test_a_flat_frame_whose_shape_is_read_too_stays_flat(tmp_path):
    b = Builder(("batch", 1, 8, 8), seed=8)
    count = b.op("Gather", b.op("Shape", "x"), b.constant(0, np.int64))
    parts = b.op("Unsqueeze", count, b.constant([0], np.int64)), b.constant([-1], np.int64)
    x = b.op("Reshape", "x", b.op("Concat", *parts, axis=0))
    x = b.op("Sign", b.op("Sub", b.op("MatMul", x, b.signs(64, 8)), b.constant(0.3)))
    model = b.model(b.op("MatMul", x, b.signs(8, 4)))
    lowered = lower_model(model, "net.onnx", "net", import_options(input_type="uint8"))
    assert lowered.workload.input.shape == [64]


@pytest.mark.parametrize("first", [64, 5])
def test_a_batch_that_is_written_into_shapes(first, tmp_path):
    b = Builder(("batch", 3, 6, 6), seed=9)
    x = b.op("Sign", b.batch_norm(b.conv("x", b.signs(6, 3, 3, 3), 3, pad=1), 6, 1))
    x = b.op("Reshape", x, b.constant([first, -1], np.int64))
    path = b.save(b.op("MatMul", x, b.signs(216, 5)), tmp_path / "net.onnx")
    found = import_onnx(path, tmp_path, input_type="uint8")
    pixels = np.random.default_rng(0).integers(0, 256, (first, 3, 6, 6), np.uint8)
    feeds = {"x": (pixels / 255).astype(np.float32)}
    assert onnxruntime.InferenceSession(str(path)).run(None, feeds)[0].shape == (first, 5)
    report = check_model(path, found.workload_path, random_inputs=2 * first)
    assert report.verdict in ("equal", "flips"), str(report)


def test_a_fixed_batch_of_one_is_no_batch_of_many(tmp_path):
    b = Builder((1, 3, 6, 6), seed=9)
    x = b.op("Sign", b.batch_norm(b.conv("x", b.signs(6, 3, 3, 3), 3, pad=1), 6, 1))
    x = b.op("Reshape", x, b.constant([6, -1], np.int64))
    onnx.save(b.model(b.op("MatMul", x, b.signs(36, 5))), tmp_path / "net.onnx")
    with pytest.raises(Exception, match="leaves the batch alone"):
        import_onnx(tmp_path / "net.onnx", tmp_path, input_type="uint8")
