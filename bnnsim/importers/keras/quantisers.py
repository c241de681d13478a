"""Larq's quantisers and Keras's activation functions as operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bnnsim.importers.foreign.settings import check_settings, shown_value
from bnnsim.importers.keras.onnx_builder import OnnxBuilder
from bnnsim.importers.keras.understood import ACTIVATIONS, LAYERS, QUANTISERS, SIGNS
from bnnsim.importers.keras.unrolling import KerasLayer
from bnnsim.importers.onnx.graph import Array

_ALIASES = {alias: kind for kind, alias in SIGNS.items()} | {"NoOpQuantizer": "NoOp"}
_ALIASES |= {"DoReFaQuantizer": "DoReFa"}
_BIPOLAR = ("SteSign", "ApproxSign", "SwishSign")
_TERNARY_THRESHOLD = 0.05
_KERAS_3_SLOPE = 0.2
"""Of the activation function that is called ``leaky_relu``; the layer LeakyReLU has its own."""


def quantised(builder: OnnxBuilder, layer: KerasLayer, x: str, key: str) -> str:
    """Larq's quantiser of the tensor ``x``: sign(sign(x) + 0.1), which is +1 on zero.

    Raises :class:`InputError` on one whose scale is made at run time, or that is for weights.
    """
    found = _quantiser(layer, key)
    return x if found is None else _made(builder, layer, x, *found, key)


def quantiser_layer(builder: OnnxBuilder, layer: KerasLayer, x: str) -> str:
    """A quantiser that is a layer of its own, on ``x``. Raises :class:`InputError`."""
    return _made(builder, layer, x, layer.kind, layer.config, "a layer")


def _made(
    builder: OnnxBuilder, layer: KerasLayer, x: str, kind: str, options: Mapping[str, Any], role: str
) -> str:
    if kind == "NoOp":
        return x
    if kind == "SteHeaviside":
        over = builder.op(layer, "Greater", x, builder.constant(layer, "zero", 0.0))
        return builder.op(layer, "Cast", over, to=1)
    if kind == "DoReFa" and options.get("mode", "activations") == "activations":
        levels = 2 ** int(options.get("k_bit", 2)) - 1
        x = builder.op(layer, "Mul", x, builder.constant(layer, "levels", levels), role="scaled")
        x = builder.quant(layer, x, int(options.get("k_bit", 2)))
        return builder.op(layer, "Div", x, builder.constant(layer, "levels", levels), role=role)
    if kind == "SteTern" and not options.get("ternary_weight_networks", False):
        step = abs(float(options.get("threshold_value", _TERNARY_THRESHOLD)))
        at = np.array([[np.nextafter(np.float32(-step), np.float32(1)), step]], np.float32)
        return builder.thresholds(layer, x, at, role)
    if kind not in _BIPOLAR:
        as_what = role if role == "a layer" else f"its {role}"
        raise layer.fault(f"a quantiser of inputs as {as_what} (a sign or a step)", kind)
    tenth = builder.constant(layer, "tenth", 0.1)
    if x in builder.padded:  # zeros are +1 too: the border goes around the signs
        inside, pads = builder.padded[x]
        sign = builder.op(layer, "Sign", inside, role="plain_sign")
        above = builder.op(layer, "Add", sign, tenth, role="above")
        signs = builder.op(layer, "Sign", above, role="signs")
        one = builder.constant(layer, "one", 1.0)
        return builder.op(layer, "Pad", signs, pads, one, role="bordered")
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
        more: dict[str, Any] = {"axis": 1} if name == "softmax" else {}
        return builder.op(layer, operators[name], x, **more)
    if name == "leaky_relu":
        return builder.op(layer, "LeakyRelu", x, alpha=_KERAS_3_SLOPE)
    if name in ("binary_tanh", "binary_sigmoid"):  # a half is rounded to 0: what lies above 0 is 1
        over = builder.op(layer, "Greater", x, builder.constant(layer, "zero", 0.0))
        low = builder.constant(layer, "low", -1.0 if name == "binary_tanh" else 0.0)
        return builder.op(layer, "Where", over, builder.constant(layer, "high", 1.0), low)
    if name == "ternary_tanh":
        steps = np.nextafter(np.array([[-0.5, 0.5]], np.float32), np.float32(1))
        return builder.thresholds(layer, x, steps, "levels")
    limits = {"hard_tanh": (-1.0, 1.0), "relu1": (0.0, 1.0), "relu6": (0.0, 6.0)}
    return builder.limited(layer, x, *limits.get(name, (None, None)))


def quantised_weights(layer: KerasLayer, values: Array, key: str) -> tuple[Array, int]:
    """A kernel, of any shape, as its quantiser leaves it, and what its sums are to be divided by.

    Larq's sign is +1 on zero. Raises :class:`InputError` on a quantiser of 0 and 1.
    """
    if "H" in LAYERS[layer.kind].settings:
        return _of_height(layer, values), 1
    found = _quantiser(layer, key)
    if found is None or found[0] == "NoOp":
        return values, 1
    kind, options = found
    if kind == "DoReFa":
        levels = 2 ** int(options.get("k_bit", 2)) - 1
        if options.get("mode", "activations") == "activations":
            return np.round(np.clip(values, 0.0, 1.0) * levels), levels
        limited = np.tanh(values)
        most = np.float32(2.0) * np.abs(limited).max(initial=0)
        within = (limited / most if most else 0 * limited) + np.float32(0.5)
        return 2 * np.round(within * levels) - levels, levels
    if kind == "SteTern":
        threshold = np.float32(options.get("threshold_value", _TERNARY_THRESHOLD))
        if options.get("ternary_weight_networks", False):
            threshold = np.float32(0.7) * np.abs(values).sum(dtype=np.float32) / np.float32(values.size)
        ternary: Array = np.sign(np.sign(values + threshold) + np.sign(values - threshold))
        return ternary, 1
    if kind == "SteHeaviside":
        raise layer.fault("a weight quantiser of -1 and +1", kind)
    signs = np.where(values >= 0, 1, -1).astype(np.float32)
    if kind == "MagnitudeAwareSign":
        axes = tuple(range(values.ndim - 1))
        scaled: Array = signs * np.abs(values).mean(axis=axes, dtype=np.float64)
        return scaled.astype(np.float32), 1
    return signs, 1


def _of_height(layer: KerasLayer, values: Array) -> Array:
    """Weights of a layer of BinaryNet's or TernaryNet's, in the file's own precision: -H and H, where
    what is rounded from a half (0 itself) goes to -H; ternary ones are 0 from above -H / 2 to H / 2."""
    if "H" not in layer.config:
        expected = "its height H (Riptide's layers of that name keep their quantisers outside the file)"
        raise layer.fault(expected, "none")
    height = values.dtype.type(layer.config["H"])
    part = values / height
    if layer.kind.startswith("Ternary"):
        levels = np.where(part > 0.5, 1, np.where(part <= -0.5, -1, 0))
    else:
        half = values.dtype.type(0.5)
        levels = 2 * np.round(np.clip(half * part + half, 0, 1)) - 1
    return np.asarray(levels * height, np.float32)


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
