"""Larq models as Keras saves them, written here by h5py: imported, equal to Keras arithmetic."""

from __future__ import annotations

import io
import json
import zipfile
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

_SIGN = {"class_name": "SteSign", "config": {"clip_value": 1.0}}


class _Model:
    """A Sequential model: layers with their weights, saved as Keras 2 or Keras 3 does."""

    def __init__(self, shape: tuple[int, ...], seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.layers: list[tuple[str, dict[str, Any], dict[str, np.ndarray]]] = []
        self.shape = shape

    def add(self, kind: str, weights: dict[str, np.ndarray] | None = None, **config: Any) -> None:
        if not self.layers:
            config["batch_input_shape"] = [None, *self.shape]
        config["name"] = f"{kind.lower()}_{len(self.layers)}"
        stored = {key: value.astype(np.float32) for key, value in (weights or {}).items()}
        self.layers.append((kind, config, stored))

    def conv(self, kernel: tuple[int, int, int, int], quantise_input: bool = True, **more: Any) -> None:
        config = {"kernel_quantizer": "ste_sign", "use_bias": False, "filters": kernel[3], **more}
        config["input_quantizer"] = _SIGN if quantise_input else None
        self.add("QuantConv2D", {"kernel": self.rng.normal(0, 1, kernel)}, **config)

    def batch_norm(self, channels: int, scale: bool, spread: float) -> None:
        weights = {"gamma": self.rng.normal(0, 1, channels)} if scale else {}
        weights |= {
            "beta": self.rng.normal(0, 0.5, channels),
            "moving_mean": self.rng.normal(0, spread / 2, channels),
            "moving_variance": self.rng.uniform(0.5, 2, channels) * spread**2,
        }
        self.add("BatchNormalization", weights, axis=[-1], scale=scale, center=True, epsilon=1e-3)

    def dense(self, inputs: int, outputs: int) -> None:
        config = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}
        self.add("QuantDense", {"kernel": self.rng.normal(0, 1, (inputs, outputs))}, **config)

    def config(self) -> dict[str, Any]:
        entries = [
            {"class_name": f"Larq>{kind}" if "Quant" in kind else kind, "config": config}
            for kind, config, _ in self.layers
        ]
        return {"class_name": "Sequential", "config": {"name": "net", "layers": entries}}

    def save_h5(self, path: Path) -> Path:
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps(self.config())
            for _, config, weights in self.layers:
                group = file.create_group(f"model_weights/{config['name']}")
                names = [f"{config['name']}/{key}:0" for key in weights]
                group.attrs["weight_names"] = [name.encode() for name in names]
                for name, values in zip(names, weights.values(), strict=True):
                    group[name] = values
        return path

    def save_keras(self, path: Path) -> Path:
        numbers: dict[str, int] = {}
        names = {
            "QuantConv2D": "quant_conv2d",
            "QuantDense": "quant_dense",
            "BatchNormalization": "batch_normalization",
        }
        data = io.BytesIO()
        with h5py.File(data, "w") as file:
            for kind, _, weights in self.layers:
                number = numbers.get(kind, 0)
                numbers[kind] = number + 1
                name = names.get(kind, kind.lower()) + (f"_{number}" if number else "")
                for i, values in enumerate(weights.values()):
                    file[f"layers/{name}/vars/{i}"] = values
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", json.dumps(self.config()))
            archive.writestr("model.weights.h5", data.getvalue())
        return path

    # ---- Keras's own arithmetic, plainly ---------------------------------------------------

    def scores(self, x: np.ndarray) -> np.ndarray:
        """float64 scores of images ``(n, height, width, channels)`` as Keras and Larq compute them."""
        x = x.astype(np.float64)
        for kind, config, weights in self.layers:
            if config.get("input_quantizer"):
                x = _sign(x)
            if kind == "QuantConv2D":
                x = _convolved(x, _sign(weights["kernel"]), config)
            elif kind == "QuantSeparableConv2D":
                depthwise = _sign(weights["depthwise_kernel"])
                maps = [
                    _convolved(x[..., c : c + 1], depthwise[:, :, c : c + 1], config)
                    for c in range(x.shape[3])
                ]
                x = np.concatenate(maps, axis=3) @ _sign(weights["pointwise_kernel"])[0, 0]
            elif kind == "QuantDense":
                x = x @ _sign(weights["kernel"])
            elif kind == "BatchNormalization":
                scale = weights.get("gamma", 1.0) / np.sqrt(
                    weights["moving_variance"].astype(np.float64) + config["epsilon"]
                )
                x = (x - weights["moving_mean"]) * scale + weights["beta"]
            elif kind == "MaxPooling2D":
                n, height, width, channels = x.shape
                x = x.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))
            elif kind == "Flatten":
                x = x.reshape(len(x), -1)
        return x


def _sign(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, 1.0, -1.0)


