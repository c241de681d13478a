"""What FINN's units compute, node by node on tensors with their channels last, from their documentation.

A sliding window puts out kernel row, kernel column, channel; so does an Im2Col unless it is depthwise
(channel, kernel row, kernel column).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from bnnsim.reference import quantisers
from bnnsim.reference.graph import Array, Unrunnable
from bnnsim.reference.onnx_operators import Attributes, Function, pool
from bnnsim.reference.windows import windows

DOMAINS = ("finn.custom_op.fpgadataflow", "finn")
_WIRES = (
    *(
        "StreamingDataWidthConverter",
        "StreamingFIFO",
        "TLastMarker",
        "IODMA",
        "CheckSum",
        "checksum",
    ),
    *("Squeeze", "Unsqueeze"),
)
FRONT_END = ("Im2Col", "QuantAvgPool2d")
"""Operators of FINN's streamlined graphs."""
_PLAIN = {
    "AddStreams": "Add",
    "ChannelwiseOp": "Mul",
    "DuplicateStreams": "Identity",
    "ElementwiseAdd": "Add",
    "ElementwiseMul": "Mul",
    "ElementwiseSub": "Sub",
    "FMPadding": "Pad",
    "GlobalAccPool": "ReduceMean",
    "LabelSelect": "TopK",
    "StreamingMaxPool": "MaxPool",
    "Thresholding": "MultiThreshold",
}
_SUFFIX = re.compile(r"(_Batch)?(_hls|_rtl)?$")


def is_finn(domain: str) -> bool:
    return domain in DOMAINS or domain.startswith(f"{DOMAINS[0]}.")


def plain_kind(op_type: str) -> str:
    """The standard operator that does the same to each element, where there is one."""
    kind = _SUFFIX.sub("", op_type)
    return "Identity" if kind in _WIRES else _PLAIN.get(kind, kind)


def finn_function(op_type: str, attributes: Attributes) -> Function | None:
    """The function of a unit; None where it is none that is known."""
    kind = _SUFFIX.sub("", op_type)
    if kind in _WIRES:
        return lambda given: [given[0]]
    if kind in ("DuplicateStreams", "ReplicateStream"):
        return lambda given: [given[0]] * int(attributes.get("NumOutputStreams", 16))
    if kind in ("MVAU", "MatrixVectorActivation", "StreamingFCLayer"):
        return _matrix(attributes)
    if kind in ("VVAU", "VectorVectorActivation", "Vector_Vector_Activate"):
        return _vector(attributes)
    if kind.startswith("ConvolutionInputGenerator"):
        keys = ("ConvKernelDim", "Stride", "Dilation")
        kernel, stride, dilation = (_pair(attributes.get(key, 1)) for key in keys)
        return _im2col(kernel, stride, dilation, (0, 0, 0, 0), by_channel=False)
    found = _SIMPLE.get(kind)
    return None if found is None else found(attributes)


def typed_input(model: Any, name: str) -> Function | None:
    """What a frame's reals are in the values that the graph is for; None where it takes reals or bytes.

    FINN notes an input's type beside the graph, else its first unit says it. A graph for bits knows
    only -1 and +1 (or 0 and 1), one for small integers only those.
    """
    notes = [n for n in model.graph.quantization_annotation if n.tensor_name == name]
    entries = [e for note in notes for e in note.quant_parameter_tensor_names]
    kind = next((str(e.value) for e in entries if e.key == "finn_datatype"), "")
    first = next((n for n in model.graph.node if name in n.input), None)
    if not entries and first is not None and is_finn(str(first.domain)):
        said = [a.s.decode() for a in first.attribute if a.name in ("inputDataType", "dataType")]
        kind = said[0] if said else ""
    if kind == "BIPOLAR":
        return lambda given: [np.where(given[0] >= 0, 1.0, -1.0)]
    if kind == "BINARY":
        return lambda given: [np.where(given[0] >= 0.5, 1.0, 0.0)]
    parted = re.fullmatch(r"(U?)INT(\d+)", kind)
    if parted is None or parted[2] == "8":
        return None
    steps = 1 << int(parted[2])
    low = 0 if parted[1] else -steps // 2
    return lambda given: [np.clip(np.round(given[0]), low, low + steps - 1)]


