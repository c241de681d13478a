"""What Keras's and Larq's layers compute, channels last, from their documentation.

https://keras.io/api/layers, https://docs.larq.dev/larq/api. A layer gives steps: how its inputs are
quantised, its sum, its activation; each under a name of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bnnsim.reference.graph import Array
from bnnsim.reference.keras.binarynet import KINDS, STEPS, rounded_kernel, stepped
from bnnsim.reference.keras.file import SavedLayer
from bnnsim.reference.keras.norms import batch_norm, normalization
from bnnsim.reference.windows import convolved, maxima, means, same_pads
from bnnsim.spec.faults import InputError


@dataclass(frozen=True)
class Part:
    """One step of a layer on what the part before it gave; ``role`` is empty for the last."""

    role: str
    kind: str
    function: Callable[[Sequence[Array]], Array]
    is_elementwise: bool = False
    is_on_step: Callable[[Sequence[Array]], Array] | None = None


def _word(value: Any) -> str | None:
    """An activation's or a quantiser's name, however it was serialised."""
    while isinstance(value, Mapping):
        value = value.get("class_name") if value.get("class_name") != "function" else value.get("config")
    return None if value is None else str(value).split(">")[-1].replace("_", "").lower()


def sign(x: Array) -> Array:
    """Larq's: +1 on 0."""
    return np.where(x >= 0, 1.0, -1.0)


def _quantised(layer: SavedLayer, key: str, x: Array) -> Array:
    given = layer.config.get(key)
    word, settings = _word(given), given.get("config", {}) if isinstance(given, Mapping) else {}
    if word is None:
        return x
    if word in ("stesign", "approxsign", "swishsign"):
        return sign(x)
    if word == "magnitudeawaresign":
        return np.asarray(sign(x) * np.abs(x).mean(axis=tuple(range(x.ndim - 1))))
    if word == "steheaviside":
        return (x > 0).astype(np.float64)
    if word == "noop":
        return x
    if word in ("dorefa", "dorefaquantizer"):
        return _dorefa(settings, x)
    if word == "stetern":
        step = float(settings.get("threshold_value", 0.05))
        if settings.get("ternary_weight_networks", False):
            step = 0.7 * float(np.abs(x).sum()) / x.size
        return np.asarray(np.sign(np.sign(x + step) + np.sign(x - step)))
    raise InputError(layer.place, f"{key} whose meaning is known", str(layer.config.get(key)))


def _dorefa(settings: Mapping[str, Any], x: Array) -> Array:
    """Larq's DoReFa: the nearest of ``2**k_bit`` equal steps, halves to even."""
    steps = 2.0 ** int(settings.get("k_bit", 2)) - 1
    if settings.get("mode", "activations") == "activations":
        return np.asarray(np.rint(np.clip(x, 0, 1) * steps) / steps)
    bent = np.tanh(x)
    bent = bent / (2 * np.abs(bent).max()) + 0.5
    return np.asarray(2 * np.rint(bent * steps) / steps - 1)


def _weights(layer: SavedLayer, stored: Array) -> Array:
    """The kernel of a convolution or a dense layer as the layer multiplies with it."""
    if layer.kind in KINDS:
        return rounded_kernel(layer.kind, float(layer.config["H"]), stored)
    return _quantised(layer, "kernel_quantizer", stored)


def _input_quantiser(layer: SavedLayer) -> list[Part]:
    if _word(layer.config.get("input_quantizer")) is None:
        return []
    return [_quantiser(layer, "input_quantizer", "input_quantizer")]


def _quantiser(layer: SavedLayer, name: str, key: str) -> Part:
    """The part ``name`` of a layer, the quantiser that its ``key`` says; 0 lies on a sign's step."""

    def on_step(g: Sequence[Array]) -> Array:
        if _word(layer.config.get(key)) in ("dorefa", "dorefaquantizer", "stetern"):
            return np.zeros(g[0].shape, bool)
        return np.asarray(g[0] == 0)

    return Part(name, "quantiser", lambda g: _quantised(layer, key, g[0]), True, on_step)