def _convolved(x: np.ndarray, kernel: np.ndarray, config: dict[str, Any]) -> np.ndarray:
    height, width = kernel.shape[:2]
    stride = config.get("strides", [1, 1])[0]
    rows, columns = x.shape[1:3]
    if config.get("padding") == "same":
        out_rows, out_columns = -(-rows // stride), -(-columns // stride)
        down = max(0, (out_rows - 1) * stride + height - rows)
        right = max(0, (out_columns - 1) * stride + width - columns)
        border = ((0, 0), (down // 2, down - down // 2), (right // 2, right - right // 2), (0, 0))
        x = np.pad(x, border, constant_values=config.get("pad_values", 0.0))
    else:
        out_rows, out_columns = (rows - height) // stride + 1, (columns - width) // stride + 1
    out = np.zeros((len(x), out_rows, out_columns, kernel.shape[3]))
    for i in range(out_rows):
        for j in range(out_columns):
            window = x[:, i * stride : i * stride + height, j * stride : j * stride + width]
            out[:, i, j] = np.tensordot(window, kernel, axes=3)
    return out


def _binarynet(scale: bool, seed: int = 1) -> _Model:
    """Larq's BinaryNet in small: raw pixels into binary weights, pools between sums and batch norm."""
    model = _Model((10, 10, 3), seed)
    model.conv((3, 3, 3, 8), quantise_input=False, padding="same")
    model.batch_norm(8, scale, 4)
    model.conv((3, 3, 8, 16), padding="same", pad_values=1.0)
    model.add("MaxPooling2D", pool_size=[2, 2], strides=[2, 2], padding="valid")
    model.batch_norm(16, scale, 8)
    model.add("Flatten")
    model.dense(5 * 5 * 16, 12)
    model.batch_norm(12, scale, 15)
    model.dense(12, 5)
    return model


def _scores(imported: Any, images: np.ndarray) -> np.ndarray:
    network = resolve_network(imported.workload)
    parameters = load_parameters(network, imported.weights_path)
    return execute(network, parameters, frames_from_images(network, images)).scores


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("form", ["h5", "keras"])
def test_binarynet_scores_equal_keras_arithmetic(form, scale, tmp_path):
    model = _binarynet(scale)
    path = tmp_path / f"binarynet.{form}"
    (model.save_h5 if form == "h5" else model.save_keras)(path)
    imported = import_keras(path, tmp_path, input_type="uint8", image_range=(0, 255))
    images = np.random.default_rng(3).integers(0, 256, (40, 10, 10, 3), np.uint8)
    expected = model.scores(images)
    assert np.array_equal(_scores(imported, images.transpose(0, 3, 1, 2)), expected)
    report = check_model(path, imported.workload_path, random_inputs=40)
    assert report.is_equal, str(report)


def test_separable_convolution_quantises_nothing_between_its_halves(tmp_path):
    model = _Model((8, 8, 4), seed=2)
    weights = {
        "depthwise_kernel": model.rng.normal(0, 1, (3, 3, 4, 1)),
        "pointwise_kernel": model.rng.normal(0, 1, (1, 1, 4, 6)),
    }
    quantisers = dict.fromkeys(
        ("input_quantizer", "depthwise_quantizer", "pointwise_quantizer"), "ste_sign"
    )
    model.add("QuantSeparableConv2D", weights, use_bias=False, strides=[1, 1], **quantisers)
    model.batch_norm(6, True, 10)
    model.add("Flatten")
    model.dense(6 * 36, 3)
    path = model.save_h5(tmp_path / "separable.h5")
    imported = import_keras(path, tmp_path, image_range=(-1, 1))
    images = np.random.default_rng(4).integers(0, 256, (30, 8, 8, 4), np.uint8)
    expected = model.scores(images / 255.0 * 2 - 1)
    assert np.array_equal(_scores(imported, images.transpose(0, 3, 1, 2)), expected)


def test_functional_model_with_a_shortcut(tmp_path):
    model = _Model((6, 6, 4), seed=5)
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
    x = _sign(images / 255.0 * 2 - 1)
    border = {"padding": "same", "pad_values": 1.0}
    total = _convolved(x, _sign(kernel), border) + _convolved(x, _sign(-kernel[::-1]), border)
    expected = _sign(total).reshape(20, -1) @ _sign(dense)
    assert np.array_equal(_scores(imported, images.transpose(0, 3, 1, 2)), expected)


def _refused(path: Path, tmp_path: Path, match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        import_keras(path, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_truncated_keras_file(tmp_path):
    path = _binarynet(False).save_h5(tmp_path / "net.h5")
    path.write_bytes(path.read_bytes()[:900])
    _refused(path, tmp_path, "net.h5: expected a whole Keras file")


def test_weights_without_a_structure(tmp_path):
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file["kernel"] = np.zeros(3)
    _refused(
        tmp_path / "net.h5", tmp_path, "expected a model saved with its structure, got weights alone"
    )


def test_layer_that_cannot_be_imported_is_named_with_its_near_miss(tmp_path):
    model = _Model((8, 8, 3))
    model.conv((3, 3, 3, 4))
    model.add("MaxPooling1D")
    path = model.save_h5(tmp_path / "net.h5")
    _refused(path, tmp_path, r"maxpooling1d_1: expected a layer .* \(nearest: MaxPooling2D")


def test_quantiser_of_several_bits_is_refused_by_name(tmp_path):
    model = _Model((8, 8, 3))
    model.conv((3, 3, 3, 4), input_quantizer=None)
    model.layers[0][1]["input_quantizer"] = "dorefa_quantizer"
    path = model.save_h5(tmp_path / "net.h5")
    _refused(path, tmp_path, "expected input_quantizer of ste_sign, .*, got dorefa_quantizer")


def test_real_convolution_in_a_keras_model_is_refused(tmp_path):
    model = _Model((8, 8, 3))
    model.add("Conv2D", {"kernel": model.rng.normal(0, 1, (3, 3, 3, 4))}, use_bias=False)
    path = model.save_h5(tmp_path / "net.h5")
    with pytest.raises(InputError, match="expected binary weights"):
        import_keras(path, tmp_path / "out", input_type="uint8")


def test_missing_weight_is_named(tmp_path):
    model = _Model((8, 8, 3))
    model.add("QuantConv2D", {}, kernel_quantizer="ste_sign", use_bias=False)
    path = model.save_h5(tmp_path / "net.h5")
    _refused(path, tmp_path, "quantconv2d_0 .*expected a weight kernel or 0, got none")
