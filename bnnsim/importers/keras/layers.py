"""Keras and Larq layers as ONNX operators: one function for each kind of layer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bnnsim.importers.keras.file import KerasLayer
from bnnsim.importers.keras.onnx_builder import OnnxBuilder
from bnnsim.importers.keras.quantisers import (
    activated,
    is_quantiser,
    named,
    quantised,
    quantised_weights,
)
from bnnsim.importers.keras.windows import pair, window
from bnnsim.importers.onnx.graph import Array

Output = tuple[str, tuple[int, ...]]
"""The tensor that a layer makes, and its shape without the batch."""
Handler = Callable[[OnnxBuilder, KerasLayer, tuple[str, ...]], Output]


def _of(c: OnnxBuilder, given: tuple[str, ...]) -> Output:
    return c.tensors[given[0]], c.shapes[given[0]]


def _input_layer(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    if c.input is not None:
        raise layer.fault("one input", "a second one")
    c.read_input(layer)
    return c.tensors[""], c.shapes[""]


def _biased(c: OnnxBuilder, layer: KerasLayer) -> tuple[str, ...]:
    if not layer.config.get("use_bias", True):
        return ()
    return (c.constant(layer, "bias", layer.weight("bias", str(len(layer.weights) - 1))),)


def _conv(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    kernel = quantised_weights(layer, layer.weight("kernel", "0"), "kernel_quantizer")
    x = quantised(c, layer, x, "input_quantizer")
    x, attributes, sizes = window(c, layer, x, shape, kernel.shape[:2], 1)
    weights = c.constant(layer, "kernel", kernel.transpose(3, 2, 0, 1))
    group = int(layer.config.get("groups", 1))
    x = c.op(layer, "Conv", x, weights, *_biased(c, layer), group=group, **attributes)
    return activated(c, layer, x), (kernel.shape[3], *sizes)


def _depthwise(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    stored = layer.weight("depthwise_kernel", "kernel", "0")
    kernel = quantised_weights(layer, stored, "depthwise_quantizer")
    x = quantised(c, layer, x, "input_quantizer")
    x, attributes, sizes = window(c, layer, x, shape, kernel.shape[:2], 1)
    height, width, channels, multiplier = kernel.shape
    rows = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
    weights = c.constant(layer, "depthwise_kernel", rows)
    bias = _biased(c, layer) if layer.kind != "QuantSeparableConv2D" else ()
    x = c.op(layer, "Conv", x, weights, *bias, group=channels, **attributes)
    return x, (channels * multiplier, *sizes)


def _plain_depthwise(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _depthwise(c, layer, given)
    return activated(c, layer, x), shape


def _separable(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    """Depthwise, then pointwise on its sums: Larq quantises nothing in between."""
    x, shape = _depthwise(c, layer, given)
    stored = layer.weight("pointwise_kernel", "1")
    kernel = quantised_weights(layer, stored, "pointwise_quantizer")
    weights = c.constant(layer, "pointwise_kernel", kernel.transpose(3, 2, 0, 1))
    x = c.op(layer, "Conv", x, weights, *_biased(c, layer), kernel_shape=[1, 1])
    return activated(c, layer, x), (kernel.shape[3], *shape[1:])


def _dense(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    kernel = quantised_weights(layer, layer.weight("kernel", "0"), "kernel_quantizer")
    if len(shape) != 1 or kernel.ndim != 2 or kernel.shape[0] != shape[0]:
        raise layer.fault(f"a kernel for {list(shape)}", f"one of shape {list(kernel.shape)}")
    x = quantised(c, layer, x, "input_quantizer")
    x = c.op(layer, "Gemm", x, c.constant(layer, "kernel", kernel), *_biased(c, layer))
    return activated(c, layer, x), (kernel.shape[1],)


def _batch_norm(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    axis = layer.config.get("axis", -1)
    last = axis[0] if isinstance(axis, list) else axis
    if last not in (-1, len(shape)):
        raise layer.fault("a batch norm over channels, which come last", f"axis {axis}")
    order = iter(str(i) for i in range(4))
    columns: list[Array] = []
    for present, name, default in (
        (layer.config.get("scale", True), "gamma", 1.0),
        (layer.config.get("center", True), "beta", 0.0),
        (True, "moving_mean", 0.0),
        (True, "moving_variance", 1.0),
    ):
        if present:
            columns.append(layer.weight(name, next(order)))
        else:
            columns.append(np.full(shape[0], default, np.float32))
    names = [c.constant(layer, "bn", values) for values in columns]
    epsilon = float(layer.config.get("epsilon", 1e-3))
    return c.op(layer, "BatchNormalization", x, *names, epsilon=epsilon), shape


def _pool(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    kernel = pair(layer, layer.config.get("pool_size", 2))
    x, attributes, sizes = window(c, layer, x, shape, kernel, kernel)
    kind = "MaxPool" if layer.kind.startswith("Max") else "AveragePool"
    return c.op(layer, kind, x, **attributes), (shape[0], *sizes)


def _global_average(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    x = c.op(layer, "GlobalAveragePool", x)
    if layer.config.get("keepdims", False):
        return x, (shape[0], 1, 1)
    return c.op(layer, "Flatten", x), shape[:1]


def _flatten(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    """Keras flattens pixel by pixel, channel fastest."""
    x, shape = _of(c, given)
    if len(shape) == 3:
        x = c.op(layer, "Transpose", x, perm=[0, 2, 3, 1])
    return c.op(layer, "Flatten", x), (int(np.prod(shape)),)


def _activation(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    name = named(layer.config.get("activation"))
    if is_quantiser(name):
        return quantised(c, layer, x, "activation"), shape
    return activated(c, layer, x), shape


def _relu(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    return c.op(layer, "Relu", x), shape


def _prelu(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    alpha = layer.weight("alpha", "0")
    slopes = np.broadcast_to(alpha, (*shape[1:], shape[0]) if len(shape) == 3 else shape)
    turned = slopes.transpose(2, 0, 1) if len(shape) == 3 else slopes
    return c.op(layer, "PRelu", x, c.constant(layer, "alpha", turned)), shape


def _add(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x = c.tensors[given[0]]
    for other in given[1:]:
        x = c.op(layer, "Add", x, c.tensors[other])
    return x, c.shapes[given[0]]


def _concatenate(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    shapes = [c.shapes[name] for name in given]
    if layer.config.get("axis", -1) not in (-1, len(shapes[0])):
        raise layer.fault("a concatenation of channels", f"axis {layer.config['axis']}")
    x = c.op(layer, "Concat", *(c.tensors[name] for name in given), axis=1)
    return x, (sum(shape[0] for shape in shapes), *shapes[0][1:])


def _same(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    return _of(c, given)


HANDLERS: dict[str, Handler] = {
    "Activation": _activation,
    "Add": _add,
    "AveragePooling2D": _pool,
    "BatchNormalization": _batch_norm,
    "Concatenate": _concatenate,
    "Conv2D": _conv,
    "Dense": _dense,
    "Dropout": _same,
    "Flatten": _flatten,
    "GlobalAveragePooling2D": _global_average,
    "InputLayer": _input_layer,
    "MaxPooling2D": _pool,
    "PReLU": _prelu,
    "QuantConv2D": _conv,
    "QuantDense": _dense,
    "QuantDepthwiseConv2D": _plain_depthwise,
    "QuantSeparableConv2D": _separable,
    "ReLU": _relu,
    "SpatialDropout2D": _same,
}
