"""Keras and Larq layers as ONNX operators: one function for each kind of layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bnnsim.importers.keras.onnx_builder import OnnxBuilder
from bnnsim.importers.keras.quantisers import (
    activated,
    quantised,
    quantised_weights,
    quantiser_layer,
)
from bnnsim.importers.keras.understood import LAYERS, QUANTISERS
from bnnsim.importers.keras.unrolling import KerasLayer
from bnnsim.importers.keras.windows import four_sides, is_of_samples, pair, window
from bnnsim.importers.onnx.graph import Array

Output = tuple[str, tuple[int, ...]]
"""The tensor that a layer makes, and its shape without the batch."""
Handler = Callable[[OnnxBuilder, KerasLayer, tuple[str, ...]], Output]


def _of(c: OnnxBuilder, given: tuple[str, ...]) -> Output:
    return c.tensors[given[0]], c.shapes[given[0]]


def _map_of(
    c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]
) -> tuple[str, tuple[int, int, int]]:
    """A map, or a row of samples as one of one column, as ``(channels, rows, columns)``."""
    x, shape = _of(c, given)
    if is_of_samples(layer) and len(shape) == 2:
        return x, (shape[0], shape[1], 1)
    if is_of_samples(layer) or len(shape) != 3:
        wanted = "(samples, channels)" if is_of_samples(layer) else "a map (height, width, channels)"
        raise layer.fault(wanted, f"shape {list(shape)}")
    return x, (shape[0], shape[1], shape[2])


def _as(layer: KerasLayer, channels: int, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """What a layer makes, as its shape stands in the builder."""
    return (channels, sizes[0]) if is_of_samples(layer) else (channels, *sizes)


def _stored(layer: KerasLayer, name: str, size: tuple[int, int], rest: tuple[int, int]) -> Array:
    """A kernel ``(rows, columns, ...)``; one of samples has no columns in the file."""
    if is_of_samples(layer):
        return layer.weight(name, (size[0], *rest))[:, None]
    return layer.weight(name, (*size, *rest))


def _check_channel_axis(layer: KerasLayer, rank: int, axis: object) -> None:
    """``rank``: dimensions without the batch, channels last."""
    one = axis[0] if isinstance(axis, list | tuple) and len(axis) == 1 else axis
    if one not in (-1, rank):
        raise layer.fault("axis of the channels, which come last", axis)


def _input_layer(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    if c.input is not None:
        raise layer.fault("one input", "a second one")
    c.read_input(layer)
    return c.tensors[""], c.shapes[""]


def _biased(c: OnnxBuilder, layer: KerasLayer, out: int) -> tuple[str, ...]:
    if "bias" not in layer.weights:
        return ()
    return (c.constant(layer, "bias", layer.weight("bias", (out,))),)


def _conv(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _map_of(c, layer, given)
    stored = layer.weights["kernel"]
    group = int(layer.config.get("groups", 1))
    size = pair(layer, layer.config.get("kernel_size", stored.shape[:-2]))
    filters = int(layer.config.get("filters", stored.shape[-1]))
    stored = _stored(layer, "kernel", size, (shape[0] // group, filters))
    kernel, levels = quantised_weights(layer, stored, "kernel_quantizer")
    x = quantised(c, layer, x, "input_quantizer")
    x, attributes, sizes = window(c, layer, x, shape, size, 1)
    weights = c.constant(layer, "kernel", kernel.transpose(3, 2, 0, 1))
    x = _summed(c, layer, ("Conv", x, weights), filters, levels, group=group, **attributes)
    return activated(c, layer, x), _as(layer, filters, sizes)


def _summed(
    c: OnnxBuilder,
    layer: KerasLayer,
    product: tuple[str, str, str],
    out: int,
    levels: int,
    **attributes: Any,
) -> str:
    """A product with weights that were multiplied by ``levels``, and the layer's bias on it."""
    kind, x, weights = product
    if levels == 1:
        return c.op(layer, kind, x, weights, *_biased(c, layer, out), **attributes)
    x = c.op(layer, kind, x, weights, role="products", **attributes)
    has_bias = "bias" in layer.weights
    divided = "divided" if has_bias else "sum"
    x = c.op(layer, "Div", x, c.constant(layer, "levels", levels), role=divided)
    if not has_bias:
        return x
    shape = (1, out, 1, 1) if kind == "Conv" else (1, out)
    bias = layer.weight("bias", (out,)).reshape(shape)
    return c.op(layer, "Add", x, c.constant(layer, "bias", bias), role="sum")


