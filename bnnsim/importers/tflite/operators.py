"""TensorFlow Lite's and Larq Compute Engine's operators as ONNX operators: a function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from bnnsim.importers.onnx.graph import Array
from bnnsim.importers.onnx.operators.windows import same_border
from bnnsim.importers.tflite.file import Operator
from bnnsim.importers.tflite.graph import LiteGraph

Shape = tuple[int, ...]
_WORD_BITS = 32
_NEVER = 1 << 24
"""Beyond every sum, and still exact in float32."""
_LIMITS: dict[int, tuple[float | None, float | None]] = {
    0: (None, None),
    1: (0.0, None),
    2: (-1.0, 1.0),
    3: (0.0, 6.0),
}
"""Fused activations by their number: none, RELU, RELU_N1_TO_1, RELU6."""


def _map(g: LiteGraph, operator: Operator) -> tuple[str, Shape]:
    shape = g.shape(operator)
    if len(shape) != 3:
        raise operator.fault("a map [1, rows, columns, channels]", f"{len(shape) + 1} dimensions")
    return g.data(operator), shape


def _limited(g: LiteGraph, operator: Operator, x: str, number: int, role: str = "") -> str:
    """A fused activation; always makes a tensor of this role."""
    if number not in _LIMITS:
        raise operator.fault("a fused activation NONE, RELU, RELU_N1_TO_1 or RELU6", number)
    bounds = ["" if v is None else g.constant(f"{x}/bound", v) for v in _LIMITS[number]]
    if not any(bounds):
        return g.op(operator, "Identity", x, role=role)
    return g.op(operator, "Clip", x, *bounds, role=role)


def _window(
    operator: Operator,
    sizes: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    padding: int,
) -> tuple[dict[str, Any], Shape]:
    """A window's attributes with the border of SAME (0; VALID is 1), and the sizes behind it."""
    if min(*kernel, *stride, *dilation) < 1 or padding not in (0, 1):
        raise operator.fault("strides of at least 1, padding SAME or VALID", f"{stride}, {padding}")
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    out = [
        -(-e // s) if padding == 0 else (e - r) // s + 1
        for e, r, s in zip(sizes, reach, stride, strict=True)
    ]
    if min(out) < 1:
        raise operator.fault(f"a window within its map of {list(sizes)}", reach)
    how: dict[str, Any] = {"kernel_shape": list(kernel), "strides": list(stride)}
    if tuple(dilation) != (1, 1):
        how["dilations"] = list(dilation)
    if padding == 0:
        front, behind = same_border(sizes, reach, stride)
        if any(behind):
            how["pads"] = [*front, *behind]
    return how, tuple(out)


def _conv(g: LiteGraph, operator: Operator) -> Shape:
    x, shape = _map(g, operator)
    weights = g.values(operator, 1)
    is_depthwise = operator.kind.startswith("DEPTHWISE")
    if weights.ndim != 4:
        raise operator.fault("weights of four dimensions", f"{weights.ndim}")
    if is_depthwise:  # (1, rows, columns, out)
        weights = weights.transpose(3, 1, 2, 0)
    out, rows, columns, depth = weights.shape
    group = shape[0] // depth if depth else 0
    if not group or group * depth != shape[0] or out % group:
        raise operator.fault(f"weights for {shape[0]} channels", list(weights.shape))
    o = operator.options
    how, sizes = _window(
        operator,
        shape[1:],
        (rows, columns),
        (int(o["StrideH"]), int(o["StrideW"])),
        (int(o["DilationHFactor"]), int(o["DilationWFactor"])),
        int(o["Padding"]),
    )
    inputs = [x, g.constant(f"t{operator.inputs[1]}", weights.transpose(0, 3, 1, 2))]
    bias = g.optional(operator, 2)
    if bias is not None:
        inputs.append(g.constant(f"t{operator.inputs[2]}", bias.reshape(out)))
    y = g.op(operator, "Conv", *inputs, role="sum", group=group, **how)
    _limited(g, operator, y, int(o["FusedActivationFunction"]))
    return (out, *sizes)


def _fully_connected(g: LiteGraph, operator: Operator) -> Shape:
    x, shape, weights = g.data(operator), g.shape(operator), g.values(operator, 1)
    if weights.ndim != 2 or weights.shape[1] != prod(shape):
        raise operator.fault(f"weights [outputs, {prod(shape)}]", list(weights.shape))
    if len(shape) == 3:  # a map is read as it lies, element by element
        x = g.op(operator, "Transpose", x, role="last", perm=[0, 2, 3, 1])
        x = g.op(operator, "Flatten", x, role="features")
    if operator.options.get("WeightsFormat", 0) != 0:
        raise operator.fault("weights in the default format", operator.options["WeightsFormat"])
    inputs = [x, g.constant(f"t{operator.inputs[1]}", weights)]
    bias = g.optional(operator, 2)
    if bias is not None:
        inputs.append(g.constant(f"t{operator.inputs[2]}", bias.reshape(-1)))
    y, out = g.op(operator, "Gemm", *inputs, role="sum", transB=1), weights.shape[0]
    fused, keeps = (operator.options.get(k, 0) for k in ("FusedActivationFunction", "KeepNumDims"))
    if len(shape) == 1 or not keeps:
        _limited(g, operator, y, int(fused))
        return (out,)
    if shape[1:] != (1, 1):
        raise operator.fault("one position where dimensions are kept", list(shape[1:]))
    y = _limited(g, operator, y, int(fused), role="features")
    g.op(operator, "Reshape", y, g.constant(f"{y}/shape", [1, out, 1, 1], np.int64))
    return out, 1, 1


def _signed(g: LiteGraph, operator: Operator, x: str) -> str:
    """+1 where ``x`` is at least 0, else -1."""
    tenth = g.constant(f"{x}/tenth", 0.1)
    sign = g.op(operator, "Sign", x, role="sign")
    return g.op(operator, "Sign", g.op(operator, "Add", sign, tenth, role="above"))


def _quantize(g: LiteGraph, operator: Operator) -> Shape:
    _signed(g, operator, g.data(operator))
    return g.shape(operator)


def _dequantize(g: LiteGraph, operator: Operator) -> Shape:
    g.op(operator, "Identity", g.data(operator))
    return g.shape(operator)


def unpacked(words: Array, channels: int) -> Array:
    """Bits packed along the last axis in 32-bit words, lowest first, as +1 (0) and -1 (1)."""
    octets = np.ascontiguousarray(words.astype("<i4")).view(np.uint8)
    bits = np.unpackbits(octets, axis=-1, bitorder="little")[..., :channels]
    return 1.0 - 2.0 * bits.astype(np.float32)


def _binary_conv(g: LiteGraph, operator: Operator) -> Shape:
    """Sums of products of bits; then a fused activation, a gain and an offset, or a threshold of the
    count of unequal bits, above which the output is -1."""
    x, shape = _map(g, operator)
    o = {key: int(value) for key, value in operator.options.items()}
    words = g.values(operator, 1)
    channels = o["channels_in"]
    packed = -(-channels // _WORD_BITS)
    if words.ndim != 4 or channels != shape[0] or not words.shape[3] or packed % words.shape[3]:
        got = f"{list(words.shape)} for {channels}"
        raise operator.fault(f"packed weights for {shape[0]} channels", got)
    group = packed // words.shape[3]
    out, rows, columns, _ = words.shape
    if channels % group or out % group:
        raise operator.fault(f"channels in {group} groups", f"{channels} and {out}")
    weights = unpacked(words, channels // group)
    how, sizes = _window(
        operator,
        shape[1:],
        (rows, columns),
        (o["stride_height"], o["stride_width"]),
        (o["dilation_height_factor"], o["dilation_width_factor"]),
        o["padding"],
    )
    if o["pad_values"] not in (0, 1):
        raise operator.fault("pad_values 0 or 1", o["pad_values"])
    if o["pad_values"] == 1 and "pads" in how:
        top, left, bottom, right = how.pop("pads")
        full = g.constant(f"{x}/pads", [0, 0, top, left, 0, 0, bottom, right], np.int64)
        x = g.op(operator, "Pad", x, full, g.constant(f"{x}/one", 1.0), role="border")
    kernel = g.constant(f"t{operator.inputs[1]}", weights.transpose(0, 3, 1, 2))
    y = g.op(operator, "Conv", x, kernel, role="sum", group=group, **how)
    thresholds = g.optional(operator, 4)
    if thresholds is not None:
        most = rows * columns * (channels // group)
        least = most - 2 * thresholds.astype(np.int64).reshape(1, out, 1, 1)
        step = g.constant(f"{y}/least", np.clip(least, -_NEVER, _NEVER))
        _signed(g, operator, g.op(operator, "Sub", y, step, role="over"))
        return (out, *sizes)
    gain, offset = (g.values(operator, i).reshape(1, out, 1, 1) for i in (2, 3))
    y = _limited(g, operator, y, o["fused_activation_function"], role="limited")
    y = g.op(operator, "Mul", y, g.constant(f"{y}/gain", gain), role="scaled")
    g.op(operator, "Add", y, g.constant(f"{y}/offset", offset))
    return (out, *sizes)


def _pool(g: LiteGraph, operator: Operator) -> Shape:
    x, shape = _map(g, operator)
    o = operator.options
    names = ("filter_height", "filter_width", "stride_height", "stride_width", "padding")
    if "FilterHeight" in o:
        names = ("FilterHeight", "FilterWidth", "StrideH", "StrideW", "Padding")
    rows, columns, down, along, padding = (int(o[name]) for name in names)
    how, sizes = _window(operator, shape[1:], (rows, columns), (down, along), (1, 1), padding)
    kind = "AveragePool" if operator.kind.startswith("AVERAGE") else "MaxPool"
    y = g.op(operator, kind, x, role="pooled", **how)
    _limited(g, operator, y, int(o.get("FusedActivationFunction", 0)))
    return (shape[0], *sizes)


def _arithmetic(g: LiteGraph, operator: Operator) -> Shape:
    """Two tensors of one shape, or a tensor and a constant of each channel."""
    kind = {"ADD": "Add", "SUB": "Sub", "MUL": "Mul", "DIV": "Div"}[operator.kind]
    tensors = [i for i in (0, 1) if operator.inputs[i] in g.names]
    shapes = {g.shape(operator, i) for i in tensors}
    shape = max(shapes, key=lambda one: (len(one), prod(one)))
    if len(shapes) != 1 and not (kind == "Mul" and all(_is_gate(one, shape) for one in shapes)):
        raise operator.fault("tensors of one shape", ", ".join(str(list(one)) for one in shapes))
    names = [
        _spread(g, operator, i, shape) if i in tensors else _broadcast(g, operator, i, shape)
        for i in (0, 1)
    ]
    y = g.op(operator, kind, *names, role="made")
    _limited(g, operator, y, int(operator.options.get("FusedActivationFunction", 0)))
    return shape


def _is_gate(gate: Shape, shape: Shape) -> bool:
    """Whether ``gate`` has one number a channel, a position or a frame of ``shape``, or all of them."""
    full = (*gate, *[1] * (len(shape) - 1)) if len(gate) == 1 else gate
    return len(full) == len(shape) and all(a in (1, b) for a, b in zip(full, shape, strict=True))


def _spread(g: LiteGraph, operator: Operator, position: int, shape: Shape) -> str:
    """The data at an input, features as a map of one pixel where the other is a map."""
    x = g.data(operator, position)
    if len(g.shape(operator, position)) == len(shape):
        return x
    axes = g.constant(f"t{operator.output}/axes", [2, 3], np.int64)
    return g.op(operator, "Unsqueeze", x, axes, role=f"spread{position}")


def _broadcast(g: LiteGraph, operator: Operator, position: int, shape: Shape) -> str:
    values = g.values(operator, position)
    name = f"t{operator.inputs[position]}"
    if values.size == 1:
        return g.constant(name, values.reshape(()))
    if values.size != shape[0] or values.shape[-1] != shape[0]:
        expected = f"a constant of one number, or one of each of {shape[0]} channels"
        raise operator.fault(expected, list(values.shape))
    return g.constant(name, values.reshape(1, -1, *[1] * (len(shape) - 1)))


def _unary(g: LiteGraph, operator: Operator) -> Shape:
    x, shape = g.data(operator), g.shape(operator)
    number = {"RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}.get(operator.kind)
    if number is not None:
        _limited(g, operator, x, number)
    elif operator.kind == "LEAKY_RELU":
        g.op(operator, "LeakyRelu", x, alpha=float(operator.options["Alpha"]))
    elif operator.kind == "SOFTMAX":
        if operator.options.get("Beta", 1.0) != 1.0:
            raise operator.fault("beta 1", operator.options["Beta"])
        g.op(operator, "Softmax", x, axis=1)
    else:
        g.op(operator, {"LOGISTIC": "Sigmoid", "TANH": "Tanh"}[operator.kind], x)
    return shape


def _prelu(g: LiteGraph, operator: Operator) -> Shape:
    shape, slopes = g.shape(operator), g.values(operator, 1)
    lying = (*shape[1:], shape[0])
    turned = np.moveaxis(np.broadcast_to(slopes, lying), -1, 0)
    g.op(operator, "PRelu", g.data(operator), g.constant(f"t{operator.inputs[1]}", turned))
    return shape


def _reshape(g: LiteGraph, operator: Operator) -> Shape:
    """Onto the shape that the file states of the output, in the file's order of elements."""
    x, shape = g.data(operator), g.shape(operator)
    target = g.lite.tensors[operator.output].shape[1:]
    if prod(target) != prod(shape) or len(target) not in (1, 3):
        expected = "[1, features] or [1, rows, columns, channels]"
        raise operator.fault(expected, list(g.lite.tensors[operator.output].shape))
    if len(shape) == 3:
        x = g.op(operator, "Transpose", x, role="last", perm=[0, 2, 3, 1])
    if len(target) == 1:
        g.op(operator, "Flatten", x)
        return (target[0],)
    x = g.op(operator, "Reshape", x, g.constant(f"{x}/shape", [1, *target], np.int64), role="map")
    g.op(operator, "Transpose", x, perm=[0, 3, 1, 2])
    return (target[2], target[0], target[1])


def _mean(g: LiteGraph, operator: Operator) -> Shape:
    x, shape = _map(g, operator)
    axes = sorted(int(axis) % 4 for axis in g.values(operator, 1).reshape(-1))
    if axes != [1, 2]:
        raise operator.fault("a mean over rows and columns", axes)
    if operator.options.get("KeepDims", 0):
        g.op(operator, "GlobalAveragePool", x)
        return shape[0], 1, 1
    g.op(operator, "Flatten", g.op(operator, "GlobalAveragePool", x, role="pooled"))
    return (shape[0],)


def _pad(g: LiteGraph, operator: Operator) -> Shape:
    x, shape = _map(g, operator)
    pads = g.values(operator, 1)
    if pads.shape != (4, 2) or pads.min() < 0 or pads[0].any() or (pads[3].any() and pads[1:3].any()):
        raise operator.fault("a border of rows and columns, or of channels", pads.tolist())
    value = g.optional(operator, 2)
    (top, bottom), (left, right), (front, behind) = ((int(a), int(b)) for a, b in pads[1:])
    name = f"t{operator.output}"
    full = g.constant(f"{name}/pads", [0, front, top, left, 0, behind, bottom, right], np.int64)
    border = g.constant(f"{name}/value", 0.0 if value is None else value.reshape(()))
    g.op(operator, "Pad", x, full, border)
    return shape[0] + front + behind, shape[1] + top + bottom, shape[2] + left + right


def _concatenation(g: LiteGraph, operator: Operator) -> Shape:
    shapes = [g.shape(operator, i) for i in range(len(operator.inputs))]
    axis = int(operator.options["Axis"])
    if axis % (len(shapes[0]) + 1) != len(shapes[0]) or len({one[1:] for one in shapes}) > 1:
        raise operator.fault("channels side by side", f"axis {axis}")
    names = [g.data(operator, i) for i in range(len(shapes))]
    y = g.op(operator, "Concat", *names, role="joined", axis=1)
    _limited(g, operator, y, int(operator.options["FusedActivationFunction"]))
    return (sum(one[0] for one in shapes), *shapes[0][1:])


def _split(g: LiteGraph, operator: Operator) -> Shape:
    """Channels or features apart: SPLIT in equal parts, SPLIT_V in parts whose sizes are an input."""
    is_equal = operator.kind == "SPLIT"
    x, shape = g.data(operator, int(is_equal)), g.shape(operator, int(is_equal))
    axis = int(g.values(operator, 0 if is_equal else 2).reshape(()))
    if axis % (len(shape) + 1) != len(shape):
        raise operator.fault("channels parted", f"axis {axis}")
    count = len(operator.outputs)
    sizes = [shape[0] // count] * count
    if not is_equal:
        sizes = [int(one) for one in g.values(operator, 1).reshape(-1)]
        if sizes.count(-1) == 1:  # what the others leave
            sizes[sizes.index(-1)] = shape[0] - sum(sizes) - 1
    if len(sizes) != count or min(sizes) < 1 or sum(sizes) != shape[0]:
        raise operator.fault(f"{count} parts of {shape[0]} channels", sizes)
    at = 0
    for output, size in zip(operator.outputs, sizes, strict=True):
        name = f"t{output}"
        ends = [g.constant(f"{name}/{k}", [v], np.int64) for k, v in (("from", at), ("to", at + size))]
        g.append("Slice", [x, *ends, g.constant(f"{name}/axis", [1], np.int64)], name)
        g.shapes[output] = (size, *shape[1:])
        at += size
    return g.shapes[operator.output]


HANDLERS: dict[str, Callable[[LiteGraph, Operator], Shape]] = {
    **dict.fromkeys(("ADD", "SUB", "MUL", "DIV"), _arithmetic),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "LceBMaxPool2d"), _pool),
    "CONCATENATION": _concatenation,
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D"), _conv),
    "FULLY_CONNECTED": _fully_connected,
    **dict.fromkeys(
        ("LEAKY_RELU", "LOGISTIC", "RELU", "RELU6", "RELU_N1_TO_1", "SOFTMAX", "TANH"), _unary
    ),
    "LceBconv2d": _binary_conv,
    "LceDequantize": _dequantize,
    "LceQuantize": _quantize,
    "MEAN": _mean,
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    "PRELU": _prelu,
    **dict.fromkeys(("RESHAPE", "SQUEEZE"), _reshape),
    **dict.fromkeys(("SPLIT", "SPLIT_V"), _split),
}