def im2col(attributes: Attributes) -> Function:
    """qonnx's Im2Col."""
    kernel = _pair(attributes["kernel_size"])
    stride, dilation = _pair(attributes.get("stride", 1)), _pair(attributes.get("dilations", 1))
    given = attributes.get("pad_amount", 0)
    pads = [int(given)] * 4 if isinstance(given, int) else [int(v) for v in given]
    by_channel = bool(attributes.get("depthwise", 0))
    return _im2col(kernel, stride, dilation, tuple(pads), by_channel)


def quant_avg_pool(attributes: Attributes) -> Function:
    """qonnx's QuantAvgPool2d: a sum, shifted right until it fits."""
    kernel, stride = _pair(attributes["kernel"]), _pair(attributes["stride"])
    ibits, obits = int(attributes["ibits"]), int(attributes["obits"])
    last = str(attributes.get("data_layout", "NCHW")) == "NHWC"

    def run(given: Sequence[Array]) -> Sequence[Array]:
        maps = np.moveaxis(given[0], -1, 1) if last else given[0]
        sums = windows(maps, kernel, stride, (1, 1), (0, 0, 0, 0)).sum(axis=(-2, -1))
        made = _shifted(sums, ibits, obits, math.prod(kernel))
        return [np.moveaxis(made, 1, -1) if last else made]

    return run


def _pair(value: Any) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    if len(value) == 1:
        return int(value[0]), int(value[0])
    return int(value[0]), int(value[1])


def _im2col(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    pads: tuple[int, ...],
    by_channel: bool,
) -> Function:
    def run(given: Sequence[Array]) -> Sequence[Array]:
        found = windows(np.moveaxis(given[0], -1, 1), kernel, stride, dilation, pads)
        order = (0, 2, 3, 1, 4, 5) if by_channel else (0, 2, 3, 4, 5, 1)
        turned = found.transpose(order)
        return [turned.reshape(*turned.shape[:3], -1)]

    return run


def _matrix(attributes: Attributes) -> Function:
    rows, columns = int(attributes["MH"]), int(attributes["MW"])
    vectors = attributes.get("numInputVectors", [1])
    shape = [int(v) for v in vectors][1:] if not isinstance(vectors, int) else []
    xnor = bool(attributes.get("binaryXnorMode", 0))

    def run(given: Sequence[Array]) -> Sequence[Array]:
        x = given[0].reshape(len(given[0]), *shape, columns)
        if given[1].shape != (columns, rows):
            raise Unrunnable(f"weights {list(given[1].shape)} where {[columns, rows]} fit")
        sums = quantisers.xnor_popcount(x, given[1]) if xnor else x @ given[1]
        return [_activated(attributes, sums, given)]

    return run


def _vector(attributes: Attributes) -> Function:
    channels, kernel = int(attributes["Channels"]), _pair(attributes["Kernel"])

    def run(given: Sequence[Array]) -> Sequence[Array]:
        x = given[0].reshape(*given[0].shape[:3], math.prod(kernel), channels)
        columns = given[1].reshape(channels, -1).T
        return [_activated(attributes, (x * columns).sum(axis=3), given)]

    return run


def _activated(attributes: Attributes, sums: Array, given: Sequence[Array]) -> Array:
    if attributes.get("noActivation", 0):
        return sums
    return _thresholds(attributes, sums, given[2])


