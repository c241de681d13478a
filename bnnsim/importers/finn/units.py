"""FINN's other units: windows, borders, pools, thresholds, joins, and the operators of its streamlined
graphs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bnnsim.importers.finn.emitter import Emitter, WindowOf
from bnnsim.importers.finn.matrix import mvau, vvau
from bnnsim.importers.finn.nodes import DataflowNode
from bnnsim.importers.onnx.graph import CHANNELS_LAST, FINN, QONNX

_FIRST, _LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def sliding_window(out: Emitter, node: DataflowNode) -> str:
    """Nothing by itself: what reads it becomes a convolution or a pool of the map behind it."""
    channels, height_width = node.number("IFMChannels"), node.pair("IFMDim")
    window = WindowOf(
        out.shaped(node, out.data(node), (*height_width, channels)),
        channels,
        node.pair("ConvKernelDim"),
        node.pair("Stride", 1),
        node.pair("Dilation", 1),
        depthwise=bool(node.number("depthwise", 0)),
    )
    return _windows(out, node, window)


def im2col(out: Emitter, node: DataflowNode) -> str:
    """As a sliding window, with the border in it; channels of the map as its shape says."""
    text = node.text("input_shape").strip("()[] ")
    sizes = [int(v) for v in text.replace(" ", "").split(",") if v.isdigit()]
    if len(sizes) != 4:
        raise node.fault("an input_shape such as (1,8,8,3)", node.text("input_shape") or "nothing")
    pads = node.numbers("pad_amount", (0,))
    pads = pads * 4 if len(pads) == 1 else pads
    if len(pads) != 4:
        raise node.fault("a pad_amount of top, left, bottom, right", list(pads))
    if any(pads) and node.attributes.get("pad_value", 0):
        raise node.fault("a border of zeros", node.attributes["pad_value"])
    top, left, bottom, right = pads
    depthwise = bool(node.number("depthwise", 0))
    window = WindowOf(
        out.data(node),
        sizes[3],
        node.pair("kernel_size"),
        node.pair("stride", 1),
        node.pair("dilations", 1),
        (top, left, bottom, right),
        depthwise,
        depthwise,
    )
    return _windows(out, node, window)


def _windows(out: Emitter, node: DataflowNode, window: WindowOf) -> str:
    if min(*window.kernel, *window.stride, *window.dilation, window.channels) < 1:
        raise node.fault("kernel, stride, dilation and channels of at least 1", window.attributes)
    out.windows[node.outputs[0]] = window
    return node.outputs[0]


def border(out: Emitter, node: DataflowNode) -> str:
    """Zeros around a map."""
    padding = node.numbers("Padding", (1, 1, 1, 1))
    padding = _both_sides(*padding) if len(padding) <= 2 else padding
    if len(padding) != 4:
        raise node.fault("a Padding of top, left, bottom, right", list(padding))
    top, left, bottom, right = padding
    name = out.shaped(node, out.data(node), (*node.pair("ImgDim"), node.number("NumChannels")))
    pads = [0, top, left, 0, 0, bottom, right, 0]
    if out.opset < 11:
        result = out.op(node, "Pad", [name], node.outputs[0], pads=pads)
    else:
        given = out.constant(node, "pads", pads, np.int64)
        result = out.op(node, "Pad", [name, given], node.outputs[0])
    out.ranks[result] = 4
    return result


def _both_sides(height: int, width: int | None = None) -> tuple[int, int, int, int]:
    """Files of 2020 say what is added in all: odd pixels go behind (PaddingStyle 2)."""
    wide = height if width is None else width
    return height // 2, wide // 2, height - height // 2, wide - wide // 2


def thresholding(out: Emitter, node: DataflowNode) -> str:
    channels = node.number("NumChannels")
    table = out.array(node, 1, "thresholds")
    if table.ndim != 2 or table.shape[0] not in (1, channels):
        raise node.fault(f"thresholds of shape [{channels} or 1, levels]", list(table.shape))
    return out.thresholds(node, _pixels(out, node, channels), table, node.outputs[0])


def streaming_max_pool(out: Emitter, node: DataflowNode) -> str:
    kernel = list(node.pair("PoolDim"))
    name = out.shaped(node, out.data(node), (*node.pair("ImgDim"), node.number("NumChannels")))
    given: dict[str, Any] = {"kernel_shape": kernel, "strides": kernel}
    if node.number("CeilMode", 0):  # ONNX before opset 10 has no such attribute, nor had FINN then
        given["ceil_mode"] = 1
    return _max_pool(out, node, name, given)


def max_pool_nhwc(out: Emitter, node: DataflowNode) -> str:
    given = {
        key: list(node.numbers(key))
        for key in ("kernel_shape", "strides", "pads")
        if node.numbers(key)
    }
    return _max_pool(out, node, out.data(node), given)


def _max_pool(out: Emitter, node: DataflowNode, name: str, given: dict[str, Any]) -> str:
    result = out.op(node, "MaxPool", [name], node.outputs[0], CHANNELS_LAST, **given)
    out.ranks[result] = 4
    return result


def pool(out: Emitter, node: DataflowNode) -> str:
    """A maximum, sum or shifted sum of windows, channel by channel."""
    window = out.windows.get(node.inputs[0]) if node.inputs else None
    if window is None:
        raise node.fault("windows in front of it", "none")
    if any(window.dilation[i] != 1 for i in (0, 1)):
        raise node.fault("windows without dilation", list(window.dilation))
    function = node.text("Function")
    shape: dict[str, Any] = {
        key: window.attributes[key] for key in ("kernel_shape", "strides", "pads")
    }
    if function == "MaxPool":
        return _max_pool(out, node, window.tensor, shape)
    sums = _sums(out, node, window.tensor, shape, channels_last=True)
    if function == "QuantAvgPool":
        bits = [_bits(node, node.text(key)) for key in ("InputDataType", "OutputDataType")]
        signed = not node.text("OutputDataType").startswith("UINT")
        sums = _shifted(out, node, sums, bits[0], bits[1], math.prod(window.kernel), signed)
    elif function != "AccPool":
        raise node.fault("a Function MaxPool, AccPool or QuantAvgPool", function or "nothing")
    out.ranks[sums] = 4
    return sums


def quant_avg_pool(out: Emitter, node: DataflowNode) -> str:
    kernel, stride = node.pair("kernel"), node.pair("stride")
    layout = node.text("data_layout", "NCHW")
    shape: dict[str, Any] = {"kernel_shape": list(kernel), "strides": list(stride)}
    sums = _sums(out, node, out.data(node), shape, layout == "NHWC")
    ibits, obits = node.number("ibits"), node.number("obits")
    signed = bool(node.number("signed", 0))
    result = _shifted(out, node, sums, ibits, obits, math.prod(kernel), signed)
    out.ranks[result] = 4
    return result


def _sums(
    out: Emitter, node: DataflowNode, name: str, shape: dict[str, Any], channels_last: bool
) -> str:
    """Sums of windows: averages times their size."""
    kernel = shape["kernel_shape"]
    assert isinstance(kernel, list)
    if channels_last:
        name = out.op(node, "Transpose", [name], perm=_FIRST)
    mean = out.op(node, "AveragePool", [name], **shape)
    sums = out.op(node, "Mul", [mean, out.constant(node, "area", float(math.prod(kernel)))])
    return out.op(node, "Transpose", [sums], perm=_LAST) if channels_last else sums


def _shifted(
    out: Emitter, node: DataflowNode, sums: str, ibits: int, obits: int, area: int, signed: bool
) -> str:
    """Sums shifted right until they fit ``obits``, as qonnx's QuantAvgPool2d counts the places."""
    if not (1 <= ibits <= 32 and 1 <= obits <= 32):
        raise node.fault("1 to 32 bits in and out", f"{ibits} and {obits}")
    shift = max(0, (((1 << ibits) - 1) * area).bit_length() - obits)
    scale, zero, bits = (
        out.constant(node, r, v) for r, v in (("scale", 1.0), ("zero", 0.0), ("bits", 32.0))
    )
    halved = out.op(node, "Mul", [sums, out.constant(node, "shift", 0.5**shift)])
    attributes: dict[str, Any] = {"signed": int(signed), "narrow": 0, "rounding_mode": "FLOOR"}
    return out.op(node, "Quant", [halved, scale, zero, bits], domain=QONNX, **attributes)


