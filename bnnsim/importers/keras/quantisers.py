"""Larq's quantisers and Keras's activation functions as operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnnsim.importers.keras.file import KerasLayer
from bnnsim.importers.keras.onnx_builder import OnnxBuilder
from bnnsim.importers.onnx.graph import Array

_SIGNS = ("ste_sign", "approx_sign", "swish_sign", "SteSign", "ApproxSign", "SwishSign")
_SCALED_SIGNS = ("magnitude_aware_sign", "MagnitudeAwareSign")
_HEAVISIDES = ("ste_heaviside", "SteHeaviside")
_QUANTISERS = (*_SIGNS, *_SCALED_SIGNS, *_HEAVISIDES)


def quantised(builder: OnnxBuilder, layer: KerasLayer, x: str, key: str) -> str:
    """Larq's quantiser of the tensor ``x``: sign(sign(x) + 0.1), which is +1 on zero.

    Raises :class:`InputError` on one whose scale is made at run time.
    """
    kind = _quantiser(layer, key)
    if kind is None:
        return x
    if kind in _HEAVISIDES:
        over = builder.op(layer, "Greater", x, builder.constant(layer, "zero", 0.0))
        return builder.op(layer, "Cast", over, to=1)
    if kind in _SCALED_SIGNS:
        raise layer.fault("an input quantiser without a scale made at run time", kind)
    tenth = builder.constant(layer, "tenth", 0.1)
    return builder.op(layer, "Sign", builder.op(layer, "Add", builder.op(layer, "Sign", x), tenth))


def activated(builder: OnnxBuilder, layer: KerasLayer, x: str) -> str:
    """The layer's activation function on ``x``. Raises :class:`InputError` on an unknown one."""
    name = named(layer.config.get("activation"))
    if name in (None, "linear"):
        return x
    if name == "relu":
        return builder.op(layer, "Relu", x)
    if name == "softmax":
        return builder.op(layer, "Softmax", x, axis=1)
    if name in ("hard_tanh", "HardTanh"):
        bounds = (builder.constant(layer, "bound", v) for v in (-1.0, 1.0))
        return builder.op(layer, "Clip", x, *bounds)
    raise layer.fault("activation linear, relu, hard_tanh or softmax", name)


def quantised_weights(layer: KerasLayer, values: Array, key: str) -> Array:
    """A kernel, of any shape, as its quantiser leaves it; Larq's sign is +1 on zero.

    Raises :class:`InputError` on a quantiser that gives 0.
    """
    name = _quantiser(layer, key)
    if name is None:
        return values
    if name in _HEAVISIDES:
        raise layer.fault("a weight quantiser of -1 and +1", name)
    signs = np.where(values >= 0, 1, -1).astype(np.float32)
    if name in _SCALED_SIGNS:
        axes = tuple(range(values.ndim - 1))
        scaled: Array = signs * np.abs(values).mean(axis=axes, dtype=np.float32)
        return scaled
    return signs


def named(value: Any) -> str | None:
    """The name of an activation or quantiser, written as text or as a configuration."""
    if value is None:
        return None
    if isinstance(value, dict):
        return str(value.get("class_name", value.get("name", ""))).rsplit(">", 1)[-1]
    return str(value).rsplit(">", 1)[-1]


def _quantiser(layer: KerasLayer, key: str) -> str | None:
    name = named(layer.config.get(key))
    if name is None or name in _QUANTISERS:
        return name
    raise layer.fault(f"{key} of {', '.join(_QUANTISERS)}", name)


def is_quantiser(name: str | None) -> bool:
    """Whether an activation is a sign or a step, which Larq's quantisers are."""
    return name in (*_SIGNS, *_HEAVISIDES)