def _depthwise(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...], is_whole: bool) -> Output:
    x, shape = _map_of(c, layer, given)
    stored = layer.weights["depthwise_kernel"]
    size = pair(layer, layer.config.get("kernel_size", stored.shape[:-2]))
    multiplier = int(layer.config.get("depth_multiplier", 1))
    stored = _stored(layer, "depthwise_kernel", size, (shape[0], multiplier))
    kernel, levels = quantised_weights(layer, stored, "depthwise_quantizer")
    x = quantised(c, layer, x, "input_quantizer")
    x, attributes, sizes = window(c, layer, x, shape, size, 1)
    rows = kernel.transpose(2, 3, 0, 1).reshape(shape[0] * multiplier, 1, *size)
    weights = c.constant(layer, "depthwise_kernel", rows)
    attributes["group"] = shape[0]
    if is_whole:
        x = _summed(c, layer, ("Conv", x, weights), len(rows), levels, **attributes)
    else:
        role = "depthwise" if levels == 1 else "products"
        x = c.op(layer, "Conv", x, weights, role=role, **attributes)
        if levels > 1:
            x = c.op(layer, "Div", x, c.constant(layer, "levels", levels), role="depthwise")
    return x, (len(rows), *sizes)


def _plain_depthwise(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _depthwise(c, layer, given, True)
    return activated(c, layer, x), shape


def _separable(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    """Depthwise, then pointwise on its sums: Larq quantises nothing in between."""
    x, shape = _depthwise(c, layer, given, False)
    filters = int(layer.config.get("filters", layer.weights["pointwise_kernel"].shape[-1]))
    stored = _stored(layer, "pointwise_kernel", (1, 1), (shape[0], filters))
    kernel, levels = quantised_weights(layer, stored, "pointwise_quantizer")
    weights = c.constant(layer, "pointwise_kernel", kernel.transpose(3, 2, 0, 1))
    x = _summed(c, layer, ("Conv", x, weights), filters, levels, kernel_shape=[1, 1])
    return activated(c, layer, x), _as(layer, filters, shape[1:])


def _dense(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    """Of a map Keras takes the channels of each pixel: a convolution of 1 x 1."""
    x, shape = _of(c, given)
    units = int(layer.config.get("units", layer.weights["kernel"].shape[-1]))
    stored = layer.weight("kernel", (shape[0], units))
    kernel, levels = quantised_weights(layer, stored, "kernel_quantizer")
    x = quantised(c, layer, x, "input_quantizer")
    if len(shape) == 1:
        x = _summed(c, layer, ("Gemm", x, c.constant(layer, "kernel", kernel)), units, levels)
        return activated(c, layer, x), (units,)
    weights = c.constant(layer, "kernel", kernel.T[:, :, None, None])
    x = _summed(c, layer, ("Conv", x, weights), units, levels, kernel_shape=[1, 1])
    return activated(c, layer, x), (units, *shape[1:])


def _batch_norm(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    _check_channel_axis(layer, len(shape), layer.config.get("axis", -1))
    columns: list[Array] = []
    defaults = {"gamma": 1.0, "beta": 0.0, "moving_mean": 0.0, "moving_variance": 1.0}
    for name, default in defaults.items():
        if name in layer.weights:
            columns.append(layer.weight(name, shape[:1]))
        else:
            columns.append(np.full(shape[0], default, np.float32))
    names = [c.constant(layer, "bn", values) for values in columns]
    epsilon = float(layer.config.get("epsilon", 1e-3))
    return c.op(layer, "BatchNormalization", x, *names, epsilon=epsilon), shape


def _pool(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _map_of(c, layer, given)
    kernel = pair(layer, layer.config.get("pool_size", 2))
    stride = kernel[0] if is_of_samples(layer) else kernel
    x, attributes, sizes = window(c, layer, x, shape, kernel, stride)
    kind = "MaxPool" if layer.kind.startswith("Max") else "AveragePool"
    return c.op(layer, kind, x, **attributes), _as(layer, shape[0], sizes)


def _global_pool(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _map_of(c, layer, given)
    x = global_pool(c, layer, x, shape, "Max" in layer.kind)
    if layer.config.get("keepdims", False):
        return x, _as(layer, shape[0], (1, 1))
    return c.op(layer, "Flatten", x), shape[:1]


def global_pool(c: OnnxBuilder, layer: KerasLayer, x: str, shape: tuple[int, ...], is_max: bool) -> str:
    """The mean or the greatest of each channel of a map of ``shape``."""
    if is_max:
        return c.op(layer, "MaxPool", x, kernel_shape=list(shape[1:]), strides=list(shape[1:]))
    return c.op(layer, "GlobalAveragePool", x)


def _flatten(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    """Keras flattens pixel by pixel, channel fastest."""
    x, shape = _of(c, given)
    if len(shape) > 1:
        x = c.op(layer, "Transpose", x, perm=[0, 2, 3, 1])
    return c.op(layer, "Flatten", x), (int(np.prod(shape)),)


def _reshape(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    """In Keras's order of elements, channels last. Raises :class:`InputError`."""
    (x, shape), target = _of(c, given), layer.config.get("target_shape")
    count = int(np.prod(shape))
    sizes = [int(size) for size in target] if isinstance(target, list | tuple) else []
    if sizes.count(-1) == 1:
        known = int(np.prod([size for size in sizes if size != -1]))
        sizes[sizes.index(-1)] = count // max(1, known)
    if not 1 <= len(sizes) <= 3 or min(sizes) < 1 or int(np.prod(sizes)) != count:
        raise layer.fault(f"a shape of {count} elements in at most 3 dimensions", target)
    if len(shape) > 1:
        x = c.op(layer, "Transpose", x, perm=[0, 2, 3, 1])
    whole = [sizes[0], 1, sizes[1]] if len(sizes) == 2 else sizes
    x = c.op(layer, "Reshape", x, c.constant(layer, "shape", [1, *whole], np.int64))
    if len(sizes) == 1:
        return x, (count,)
    return c.op(layer, "Transpose", x, perm=[0, 3, 1, 2]), (sizes[-1], *sizes[:-1])


def _zero_padding(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _map_of(c, layer, given)
    top, bottom, left, right = four_sides(layer, layer.config.get("padding", 1))
    full = [0, 0, top, left, 0, 0, bottom, right]
    pads = c.constant(layer, "pads", full, np.int64)
    inside, x = x, c.op(layer, "Pad", x, pads, c.constant(layer, "zero", 0.0))
    c.padded[x] = inside, pads
    return x, _as(layer, shape[0], (shape[1] + top + bottom, shape[2] + left + right))


def _activation(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    return activated(c, layer, x), shape


def _relu(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    """``x``, ``negative_slope * x`` below 0, at most ``max_value``."""
    x, shape = _of(c, given)
    slope = layer.config.get("negative_slope") or 0.0
    x = c.op(layer, "LeakyRelu", x, alpha=float(slope)) if slope else c.op(layer, "Relu", x)
    return c.limited(layer, x, None, layer.config.get("max_value")), shape


def _leaky_relu(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    slope = layer.config.get("negative_slope", layer.config.get("alpha", 0.3))
    return c.op(layer, "LeakyRelu", x, alpha=float(slope)), shape


def _prelu(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    last = (*shape[1:], shape[0])
    alpha = layer.weights["alpha"]
    shared = len(alpha.shape) == len(last) and all(
        a in (1, b) for a, b in zip(alpha.shape, last, strict=True)
    )
    if not shared:
        raise layer.fault(f"slopes for {list(last)}, or 1 where they are shared", list(alpha.shape))
    slopes = np.broadcast_to(alpha, last)
    turned = np.moveaxis(slopes, -1, 0)
    turned = turned[:, :, None] if len(shape) == 2 else turned
    return c.op(layer, "PRelu", x, c.constant(layer, "alpha", turned)), shape


def _softmax(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    _check_channel_axis(layer, len(shape), layer.config.get("axis", -1))
    return c.op(layer, "Softmax", x, axis=1), shape


def _rescaling(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    x = c.op(layer, "Mul", x, c.constant(layer, "scale", layer.config["scale"]))
    return c.op(layer, "Add", x, c.constant(layer, "offset", layer.config.get("offset", 0.0))), shape


def _normalization(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    """By a mean and a variance that are settings, or were found in data beforehand; one a channel."""
    x, shape = _of(c, given)
    axis = layer.config.get("axis", -1)
    if axis not in (None, [], ()):
        _check_channel_axis(layer, len(shape), axis)
    told = {key: layer.config.get(key) for key in ("mean", "variance")}
    values = []
    for key, value in told.items():
        numbers = np.asarray(layer.weights[key] if value is None else value, np.float32).reshape(-1)
        if len(numbers) not in (1, shape[0]):
            raise layer.fault(f"a {key} of 1 or {shape[0]} numbers", len(numbers))
        values.append(numbers.reshape(-1, *[1] * (len(shape) - 1)))
    spread = np.maximum(np.sqrt(values[1]), np.float32(1e-7))
    kinds = ("Mul", "Add") if layer.config.get("invert") else ("Div", "Sub")
    steps = [(kinds[0], "spread", spread), (kinds[1], "mean", values[0])]
    for kind, role, numbers in steps if layer.config.get("invert") else steps[::-1]:
        x = c.op(layer, kind, x, c.constant(layer, role, numbers))
    return x, shape


def _add(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    shapes = [c.shapes[name] for name in given]
    if len(set(shapes)) > 1:
        raise layer.fault("inputs of one shape", ", ".join(str(list(shape)) for shape in shapes))
    x = c.tensors[given[0]]
    for other in given[1:]:
        x = c.op(layer, "Add", x, c.tensors[other])
    return x, shapes[0]


def _subtract(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    if len(given) != 2 or c.shapes[given[0]] != c.shapes[given[1]]:
        raise layer.fault("two inputs of one shape", ", ".join(str(list(c.shapes[n])) for n in given))
    return c.op(layer, "Sub", *(c.tensors[name] for name in given)), c.shapes[given[0]]


def _multiply(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    """Maps and their gates: one number a channel (as features too), a position or a frame."""
    x, shape = _of(c, given[:1])
    for other in given[1:]:
        y, gate = _of(c, (other,))
        small, large = sorted((shape, gate), key=lambda one: (len(one), np.prod(one)))
        if len(small) == 1 and len(large) > 1:  # Keras puts rows and columns in front of channels
            axes = c.constant(layer, "axes", [2, 3], np.int64)
            flat, full = (x, y) if small == shape else (y, x)
            x, y = full, c.op(layer, "Unsqueeze", flat, axes, role=f"spread{len(c.nodes)}")
            small = (*small, *[1] * (len(large) - 1))
        pairs = zip(small, large, strict=False)
        if len(small) != len(large) or any(one not in (1, size) for one, size in pairs):
            raise layer.fault("a map and its gate", f"{list(shape)}, {list(gate)}")
        x, shape = c.op(layer, "Mul", x, y), large
    return x, shape


def _quantiser(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    x, shape = _of(c, given)
    return quantiser_layer(c, layer, x), shape


def _concatenate(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    shapes = [c.shapes[name] for name in given]
    _check_channel_axis(layer, len(shapes[0]), layer.config.get("axis", -1))
    x = c.op(layer, "Concat", *(c.tensors[name] for name in given), axis=1)
    return x, (sum(shape[0] for shape in shapes), *shapes[0][1:])


def _same(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    return _of(c, given)


HANDLERS: dict[str, Handler] = {
    "Activation": _activation,
    "Add": _add,
    "AveragePooling2D": _pool,
    "BatchNormalization": _batch_norm,
    "BinaryConv2D": _conv,
    "BinaryDense": _dense,
    "Concatenate": _concatenate,
    "Conv2D": _conv,
    "Dense": _dense,
    "DepthwiseConv2D": _plain_depthwise,
    "Dropout": _same,
    "DropoutNoScale": _same,
    "Flatten": _flatten,
    "GaussianNoise": _same,
    "GlobalAveragePooling2D": _global_pool,
    "InputLayer": _input_layer,
    "LeakyReLU": _leaky_relu,
    "MaxPooling2D": _pool,
    "Multiply": _multiply,
    "PReLU": _prelu,
    "QuantConv2D": _conv,
    "QuantDense": _dense,
    "QuantDepthwiseConv2D": _plain_depthwise,
    "QuantSeparableConv2D": _separable,
    "SeparableConv2D": _separable,
    "ReLU": _relu,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
    "Softmax": _softmax,
    "SpatialDropout2D": _same,
    "ZeroPadding2D": _zero_padding,
    "GlobalMaxPooling2D": _global_pool,
    "Reshape": _reshape,
    "Subtract": _subtract,
    "TernaryConv2D": _conv,
    "TernaryDense": _dense,
    **dict.fromkeys(QUANTISERS, _quantiser),
}
HANDLERS |= {kind: HANDLERS[f"{kind.removesuffix('1D')}2D"] for kind in LAYERS if kind.endswith("1D")}
