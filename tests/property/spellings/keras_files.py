"""The same network as Keras and Larq save it: .h5, and archives of several versions.

Layers have names whose counters are out of step with the layers' places: counted from another number,
and with those of one class changed about.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.property.spellings.definition import EPSILON, Block, Conv, Definition, Norm
from tests.unit.importers.keras.keras_models import saved_groups

_QUANTISED = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}
_STEM = {
    "QuantConv2D": "quant_conv2d",
    "BatchNormalization": "batch_normalization",
    "QuantDense": "quant_dense",
    "MaxPooling2D": "max_pooling2d",
}
Layer = tuple[str, dict[str, Any], dict[str, np.ndarray]]


class KerasWriter:
    """``seed`` draws the names and the latent weights, of which only the signs count."""

    def __init__(self, network: Definition, seed: int) -> None:
        self.network, self.rng = network, np.random.default_rng(seed)
        self.layers: list[Layer] = []
        self.inputs: list[list[str]] = []
        self._numbers: dict[str, list[int]] = {}
        channels, height, width = network.shape
        shape = [None, height, width, channels]
        x = self._add("InputLayer", [], {"batch_input_shape": shape, "dtype": "float32"}, {})
        for block in network.blocks:
            x = self._block(x, block)
        x = self._add("Flatten", [x], {}, {})
        x = self._add(
            "QuantDense",
            [x],
            {"units": network.hidden.shape[1], **_QUANTISED},
            self._kernel(network.hidden),
        )
        x = self._norm(x, network.hidden_norm)
        units = {"units": network.last.shape[1], **_QUANTISED}
        self.output = self._add("QuantDense", [x], units, self._kernel(network.last))

    def save_h5(self, path: Path, is_third: bool) -> Path:
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps(self._config(is_third))
            file.attrs["keras_version"] = "3.5.0" if is_third else "2.15.0"
            store = file.create_group("model_weights")
            for _, config, weights in self.layers:
                group = store.create_group(config["name"])
                ending = "" if is_third else ":0"
                keys = [f"{config['name']}/{key}{ending}" for key in weights]
                group.attrs["weight_names"] = [key.encode() for key in keys]
                for key, values in zip(keys, weights.values(), strict=True):
                    group[key] = values
        return path

    def save_archive(self, path: Path, version: str) -> Path:
        data = io.BytesIO()
        with h5py.File(data, "w") as file:
            for group, (_, _, weights) in saved_groups(self.layers, version):
                variables = file.create_group(f"{group}/vars")
                for i, values in enumerate(weights.values()):
                    variables[str(i)] = values
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": version}))
            archive.writestr("config.json", json.dumps(self._config(version.startswith("3"))))
            archive.writestr("model.weights.h5", data.getvalue())
        return path

    def _block(self, x: str, block: Block) -> str:
        made = [self._conv(x, conv) for conv in block.convs]
        y = made[0] if len(made) == 1 else self._add("Add", made, {}, {})
        if block.has_pool:
            sizes = {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}
            y = self._add("MaxPooling2D", [y], sizes, {})
        return self._norm(y, block.norm)

    def _conv(self, x: str, conv: Conv) -> str:
        config = {
            "filters": len(conv.weights),
            "kernel_size": list(conv.weights.shape[2:]),
            "strides": list(conv.stride),
            "padding": "same" if conv.is_same else "valid",
            "pad_values": conv.border,
            **_QUANTISED,
        }
        return self._add(
            "QuantConv2D", [x], config, self._kernel(conv.weights.transpose(2, 3, 1, 0))
        )

    def _norm(self, x: str, norm: Norm) -> str:
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        weights = dict(zip(names, norm.columns, strict=True))
        config = {"axis": [-1], "epsilon": EPSILON, "center": True, "scale": True}
        return self._add("BatchNormalization", [x], config, weights)

    def _kernel(self, signs: np.ndarray) -> dict[str, np.ndarray]:
        latent = signs * self.rng.uniform(0.01, 1, signs.shape)
        return {"kernel": latent.astype(np.float32)}

    def _add(
        self, kind: str, inputs: list[str], config: dict[str, Any], weights: dict[str, np.ndarray]
    ) -> str:
        stem = _STEM.get(kind, kind.lower())
        if stem not in self._numbers:
            start = int(self.rng.integers(0, 3))
            self._numbers[stem] = self.rng.permutation(np.arange(start, start + 12)).tolist()
        number = self._numbers[stem].pop()
        name = f"{stem}_{number}" if number else stem
        self.layers.append((kind, {"name": name, **config}, weights))
        self.inputs.append(inputs)
        return name

    def _config(self, is_third: bool) -> dict[str, Any]:
        entries = []
        for (kind, config, _), inputs in zip(self.layers, self.inputs, strict=True):
            entry: dict[str, Any] = {"class_name": f"Larq>{kind}" if "Quant" in kind else kind}
            if is_third:
                given = [
                    {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}
                    for name in inputs
                ]
                arguments = [given] if len(given) > 1 else given
                nodes: list[Any] = [{"args": arguments, "kwargs": {}}] if inputs else []
                config = {
                    ("batch_shape" if k == "batch_input_shape" else k): v for k, v in config.items()
                }
            else:
                nodes = [[[name, 0, 0, {}] for name in inputs]] if inputs else []
            entries.append(
                {**entry, "config": config, "name": config["name"], "inbound_nodes": nodes}
            )
        whole = {
            "name": "net",
            "layers": entries,
            "input_layers": [[self.layers[0][1]["name"], 0, 0]],
            "output_layers": [[self.output, 0, 0]],
        }
        return {"class_name": "Functional", "config": whole}