def _bits(node: DataflowNode, name: str) -> int:
    digits = name.removeprefix("U").removeprefix("INT")
    if name in ("BIPOLAR", "BINARY"):
        return 1
    if not digits.isdigit():
        raise node.fault("a type of integers", name or "nothing")
    return int(digits)


def global_pool(out: Emitter, node: DataflowNode) -> str:
    """The sum of each channel over its map."""
    _, *size = node.numbers("numInputVectors", (1,)) or (1,)
    if len(size) != 2:
        raise node.fault("numInputVectors of a map, such as [1, 7, 7]", [1, *size])
    name = out.shaped(node, out.data(node), (*size, node.number("NumChannels")))
    shape: dict[str, Any] = {"kernel_shape": size, "strides": [1, 1]}
    sums = _sums(out, node, name, shape, channels_last=True)
    out.ranks[sums] = 4
    return sums


def arithmetic(kind: str) -> Callable[[Emitter, DataflowNode], str]:
    """A unit that adds, subtracts or multiplies what it reads."""

    def handler(out: Emitter, node: DataflowNode) -> str:
        return _elementwise(out, node, kind, [out.data(node), out.data(node, 1)])

    return handler


def channelwise(out: Emitter, node: DataflowNode) -> str:
    """A constant a channel, added or multiplied."""
    kinds = {"add": "Add", "mul": "Mul"}
    function = node.text("Func")
    if function not in kinds:
        raise node.fault("a Func add or mul", function or "nothing")
    channels = node.number("NumChannels")
    values = out.array(node, 1, "parameters").reshape(-1)
    if len(values) not in (1, channels):
        raise node.fault(f"{channels} parameters", len(values))
    name = _pixels(out, node, channels)
    return _elementwise(
        out, node, kinds[function], [name, out.constant(node, "parameters", values)]
    )


