"""Larq's quantisers and Keras's activation functions as operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bnnsim.importers.foreign.settings import check_settings, shown_value
from bnnsim.importers.keras.file import KerasLayer
from bnnsim.importers.keras.onnx_builder import OnnxBuilder
from bnnsim.importers.keras.understood import ACTIVATIONS, QUANTISERS, SIGNS
from bnnsim.importers.onnx.graph import Array

_ALIASES = {alias: kind for kind, alias in SIGNS.items()} | {"NoOpQuantizer": "NoOp"}
_BIPOLAR = ("SteSign", "ApproxSign", "SwishSign")
_TERNARY_THRESHOLD = 0.05
_KERAS_3_SLOPE = 0.2
"""Of the activation function that is called ``leaky_relu``; the layer LeakyReLU has its own."""


def quantised(builder: OnnxBuilder, layer: KerasLayer, x: str, key: str) -> str:
    """Larq's quantiser of the tensor ``x``: sign(sign(x) + 0.1), which is +1 on zero.

    Raises :class:`InputError` on one whose scale is made at run time, or that is for weights.
    """
    found = _quantiser(layer, key)
    if found is None or found[0] == "NoOp":
        return x
    if found[0] == "SteHeaviside":
        over = builder.op(layer, "Greater", x, builder.constant(layer, "zero", 0.0))
        return builder.op(layer, "Cast", over, to=1)
    if found[0] not in _BIPOLAR:
        raise layer.fault(f"a quantiser of inputs as its {key} (a sign or a step)", found[0])
    tenth = builder.constant(layer, "tenth", 0.1)
    return builder.op(layer, "Sign", builder.op(layer, "Add", builder.op(layer, "Sign", x), tenth))


def activated(builder: OnnxBuilder, layer: KerasLayer, x: str) -> str:
    """The layer's activation function on ``x``. Raises :class:`InputError` on an unknown one."""
    name = _named(layer.config.get("activation"))[0] or "linear"
    if _ALIASES.get(name, name) in QUANTISERS:
        return quantised(builder, layer, x, "activation")
    name = "hard_tanh" if name == "HardTanh" else name
    if name not in ACTIVATIONS:
        expected = f"an activation that is read ({', '.join((*ACTIVATIONS, *SIGNS.values()))})"
        raise layer.fault(expected, shown_value(name))
    operators = {"relu": "Relu", "softmax": "Softmax", "sigmoid": "Sigmoid", "tanh": "Tanh"}
    if name in operators:
        more = {"axis": 1} if name == "softmax" else {}
        return builder.op(layer, operators[name], x, **more)
    if name == "leaky_relu":
        return builder.op(layer, "LeakyRelu", x, alpha=_KERAS_3_SLOPE)
    limits = {"hard_tanh": (-1.0, 1.0), "relu6": (0.0, 6.0)}.get(name, (None, None))
    return builder.limited(layer, x, *limits)


def quantised_weights(layer: KerasLayer, values: Array, key: str) -> Array:
    """A kernel, of any shape, as its quantiser leaves it; Larq's sign is +1 on zero.

    Raises :class:`InputError` on a quantiser of 0 and 1.
    """
    found = _quantiser(layer, key)
    if found is None or found[0] == "NoOp":
        return values
    kind, options = found
    if kind == "SteTern":
        threshold = np.float32(options.get("threshold_value", _TERNARY_THRESHOLD))
        ternary: Array = np.sign(np.sign(values + threshold) + np.sign(values - threshold))
        return ternary
    if kind == "SteHeaviside":
        raise layer.fault("a weight quantiser of -1 and +1", kind)
    signs = np.where(values >= 0, 1, -1).astype(np.float32)
    if kind == "MagnitudeAwareSign":
        axes = tuple(range(values.ndim - 1))
        scaled: Array = signs * np.abs(values).mean(axis=axes, dtype=np.float32)
        return scaled
    return signs


def _named(value: Any) -> tuple[str | None, Mapping[str, Any]]:
    """The name of an activation or quantiser, and its settings, as text or as a configuration.

    Keras 2.13 and later write a function as one of class ``function`` whose config is the name.
    """
    if value is None:
        return None, {}
    if not isinstance(value, dict):
        return str(value).rsplit(">", 1)[-1], {}
    kind = str(value.get("class_name", value.get("name", ""))).rsplit(">", 1)[-1]
    config = value.get("config") or {}
    if kind in ("function", "Functional") and isinstance(config, str):
        return config.rsplit(">", 1)[-1], {}
    return kind, config if isinstance(config, dict) else {"config": config}


def _quantiser(layer: KerasLayer, key: str) -> tuple[str, Mapping[str, Any]] | None:
    """Class and settings of a layer's quantiser, checked. Raises :class:`InputError`."""
    name, options = _named(layer.config.get(key))
    if name is None:
        return None
    kind = _ALIASES.get(name, name)
    if kind not in QUANTISERS:
        known = ", ".join(SIGNS.values())
        raise layer.fault(f"{key} of {known}", shown_value(name))
    check_settings(lambda e, g: layer.fault(f"in its {key} {e}", g), QUANTISERS[kind], options)
    return kind, options