def _quantiser_layer(layer: SavedLayer) -> list[Part]:
    settings = {"class_name": layer.kind, "config": layer.config}
    alone = replace(layer, config={"quantizer": settings})
    return [_quantiser(alone, "", "quantizer")]


def _activated(layer: SavedLayer) -> list[Part]:
    """The last part of a layer that has an activation."""
    word = _word(layer.config.get("activation"))
    if word in (None, "linear"):
        return [Part("", "Identity", lambda g: g[0], True)]
    if word == "relu":
        return [Part("", "relu", lambda g: np.maximum(g[0], 0.0), True)]
    if word == "relu1":
        return [Part("", "relu", lambda g: np.clip(g[0], 0.0, 1.0), True)]
    if word in STEPS:
        steps = STEPS[word]
        return [
            Part(
                *("", "quantiser", lambda g: stepped(word, g[0]), True),
                lambda g: np.isin(g[0], steps),
            )
        ]
    if word == "relu6":
        return [Part("", "relu", lambda g: np.clip(g[0], 0.0, 6.0), True)]
    if word == "leakyrelu":
        slope = float(np.float32(0.2))
        return [Part("", "relu", lambda g: np.where(g[0] >= 0, g[0], slope * g[0]), True)]
    if word == "hardtanh":
        return [Part("", "hard_tanh", lambda g: np.clip(g[0], -1.0, 1.0), True)]
    if word == "tanh":
        return [Part("", "tanh", lambda g: np.tanh(g[0]), True)]
    if word == "sigmoid":
        return [Part("", "sigmoid", lambda g: 1 / (1 + np.exp(-g[0])), True)]
    if word == "softmax":
        return [Part("", "softmax", lambda g: softmax(g[0]))]
    if word in _QUANTISERS:
        return [_quantiser(layer, "", "activation")]
    raise InputError(layer.place, "an activation whose meaning is known", str(layer.config["activation"]))


def softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def product(given: Sequence[Array]) -> Array:
    """Of a map and its gates; dimensions that one lacks stand behind the batch."""
    rank = max(one.ndim for one in given)
    spread = [one.reshape(len(one), *[1] * (rank - one.ndim), *one.shape[1:]) for one in given]
    return np.asarray(np.prod(np.broadcast_arrays(*spread), axis=0))


_QUANTISERS = (
    *("stesign", "approxsign", "swishsign", "steheaviside", "stetern"),
    *("dorefa", "dorefaquantizer", "noop"),
)


def _is_row(layer: SavedLayer) -> bool:
    """Whether a layer slides along samples ``(n, samples, channels)``."""
    return layer.kind.endswith("1D")


def _sizes(layer: SavedLayer, value: Any) -> list[int]:
    if _is_row(layer):
        return [int(value[0] if isinstance(value, list | tuple) else value), 1]
    return _two(value)


def _two(value: Any) -> list[int]:
    return [int(v) for v in value] if isinstance(value, list | tuple) else [int(value)] * 2


def _slid(layer: SavedLayer, x: Array, kernel: Sequence[int], default: Any) -> dict[str, Any]:
    """Strides, dilations, pads and border of a window layer on ``x`` ``(n, channels, ...)``."""
    strides = _sizes(layer, layer.config.get("strides") or default)
    dilations = _sizes(layer, layer.config.get("dilation_rate", 1))
    pads = [0] * 4
    if layer.config.get("padding") == "causal":
        pads[0] = (kernel[0] - 1) * dilations[0]
    if str(layer.config.get("padding", "valid")).lower() == "same":
        pads = same_pads(x.shape[2:], kernel, strides, dilations)
    return {"strides": strides, "dilations": dilations, "pads": pads}


def _first(x: Array, layer: SavedLayer) -> Array:
    """``(n, channels, rows, columns)``; samples are rows of one column."""
    return np.moveaxis(x[:, :, None] if _is_row(layer) else x, -1, 1)


def _last(x: Array, layer: SavedLayer) -> Array:
    turned = np.moveaxis(x, 1, -1)
    return turned[:, :, 0] if _is_row(layer) else turned


def _kernel(layer: SavedLayer, stored: Array) -> Array:
    return stored[:, None] if _is_row(layer) else stored