def _thresholds(attributes: Attributes, values: Array, table: Array) -> Array:
    bipolar = str(attributes.get("outputDataType", "")) == "BIPOLAR"
    count = (values[..., np.newaxis] >= table).sum(axis=-1)
    made: Array = 2.0 * count - 1.0 if bipolar else count + float(attributes.get("ActVal", 0))
    return made


def _thresholding(attributes: Attributes) -> Function:
    return lambda given: [_thresholds(attributes, given[0], given[1])]


def _padding(attributes: Attributes) -> Function:
    given = attributes.get("Padding", [1, 1, 1, 1])
    if isinstance(given, int) or len(given) <= 2:
        high, wide = _pair(given)
        given = [high // 2, wide // 2, high - high // 2, wide - wide // 2]
    top, left, bottom, right = (int(v) for v in given)
    return lambda g: [np.pad(g[0], [(0, 0), (top, bottom), (left, right), (0, 0)])]


def _max_pool(attributes: Attributes) -> Function:
    kernel = list(_pair(attributes["PoolDim"]))
    settings = {
        "kernel_shape": kernel,
        "strides": kernel,
        "ceil_mode": attributes.get("CeilMode", 0),
    }
    inner = pool(settings, True)
    return lambda given: [np.moveaxis(inner([np.moveaxis(given[0], -1, 1)])[0], 1, -1)]


def _pool(attributes: Attributes) -> Function:
    """On windows: kernel places slowest, channels fastest."""
    function, channels = str(attributes["Function"]), int(attributes["Channels"])
    area = math.prod(_pair(attributes["KernelSize"]))
    ibits, obits = (_bits(str(attributes[key])) for key in ("InputDataType", "OutputDataType"))

    def run(given: Sequence[Array]) -> Sequence[Array]:
        x = given[0].reshape(*given[0].shape[:3], area, channels)
        if function == "MaxPool":
            return [x.max(axis=3)]
        sums = x.sum(axis=3)
        return [sums if function == "AccPool" else _shifted(sums, ibits, obits, area)]

    return run


def _shifted(sums: Array, ibits: int, obits: int, area: int) -> Array:
    places = max(0, int(((1 << ibits) - 1) * area).bit_length() - obits)
    made: Array = np.right_shift(sums.astype(np.int64), places).astype(np.float64)
    return made


def _bits(name: str) -> int:
    digits = re.sub(r"\D", "", name)
    return int(digits) if digits else 1


def _channelwise(attributes: Attributes) -> Function:
    function = str(attributes["Func"])

    def run(given: Sequence[Array]) -> Sequence[Array]:
        values = given[1].reshape(-1)
        return [given[0] + values if function == "add" else given[0] * values]

    return run


def _label_select(attributes: Attributes) -> Function:
    count = int(attributes.get("K", 1))

    def run(given: Sequence[Array]) -> Sequence[Array]:
        scores = given[0].reshape(len(given[0]), -1)
        return [np.argsort(-scores, axis=1, kind="stable")[:, :count].astype(np.float64)]

    return run


_SIMPLE = {
    "AddStreams": lambda attributes: lambda given: [given[0] + given[1]],
    "ChannelwiseOp": _channelwise,
    "Im2Col": im2col,
    "QuantAvgPool2d": quant_avg_pool,
    "Concat": lambda attributes: lambda given: [np.concatenate(list(given), axis=-1)],
    "ElementwiseAdd": lambda attributes: lambda given: [given[0] + given[1]],
    "ElementwiseMul": lambda attributes: lambda given: [given[0] * given[1]],
    "ElementwiseSub": lambda attributes: lambda given: [given[0] - given[1]],
    "FMPadding": _padding,
    "GlobalAccPool": lambda attributes: lambda given: [given[0].sum(axis=(1, 2), keepdims=True)],
    "LabelSelect": _label_select,
    "Pool": _pool,
    "StreamingConcat": lambda attributes: lambda given: [np.concatenate(list(given), axis=-1)],
    "StreamingMaxPool": _max_pool,
    "Thresholding": _thresholding,
}
