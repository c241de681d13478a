"""MXNet's and BMXNet's operators as ONNX operators: a function for each kind.

BMXNet's QConvolution and QFullyConnected take the signs of their input (0 counts as +1, also of the
border, which is put around before) and of their weights, and count equal bits: (sum + products) / 2.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from bnnsim.importers.mxnet.elementwise import ELEMENTWISE, map_of, whether
from bnnsim.importers.mxnet.file import Node
from bnnsim.importers.mxnet.graph import Shape, SymbolGraph
from bnnsim.importers.onnx.graph import QONNX, Array


def _pair(node: Node, key: str, default: tuple[int, int]) -> tuple[int, int]:
    value = node.setting(key, default) or default
    given = (value, value) if isinstance(value, int) else tuple(value)
    if len(given) != 2 or not all(type(one) is int and one >= 0 for one in given):
        raise node.fault(f"a {key} of two numbers", node.settings.get(key, ""))
    return given[0], given[1]


def _slid(node: Node, shape: Shape, kernel: tuple[int, int]) -> tuple[dict[str, Any], Shape]:
    """A window's attributes, and the sizes behind it; the pads stand in ``pads`` alone."""
    stride, pad = _pair(node, "stride", (1, 1)), _pair(node, "pad", (0, 0))
    dilation = _pair(node, "dilate", (1, 1))
    if min(*kernel, *stride, *dilation) < 1 or node.setting("layout", None) not in (None, "NCHW", "None"):
        raise node.fault("sizes of at least 1, layout NCHW", node.settings.get("layout", kernel))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    sizes = [(e + 2 * p - r) // s + 1 for e, p, r, s in zip(shape[1:], pad, reach, stride, strict=True)]
    if min(sizes) < 1:
        raise node.fault(f"a window within its map of {list(shape[1:])}", reach)
    how: dict[str, Any] = {"kernel_shape": list(kernel), "strides": list(stride)}
    how |= {"dilations": list(dilation)} if dilation != (1, 1) else {}
    how |= {"pads": [*pad, *pad]} if any(pad) else {}
    return how, tuple(sizes)


def _convolution(g: SymbolGraph, node: Node) -> Shape:
    x, shape = map_of(g, node)
    kernel, out = _pair(node, "kernel", (0, 0)), int(node.setting("num_filter", 0))
    group = int(node.setting("num_group", 1))
    how, sizes = _slid(node, shape, kernel)
    full = (out, shape[0] // max(1, group), *kernel)
    weights = _shaped(node, g.weight(node, 1), full)
    inputs = [x, g.parameter(node, 1, weights)]
    if not whether(node, "no_bias", False):
        inputs.append(g.constant(node, "bias", _shaped(node, g.weight(node, 2), (out,))))
    g.op(node, "Conv", *inputs, group=group, **how)
    return (out, *sizes)


def _shaped(node: Node, values: Array, shape: Shape) -> Array:
    if values.shape != shape:
        raise node.fault(f"a parameter of shape {list(shape)}", list(values.shape))
    return values


def _sign(g: SymbolGraph, node: Node, x: str, role: str = "") -> str:
    """+1 where ``x`` is at least 0."""
    sign = g.op(node, "Sign", x, role="plain_sign")
    above = g.op(node, "Add", sign, g.constant(node, "tenth", 0.1), role="above")
    return g.op(node, "Sign", above, role=role)


def _quantised(g: SymbolGraph, node: Node, x: str, role: str = "") -> str:
    """BMXNet's activation of ``act_bit`` bits: a sign, or steps from 0 to 1 (halves up)."""
    bits = int(node.setting("act_bit", 1))
    if bits == 1:
        return _sign(g, node, x, role)
    if not 1 < bits <= 8:
        raise node.fault("act_bit of 1 to 8", bits)
    levels = g.constant(node, "levels", 2**bits - 1)
    x = g.op(node, "Mul", x, levels, role="scaled")
    parts = [g.constant(node, name, value) for name, value in (("scale", 1), ("zero", 0), ("bits", bits))]
    how = {"signed": 0, "narrow": 0, "rounding_mode": "HALF_UP", "domain": QONNX}
    return g.op(node, "Div", g.op(node, "Quant", x, *parts, role="steps", **how), levels, role=role)


def _weights(g: SymbolGraph, node: Node, shape: Shape, is_column: bool) -> tuple[Array, int]:
    """Quantised weights of ``shape`` ``(out, ...)``, and what their sums are to be divided by."""
    values = g.weight(node, 1)
    if node.op.startswith("BinaryInference") or whether(node, "binarized_weights_only", False):
        return unpacked(node, values, shape, is_column), 1
    values = _shaped(node, values, shape)
    bits = int(node.setting("weight_bit", 1))
    if bits == 1:
        return np.where(values >= 0, 1.0, -1.0), 1
    if not 1 < bits <= 7:
        raise node.fault("weight_bit of 1 to 7", bits)
    levels = 2**bits - 1
    bent = np.tanh(values.astype(np.float32))
    most = np.float32(2) * np.abs(bent).max(initial=0)
    within = (bent / most if most else bent) + np.float32(0.5)
    return 2 * np.floor(within * levels + np.float32(0.5)) - levels, levels


def unpacked(node: Node, words: Array, shape: Shape, is_column: bool) -> Array:
    """Packed weights of ``shape`` ``(out, ...)`` as -1 and +1 (a bit of 1), lowest bit first.

    Words have the bits of the floats that they are stored as. Rows one after the other; of a fully
    connected layer (``is_column``) word w of all outputs before word w + 1. Raises
    :class:`InputError`.
    """
    bits = words.dtype.itemsize * 8
    if words.dtype.kind != "f" or words.size * bits != prod(shape):
        expected = f"{prod(shape)} weights packed in words of 32 or 64 bits"
        raise node.fault(expected, f"{words.size} of {words.dtype.name}")
    octets = np.ascontiguousarray(words).view(np.uint8).reshape(words.size, bits // 8)
    found = np.unpackbits(octets, axis=1, bitorder="little").astype(np.float32) * 2 - 1
    if is_column:
        return found.reshape(-1, shape[0], bits).transpose(1, 0, 2).reshape(shape)
    return found.reshape(shape)


def _check_scaling(node: Node) -> None:
    if node.setting("scaling_mode", "none") not in ("none", "backward", 0, 2, None):
        raise node.fault("scaling_mode none or backward", node.settings["scaling_mode"])


def _counted(g: SymbolGraph, node: Node, y: str, products: int, levels: int, bias: Array | None) -> None:
    """From a sum to the node's output: as a count of equal bits where both sides have one."""
    is_bits = int(node.setting("act_bit", 1)) == 1 and int(node.setting("weight_bit", 1)) == 1
    shift, divisor = (products, 2) if is_bits else (0, levels)
    if shift:
        y = g.op(node, "Add", y, g.constant(node, "products", shift), role="shifted")
    role = "" if bias is None else "counted"
    y = g.op(node, "Div", y, g.constant(node, "divisor", divisor), role=role)
    if bias is not None:
        g.op(node, "Add", y, g.constant(node, "bias", bias))


def _quantised_convolution(g: SymbolGraph, node: Node) -> Shape:
    x, shape = map_of(g, node)
    kernel, out = _pair(node, "kernel", (0, 0)), int(node.setting("num_filter", 0))
    group = int(node.setting("num_group", 1))
    _check_scaling(node)
    how, sizes = _slid(node, shape, kernel)
    full = (out, shape[0] // max(1, group), *kernel)
    weights, levels = _weights(g, node, full, False)
    x = _quantised(g, node, x, role="input")
    pads = how.pop("pads", None)
    if pads and int(node.setting("act_bit", 1)) == 1:
        ends = g.constant(node, "pads", [0, 0, *pads[:2], 0, 0, *pads[2:]], np.int64)
        x = g.op(node, "Pad", x, ends, g.constant(node, "one", 1.0), role="border")
    elif pads:
        how["pads"] = pads
    y = g.op(node, "Conv", x, g.constant(node, "weight", weights), role="sum", group=group, **how)
    bias = None
    if not whether(node, "no_bias", True):
        bias = _shaped(node, g.weight(node, 2), (out,)).reshape(1, out, 1, 1)
    _counted(g, node, y, prod(full[1:]), levels, bias)
    return (out, *sizes)


def _features(g: SymbolGraph, node: Node) -> tuple[str, int]:
    """A fully connected layer flattens what it reads."""
    x, shape = g.data(node), g.shape(node)
    if len(shape) > 1:
        x = g.op(node, "Flatten", x, role="flat")
    return x, prod(shape)


def _fully_connected(g: SymbolGraph, node: Node) -> Shape:
    x, count = _features(g, node)
    out = int(node.setting("num_hidden", 0))
    inputs = [x, g.parameter(node, 1, _shaped(node, g.weight(node, 1), (out, count)))]
    if not whether(node, "no_bias", False):
        inputs.append(g.constant(node, "bias", _shaped(node, g.weight(node, 2), (out,))))
    g.op(node, "Gemm", *inputs, transB=1)
    return (out,)


def _quantised_fully_connected(g: SymbolGraph, node: Node) -> Shape:
    x, count = _features(g, node)
    out = int(node.setting("num_hidden", 0))
    _check_scaling(node)
    weights, levels = _weights(g, node, (out, count), True)
    x = _quantised(g, node, x, role="input")
    y = g.op(node, "Gemm", x, g.constant(node, "weight", weights), role="sum", transB=1)
    bias = None
    if not whether(node, "no_bias", True):
        bias = _shaped(node, g.weight(node, 2), (out,)).reshape(1, out)
    _counted(g, node, y, count, levels, bias)
    return (out,)


def _activation(g: SymbolGraph, node: Node) -> Shape:
    kinds = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid"}
    kind = kinds.get(str(node.setting("act_type", "relu")))
    if kind is None:
        raise node.fault(f"act_type {', '.join(kinds)}", node.settings["act_type"])
    g.op(node, kind, g.data(node))
    return g.shape(node)


def _batch_norm(g: SymbolGraph, node: Node) -> Shape:
    shape = g.shape(node)
    if node.setting("axis", 1) != 1:
        raise node.fault("axis 1", node.settings["axis"])
    columns = [_shaped(node, g.weight(node, i), shape[:1]) for i in (1, 2, 3, 4)]
    if whether(node, "fix_gamma", True):
        columns[0] = np.ones(shape[0], np.float32)
    names = [g.constant(node, "bn", one) for one in columns]
    epsilon = float(node.setting("eps", 1e-3))
    g.op(node, "BatchNormalization", g.data(node), *names, epsilon=epsilon)
    return shape


def _pooling(g: SymbolGraph, node: Node) -> Shape:
    x, shape = map_of(g, node)
    kind = {"max": "MaxPool", "avg": "AveragePool"}.get(str(node.setting("pool_type", "max")))
    if kind is None:
        raise node.fault("pool_type max or avg", node.settings["pool_type"])
    if whether(node, "global_pool", False):
        if kind == "AveragePool":
            g.op(node, "GlobalAveragePool", x)
        else:
            g.op(node, "MaxPool", x, kernel_shape=list(shape[1:]), strides=list(shape[1:]))
        return shape[0], 1, 1
    if node.setting("pooling_convention", "valid") != "valid":
        raise node.fault("pooling_convention valid", node.settings["pooling_convention"])
    how, sizes = _slid(node, shape, _pair(node, "kernel", (0, 0)))
    if kind == "AveragePool":
        how["count_include_pad"] = int(whether(node, "count_include_pad", True))
    g.op(node, kind, x, **how)
    return (shape[0], *sizes)


def _quantised_activation(g: SymbolGraph, node: Node) -> Shape:
    if whether(node, "backward_only", False):
        return ELEMENTWISE["_copy"](g, node)
    _quantised(g, node, g.data(node))
    return g.shape(node)


def _det_sign(g: SymbolGraph, node: Node) -> Shape:
    _sign(g, node, g.data(node))
    return g.shape(node)


def _flatten(g: SymbolGraph, node: Node) -> Shape:
    g.op(node, "Flatten", g.data(node))
    return (prod(g.shape(node)),)


def _softmax(g: SymbolGraph, node: Node) -> Shape:
    if node.setting("axis", -1) not in (-1, len(g.shape(node))) and node.op == "softmax":
        raise node.fault("axis -1", node.settings["axis"])
    g.op(node, "LogSoftmax" if node.op == "log_softmax" else "Softmax", g.data(node), axis=1)
    return g.shape(node)


def _pad(g: SymbolGraph, node: Node) -> Shape:
    x, shape = map_of(g, node)
    width = node.setting("pad_width", ())
    if node.setting("mode", "constant") != "constant" or len(width) != 8 or any(width[:4]):
        raise node.fault("a constant border of rows and columns", node.settings.get("pad_width", ""))
    top, bottom, left, right = (int(one) for one in width[4:])
    if min(top, bottom, left, right) < 0:
        raise node.fault("a border of at least 0", width)
    ends = g.constant(node, "pads", [0, 0, top, left, 0, 0, bottom, right], np.int64)
    border = g.constant(node, "border", float(node.setting("constant_value", 0.0)))
    g.op(node, "Pad", x, ends, border)
    return shape[0], shape[1] + top + bottom, shape[2] + left + right


HANDLERS: dict[str, Callable[[SymbolGraph, Node], Shape]] = {
    "Activation": _activation,
    "BatchNorm": _batch_norm,
    "BinaryInferenceConvolution": _quantised_convolution,
    "BinaryInferenceFullyConnected": _quantised_fully_connected,
    "Convolution": _convolution,
    "Flatten": _flatten,
    "FullyConnected": _fully_connected,
    "Pad": _pad,
    "Pooling": _pooling,
    "QActivation": _quantised_activation,
    "QConvolution": _quantised_convolution,
    "QFullyConnected": _quantised_fully_connected,
    "SoftmaxOutput": _softmax,
    "det_sign": _det_sign,
    "softmax": _softmax,
    **ELEMENTWISE,
}
