"""The trained FracBNN network and its golden outputs, as this package names things."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.golden.networks import trained

FILE = "fracbnn_cifar10.npz"

PARAMETER_KEYS = {
    "thr": "gate_thresholds",
    "bn_scale": "bn_scale",
    "bn_bias": "bn_bias",
    "rprelu_x": "rprelu_x",
    "rprelu_slope": "rprelu_slope",
    "rprelu_y": "rprelu_y",
    "post_scale": "post_scale",
    "post_bias": "post_bias",
}


@cache
def golden() -> dict[str, NDArray[Any]]:
    with np.load(trained(FILE)) as data:
        return {key: data[key] for key in data.files}


def gated_names() -> list[str]:
    """The 18 two-plane convolutions in order."""
    return [f"layer{s}_{b}_conv{c}" for s in (1, 2, 3) for b in range(3) for c in (1, 2)]


def parameters() -> dict[str, NDArray[Any]]:
    """``<layer>.<parameter>`` in the hardware's integers."""
    data = golden()
    arrays: dict[str, NDArray[Any]] = {
        "conv1.weights": data["conv1_w"],
        "bn1.scale": data["conv1_bn_scale_q8"],
        "bn1.bias": data["conv1_bn_bias_q8"],
        "fc.weights": data["fc_w_q8"],
        "fc.bias": data["fc_bias_q8"],
    }
    for name in gated_names():
        arrays[f"{name}.weights"] = data[f"{name}_w"]
        for theirs, ours in PARAMETER_KEYS.items():
            arrays[f"{name}.{ours}"] = data[f"{name}_{theirs}_q8"]
    return arrays


@cache
def parameters_by_layer() -> dict[str, dict[str, NDArray[Any]]]:
    """Parameters by layer, then by name."""
    layers: dict[str, dict[str, NDArray[Any]]] = {}
    for key, array in parameters().items():
        layer, name = key.split(".")
        layers.setdefault(layer, {})[name] = array
    return layers