def _bias(layer: SavedLayer) -> Array | float:
    return layer.variable("bias", -1) if layer.config.get("use_bias", True) else 0.0


def _conv(layer: SavedLayer) -> list[Part]:
    kernel = _kernel(layer, _weights(layer, layer.variable("kernel", 0)))
    weights, bias = kernel.transpose(3, 2, 0, 1), _bias(layer)
    groups = int(layer.config.get("groups", 1))
    border = float(layer.config.get("pad_values", 0.0))

    def run(g: Sequence[Array]) -> Array:
        x = _first(g[0], layer)
        how = _slid(layer, x, weights.shape[2:], 1)
        return _last(convolved(x, weights, **how, groups=groups, border=border), layer) + bias

    return [*_input_quantiser(layer), Part("sum", "conv", run), *_activated(layer)]


def _depthwise_sum(layer: SavedLayer, kernel: Array) -> Callable[[Sequence[Array]], Array]:
    """``kernel`` ``(rows, columns, channels, multiplier)``: channel c gives its own outputs."""
    rows, columns, channels, multiplier = kernel.shape
    weights = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, rows, columns)
    border = float(layer.config.get("pad_values", 0.0))

    def run(g: Sequence[Array]) -> Array:
        x = _first(g[0], layer)
        how = _slid(layer, x, (rows, columns), 1)
        return _last(convolved(x, weights, **how, groups=channels, border=border), layer)

    return run


def _depthwise(layer: SavedLayer) -> list[Part]:
    names = [key for key, _ in layer.variables]
    stored = layer.variable("depthwise_kernel" if "depthwise_kernel" in names else "kernel", 0)
    run = _depthwise_sum(layer, _kernel(layer, _quantised(layer, "depthwise_quantizer", stored)))
    bias = _bias(layer)
    return [
        *_input_quantiser(layer),
        Part("sum", "conv", lambda g: run(g) + bias),
        *_activated(layer),
    ]


def _separable(layer: SavedLayer) -> list[Part]:
    depth = _quantised(layer, "depthwise_quantizer", layer.variable("depthwise_kernel", 0))
    point = _quantised(layer, "pointwise_quantizer", layer.variable("pointwise_kernel", 1))
    bias = _bias(layer)
    return [
        *_input_quantiser(layer),
        Part("depthwise", "conv", _depthwise_sum(layer, _kernel(layer, depth))),
        Part("sum", "conv", lambda g: g[0] @ point.reshape(point.shape[-2:]) + bias),
        *_activated(layer),
    ]


def _dense(layer: SavedLayer) -> list[Part]:
    kernel = _weights(layer, layer.variable("kernel", 0))
    bias = _bias(layer)
    return [
        *_input_quantiser(layer),
        Part("sum", "dense", lambda g: g[0] @ kernel + bias),
        *_activated(layer),
    ]


def _pool(layer: SavedLayer, is_max: bool) -> list[Part]:
    kernel = _sizes(layer, layer.config.get("pool_size", 2))

    def run(g: Sequence[Array]) -> Array:
        x = _first(g[0], layer)
        how = _slid(layer, x, kernel, kernel)
        return _last((maxima if is_max else means)(x, kernel, **how), layer)

    return [Part("", "pool", run)]


def _global(layer: SavedLayer, reduce: Callable[..., Array]) -> list[Part]:
    keep = bool(layer.config.get("keepdims", False))
    return [Part("", "pool", lambda g: reduce(g[0], axis=tuple(range(1, g[0].ndim - 1)), keepdims=keep))]


def _relu(layer: SavedLayer) -> list[Part]:
    config = layer.config
    most, low = config.get("max_value"), float(config.get("threshold") or 0.0)
    slope = float(config.get("negative_slope") or 0.0)

    def run(g: Sequence[Array]) -> Array:
        y = np.where(g[0] >= low, g[0], slope * (g[0] - low))
        return y if most is None else np.where(g[0] >= most, float(most), y)

    return [Part("", "relu", run, True)]


