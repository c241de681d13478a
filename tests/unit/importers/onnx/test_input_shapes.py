"""Inputs without a channel dimension, and models exported for a fixed batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from onnx import numpy_helper  # noqa: E402

from bnnsim.design.network.network import resolve_network  # noqa: E402
from bnnsim.functional.executor import execute  # noqa: E402
from bnnsim.functional.input.frames import frames_from_images  # noqa: E402
from bnnsim.functional.parameters.parameters import load_parameters  # noqa: E402
from bnnsim.importers.onnx.network import import_onnx  # noqa: E402
from bnnsim.spec.faults import InputError  # noqa: E402
from tests.golden.imported.onnx_models import Builder  # noqa: E402


def _scores(path: Path, folder: Path, images: np.ndarray) -> Any:
    imported = import_onnx(path, folder)
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    shaped = images.reshape(len(images), *network.input.shape)
    return execute(network, parameters, frames_from_images(network, shaped)).scores


def _bits(b: Builder) -> str:
    return b.bipolar(b.op("Sub", "x", b.constant(0.5)))


def _matrix(b: Builder, rows: int, columns: int) -> tuple[str, np.ndarray]:
    name = b.signs(rows, columns)
    return name, numpy_helper.to_array(b.initializers[-1])


@pytest.mark.parametrize("way", ["Flatten", "Reshape", "Unsqueeze"])
def test_an_image_without_a_channel_dimension(way, tmp_path):
    b = Builder((1, 7, 6), seed=1)
    x = _bits(b)
    if way == "Unsqueeze":
        x = b.op("Unsqueeze", x, b.constant([1], np.int64))
    if way == "Reshape":
        x = b.op("Reshape", x, b.constant([-1, 42], np.int64))
    else:
        x = b.op("Flatten", x)
    name, matrix = _matrix(b, 42, 4)
    path = b.save(b.op("MatMul", x, name), tmp_path / "net.onnx")
    images = np.random.default_rng(1).integers(0, 256, (30, 7, 6), np.uint8)
    expected = np.where(images.reshape(30, -1) / 255 >= 0.5, 1, -1) @ matrix
    assert np.array_equal(_scores(path, tmp_path, images), expected)


def test_samples_over_time_are_refused_where_a_convolution_wants_a_map(tmp_path):
    b = Builder((1, 2, 32))
    x = b.op("Conv", b.bipolar("x"), b.signs(4, 2, 5, 1), kernel_shape=[5, 1])
    path = b.save(x, tmp_path / "net.onnx")
    match = r"\(Conv\): expected kernel_shape of one dimension, got \[5, 1\]"
    with pytest.raises(InputError, match=match):
        import_onnx(path, tmp_path / "out")


@pytest.mark.parametrize("target", [[64, -1], [64, 48], [-1, 48], [0, -1]])
def test_a_model_exported_for_a_batch_is_read_frame_by_frame(target, tmp_path):
    b = Builder((64, 3, 4, 4), seed=2)
    x = b.op("Reshape", _bits(b), b.constant(target, np.int64))
    name, matrix = _matrix(b, 48, 5)
    path = b.save(b.op("MatMul", x, name), tmp_path / "net.onnx")
    images = np.random.default_rng(1).integers(0, 256, (64, 3, 4, 4), np.uint8)
    expected = np.where(images.reshape(64, -1) / 255 >= 0.5, 1, -1) @ matrix
    assert np.array_equal(_scores(path, tmp_path, images), expected)


@pytest.mark.parametrize("target", [[32, 96], [48, 64], [1, 3072]])
def test_a_reshape_across_frames_is_refused(target, tmp_path):
    b = Builder((64, 3, 4, 4), seed=2)
    x = b.op("Reshape", _bits(b), b.constant(target, np.int64))
    path = b.save(x, tmp_path / "net.onnx")
    with pytest.raises(InputError, match=r"\(Reshape\): expected a shape of 48 elements"):
        import_onnx(path, tmp_path / "out")
