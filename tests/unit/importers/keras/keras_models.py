"""Models as Keras and Larq save them, written by h5py, with Keras's arithmetic done plainly."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

_SIGN = {"class_name": "SteSign", "config": {"clip_value": 1.0}}


class KerasModel:
    """A Sequential model: layers with their weights, saved as Keras 2 or Keras 3 does."""

    def __init__(self, shape: tuple[int, ...], seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.layers: list[tuple[str, dict[str, Any], dict[str, np.ndarray]]] = []
        self.shape = shape

    def add(self, kind: str, weights: dict[str, np.ndarray] | None = None, **config: Any) -> None:
        if not self.layers:
            config["batch_input_shape"] = [None, *self.shape]
        config.setdefault("name", f"{kind.lower()}_{len(self.layers)}")
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

    def save_keras(self, path: Path, version: str = "2.15.0") -> Path:
        """An archive as Keras of this version writes it; see :func:`saved_groups`."""
        data = io.BytesIO()
        with h5py.File(data, "w") as file:
            if version.startswith("2."):
                file.create_group("vars")
            for group, (_, config, weights) in saved_groups(self.layers, version):
                variables = file.create_group(f"{group}/vars")
                if version.startswith("3.11"):
                    variables.attrs["name"] = config["name"]
                for i, values in enumerate(weights.values()):
                    variables[str(i)] = values
                for key in ("input_quantizer", "kernel_quantizer"):
                    if config.get(key):
                        file.create_group(f"{group}/{key}/vars")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": version}))
            archive.writestr("config.json", json.dumps(self.config()))
            archive.writestr("model.weights.h5", data.getvalue())
        return path

    # ---- Keras's own arithmetic, plainly ---------------------------------------------------

    def scores(self, x: np.ndarray) -> np.ndarray:
        """float64 scores of images ``(n, height, width, channels)`` as Keras and Larq compute them."""
        x = x.astype(np.float64)
        for kind, config, weights in self.layers:
            if config.get("input_quantizer"):
                x = sign(x)
            if kind == "QuantConv2D":
                x = convolved(x, sign(weights["kernel"]), config)
            elif kind == "QuantSeparableConv2D":
                depthwise = sign(weights["depthwise_kernel"])
                maps = [
                    convolved(x[..., c : c + 1], depthwise[:, :, c : c + 1], config)
                    for c in range(x.shape[3])
                ]
                x = np.concatenate(maps, axis=3) @ sign(weights["pointwise_kernel"])[0, 0]
            elif kind == "QuantDense":
                x = x @ sign(weights["kernel"])
            elif kind == "BatchNormalization":
                scale = weights.get("gamma", 1.0) / np.sqrt(
                    weights["moving_variance"].astype(np.float64) + config["epsilon"]
                )
                x = (x - weights["moving_mean"]) * scale + weights["beta"]
            elif kind == "ReLU":
                x = np.where(x >= 0, x, config.get("negative_slope", 0.0) * x)
                x = np.minimum(x, config["max_value"]) if config.get("max_value") is not None else x
            elif kind == "MaxPooling2D":
                n, height, width, channels = x.shape
                x = x.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))
            elif kind == "Flatten":
                x = x.reshape(len(x), -1)
        return x


Layer = tuple[str, dict[str, Any], dict[str, np.ndarray]]
_STEMS = {
    "QuantConv2D": "quant_conv2d",
    "QuantDense": "quant_dense",
    "BatchNormalization": "batch_normalization",
    "QuantSeparableConv2D": "quant_separable_conv2d",
    "ReLU": "re_lu",
    "MaxPooling2D": "max_pooling2d",
}


def saved_groups(layers: list[Layer], version: str) -> list[tuple[str, Layer]]:
    """The groups that ``saving_lib`` of a Keras version makes, each for one layer.

    Keras walks a container of objects, counts classes, and saves what it has not yet visited. Up to
    2.14 the container is the checkpoint's dictionary, in which a layer with weights stands twice;
    2.14 passes over visited objects before it counts. From 2.15 on it is the list of layers.
    """
    container = list(layers)
    root = "layers"
    if version.startswith(("2.12", "2.13", "2.14")):
        root = "_layer_checkpoint_dependencies"
        container = [layer for layer in layers for _ in range(2 if layer[2] else 1)]
    visited: set[int] = set()
    used: dict[str, int] = {}
    found = []
    for layer in container:
        if version.startswith("2.14") and id(layer) in visited:
            continue
        name = _STEMS.get(layer[0], layer[0].lower())
        if name in used:
            used[name] += 1
            name = f"{name}_{used[name]}"
        else:
            used[name] = 0
        if id(layer) not in visited:
            visited.add(id(layer))
            found.append((f"{root}/{name}", layer))
    return found


def sign(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, 1.0, -1.0)


def convolved(x: np.ndarray, kernel: np.ndarray, config: dict[str, Any]) -> np.ndarray:
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


def binarynet(scale: bool, seed: int = 1) -> KerasModel:
    """Larq's BinaryNet in small: raw pixels into binary weights, pools between sums and batch norm."""
    model = KerasModel((10, 10, 3), seed)
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
