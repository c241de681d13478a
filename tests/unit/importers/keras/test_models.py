"""Larq models as Keras saves them: imported, equal to Keras arithmetic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

h5py = pytest.importorskip("h5py", reason="the extra bnnsim[onnx] is not installed")
pytest.importorskip("onnx", reason="the extra bnnsim[onnx] is not installed")

from bnnsim.design.network.network import resolve_network  # noqa: E402
from bnnsim.functional.executor import execute  # noqa: E402
from bnnsim.functional.input.frames import frames_from_images  # noqa: E402
from bnnsim.functional.parameters.parameters import load_parameters  # noqa: E402
from bnnsim.importers.check.check import check_model  # noqa: E402
from bnnsim.importers.keras.network import import_keras  # noqa: E402
from bnnsim.spec.faults import InputError  # noqa: E402
from tests.unit.importers.keras.keras_models import KerasModel, binarynet, convolved, sign  # noqa: E402


def _scores(imported: Any, images: np.ndarray) -> np.ndarray:
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    return execute(network, parameters, frames_from_images(network, images)).scores


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("form", ["h5", "keras"])
def test_binarynet_scores_equal_keras_arithmetic(form, scale, tmp_path):
    model = binarynet(scale)
    path = tmp_path / f"binarynet.{form}"
    (model.save_h5 if form == "h5" else model.save_keras)(path)
    imported = import_keras(path, tmp_path, input_type="uint8", image_range=(0, 255))
    images = np.random.default_rng(3).integers(0, 256, (40, 10, 10, 3), np.uint8)
    expected = model.scores(images)
    assert np.array_equal(_scores(imported, images.transpose(0, 3, 1, 2)), expected)
    report = check_model(path, imported.workload_path, random_inputs=40)
    assert report.is_equal, str(report)


def test_separable_convolution_quantises_nothing_between_its_halves(tmp_path):
    model = KerasModel((8, 8, 4), seed=2)
    weights = {
        "depthwise_kernel": model.rng.normal(0, 1, (3, 3, 4, 1)),
        "pointwise_kernel": model.rng.normal(0, 1, (1, 1, 4, 6)),
    }
    quantisers = dict.fromkeys(
        ("input_quantizer", "depthwise_quantizer", "pointwise_quantizer"), "ste_sign"
    )
    # Keras 2 writes these of a kernel that the layer does not have
    written = dict.fromkeys(("kernel_initializer", "kernel_regularizer", "kernel_constraint"))
    settings = {"use_bias": False, "strides": [1, 1], **written, **quantisers}
    model.add("QuantSeparableConv2D", weights, **settings)
    model.batch_norm(6, True, 10)
    model.add("Flatten")
    model.dense(6 * 36, 3)
    path = model.save_h5(tmp_path / "separable.h5")
    imported = import_keras(path, tmp_path, image_range=(-1, 1))
    images = np.random.default_rng(4).integers(0, 256, (30, 8, 8, 4), np.uint8)
    expected = model.scores(images / 255.0 * 2 - 1)
    assert np.array_equal(_scores(imported, images.transpose(0, 3, 1, 2)), expected)


def test_functional_model_with_a_shortcut(tmp_path):
    model = KerasModel((6, 6, 4), seed=5)
    kernel = model.rng.normal(0, 1, (3, 3, 4, 4)).astype(np.float32)
    dense = model.rng.normal(0, 1, (144, 3)).astype(np.float32)
    quant = {"kernel_quantizer": "ste_sign", "input_quantizer": "ste_sign", "use_bias": False}
    entries = [
        ("InputLayer", "in", {"batch_shape": [None, 6, 6, 4]}, []),
        ("QuantConv2D", "a", {"padding": "same", "pad_values": 1.0, **quant}, ["in"]),
        ("QuantConv2D", "b", {"padding": "same", "pad_values": 1.0, **quant}, ["in"]),
        ("Add", "sum", {}, ["a", "b"]),
        ("Flatten", "flat", {}, ["sum"]),
        ("QuantDense", "scores", quant, ["flat"]),
    ]
    layers = []
    for kind, name, config, inputs in entries:
        history = [
            {"class_name": "__keras_tensor__", "config": {"keras_history": [i, 0, 0]}} for i in inputs
        ]
        nodes = [{"args": [history], "kwargs": {}}] if inputs else []
        layers.append(
            {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": nodes}
        )
    path = tmp_path / "shortcut.h5"
    with h5py.File(path, "w") as file:
        config = {"class_name": "Functional", "config": {"name": "net", "layers": layers}}
        file.attrs["model_config"] = json.dumps(config)
        for name, values in (("a", kernel), ("b", -kernel[::-1]), ("scores", dense)):
            group = file.create_group(f"model_weights/{name}")
            group.attrs["weight_names"] = [f"{name}/kernel:0"]
            group[f"{name}/kernel:0"] = values
    imported = import_keras(path, tmp_path, image_range=(-1, 1))
    images = np.random.default_rng(6).integers(0, 256, (20, 6, 6, 4), np.uint8)
    x = sign(images / 255.0 * 2 - 1)
    border = {"padding": "same", "pad_values": 1.0}
    total = convolved(x, sign(kernel), border) + convolved(x, sign(-kernel[::-1]), border)
    expected = sign(total).reshape(20, -1) @ sign(dense)
    assert np.array_equal(_scores(imported, images.transpose(0, 3, 1, 2)), expected)


def _refused(path: Path, tmp_path: Path, match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        import_keras(path, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_truncated_keras_file(tmp_path):
    path = binarynet(False).save_h5(tmp_path / "net.h5")
    path.write_bytes(path.read_bytes()[:900])
    _refused(path, tmp_path, "net.h5: expected a whole Keras file")


def test_weights_without_a_structure(tmp_path):
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file["kernel"] = np.zeros(3)
    _refused(
        tmp_path / "net.h5", tmp_path, "expected a model saved with its structure, got weights alone"
    )


def test_layer_that_cannot_be_imported_is_named_with_its_near_miss(tmp_path):
    model = KerasModel((8, 8, 3))
    model.conv((3, 3, 3, 4))
    model.add("MaxPooling3D")
    path = model.save_h5(tmp_path / "net.h5")
    _refused(path, tmp_path, r"maxpooling3d_1: expected a layer .* \(nearest: MaxPooling2D")


def test_a_quantiser_that_is_not_known_is_refused_by_name(tmp_path):
    model = KerasModel((8, 8, 3))
    model.conv((3, 3, 3, 4), input_quantizer=None)
    model.layers[0][1]["input_quantizer"] = "xnor_quantizer"
    path = model.save_h5(tmp_path / "net.h5")
    _refused(path, tmp_path, "expected input_quantizer of ste_sign, .*, got xnor_quantizer")


def test_real_convolution_in_a_keras_model_is_refused(tmp_path):
    model = KerasModel((8, 8, 3))
    model.add("Conv2D", {"kernel": model.rng.normal(0, 1, (3, 3, 3, 4))}, use_bias=False)
    path = model.save_h5(tmp_path / "net.h5")
    with pytest.raises(InputError, match="expected binary weights"):
        import_keras(path, tmp_path / "out", input_type="uint8")


def test_missing_weight_is_named(tmp_path):
    model = KerasModel((8, 8, 3))
    model.add("QuantConv2D", {}, kernel_quantizer="ste_sign", use_bias=False)
    path = model.save_h5(tmp_path / "net.h5")
    _refused(path, tmp_path, "quantconv2d_0 .*expected a weight kernel, got none")