def _leaky(layer: SavedLayer) -> list[Part]:
    slope = float(np.float32(layer.config.get("alpha", layer.config.get("negative_slope", 0.3))))
    return [Part("", "relu", lambda g: np.where(g[0] >= 0, g[0], slope * g[0]), True)]


def _prelu(layer: SavedLayer) -> list[Part]:
    alpha = layer.variable("alpha", 0)
    return [Part("", "relu", lambda g: np.where(g[0] >= 0, g[0], alpha * g[0]), True)]


def _zero_padding(layer: SavedLayer) -> list[Part]:
    value = layer.config.get("padding", 1)
    pairs = [_two(v) for v in value] if isinstance(value, list | tuple) else [[int(value)] * 2] * 2
    if _is_row(layer):
        pairs = [_two(value)]
    return [Part("", "pad", lambda g: np.pad(g[0], [(0, 0), *map(tuple, pairs), (0, 0)]))]


def _rescaling(layer: SavedLayer) -> list[Part]:
    scale, offset = float(layer.config["scale"]), float(layer.config.get("offset") or 0.0)
    return [Part("", "rescale", lambda g: g[0] * scale + offset, True)]


def _reshape(layer: SavedLayer) -> list[Part]:
    shape = [int(s) for s in layer.config["target_shape"]]
    return [Part("", "Reshape", lambda g: g[0].reshape(len(g[0]), *shape))]


def _same(layer: SavedLayer) -> list[Part]:
    return [Part("", "Identity", lambda g: g[0], True)]


LAYERS: dict[str, Callable[[SavedLayer], list[Part]]] = {
    "Activation": _activated,
    "Add": lambda layer: [Part("", "add", lambda g: np.sum(g, axis=0))],
    "AveragePooling2D": lambda layer: _pool(layer, False),
    "BatchNormalization": lambda layer: [Part("", "batch_norm", batch_norm(layer), True)],
    "Normalization": lambda layer: [Part("", "normalize", normalization(layer), True)],
    "BinaryConv2D": _conv,
    "BinaryDense": _dense,
    "Concatenate": lambda layer: [
        Part("", "concat", lambda g: np.concatenate(g, axis=layer.config.get("axis", -1)))
    ],
    "Conv2D": _conv,
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise,
    "Dropout": _same,
    "DropoutNoScale": _same,
    "Flatten": lambda layer: [Part("", "Flatten", lambda g: g[0].reshape(len(g[0]), -1))],
    "GaussianNoise": _same,
    "GlobalAveragePooling2D": lambda layer: _global(layer, np.mean),
    "GlobalMaxPooling2D": lambda layer: _global(layer, np.max),
    "LeakyReLU": _leaky,
    "MaxPooling2D": lambda layer: _pool(layer, True),
    "Multiply": lambda layer: [Part("", "multiply", product)],
    "PReLU": _prelu,
    "QuantConv2D": _conv,
    "QuantDense": _dense,
    "QuantDepthwiseConv2D": _depthwise,
    "QuantSeparableConv2D": _separable,
    "SeparableConv2D": _separable,
    "ReLU": _relu,
    "Rescaling": _rescaling,
    "Reshape": _reshape,
    "Softmax": lambda layer: [Part("", "softmax", lambda g: softmax(g[0]))],
    "SpatialDropout2D": _same,
    "TernaryConv2D": _conv,
    "TernaryDense": _dense,
    "Subtract": lambda layer: [Part("", "sub", lambda g: g[0] - g[1])],
    "ZeroPadding2D": _zero_padding,
    **dict.fromkeys(
        (
            *("SteSign", "ApproxSign", "SwishSign", "SteHeaviside", "SteTern", "DoReFa", "NoOp"),
            "MagnitudeAwareSign",
        ),
        _quantiser_layer,
    ),
}
LAYERS |= {
    f"{kind}1D": LAYERS[f"{kind}2D"]
    for kind in (
        *("AveragePooling", "Conv", "GlobalAveragePooling", "GlobalMaxPooling", "MaxPooling"),
        *("QuantConv", "QuantSeparableConv", "SeparableConv", "SpatialDropout", "ZeroPadding"),
    )
}