def _pixels(out: Emitter, node: DataflowNode, channels: int) -> str:
    """The tensor that a unit of channels reads, as a map or a vector as it says."""
    vectors = node.numbers("numInputVectors", (1,))[1:]
    name = out.data(node)
    if len(vectors) == 1:
        vectors = (vectors[0], 1)
    return out.shaped(node, name, (*vectors, channels)) if vectors else name


def _elementwise(out: Emitter, node: DataflowNode, kind: str, inputs: list[str]) -> str:
    result = out.op(node, kind, inputs, node.outputs[0])
    out.ranks[result] = max(out.ranks.get(name, 0) for name in inputs)
    return result


def concat(out: Emitter, node: DataflowNode) -> str:
    names = [out.data(node, position) for position in range(len(node.inputs))]
    result = out.op(node, "Concat", names, node.outputs[0], axis=-1)
    out.ranks[result] = max(out.ranks.get(name, 0) for name in names)
    return result


def label_select(out: Emitter, node: DataflowNode) -> str:
    """The positions of the highest scores."""
    scores = out.shaped(node, out.data(node), (node.number("Labels"),))
    result = out.op(node, "LabelSelect", [scores], node.outputs[0], FINN, K=node.number("K", 1))
    out.ranks[result] = 2
    return result


HANDLERS: dict[str, Callable[[Emitter, DataflowNode], str]] = {
    "AddStreams": arithmetic("Add"),
    "ChannelwiseOp": channelwise,
    "ConvolutionInputGenerator": sliding_window,
    "ElementwiseAdd": arithmetic("Add"),
    "ElementwiseMul": arithmetic("Mul"),
    "ElementwiseSub": arithmetic("Sub"),
    "FMPadding": border,
    "GlobalAccPool": global_pool,
    "Im2Col": im2col,
    "LabelSelect": label_select,
    "MVAU": mvau,
    "MaxPoolNHWC": max_pool_nhwc,
    "Pool": pool,
    "QuantAvgPool2d": quant_avg_pool,
    "StreamingConcat": concat,
    "StreamingMaxPool": streaming_max_pool,
    "Thresholding": thresholding,
    "VVAU": vvau,
}
"""What each kind of unit, and each operator of streamlined graphs, becomes."""
