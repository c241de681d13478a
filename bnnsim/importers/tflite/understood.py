"""What is understood of TensorFlow Lite's operators, and of Larq Compute Engine's.

Sources: ``tensorflow/lite/schema/schema.fbs`` and ``larq_compute_engine/mlir/ir/lce_ops.td``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class OperatorKind:
    """``table``: the schema's table of options, None for custom operators; ``options``: which of them
    are read."""

    options: tuple[str, ...] = ()
    table: str | None = None


_WINDOW = ("Padding", "StrideH", "StrideW")
_FUSED = ("FusedActivationFunction",)
_POOL = OperatorKind((*_WINDOW, "FilterHeight", "FilterWidth", *_FUSED), "Pool2DOptions")
_DILATED = ("DilationHFactor", "DilationWFactor")
_BINARY_CONV = (
    *("channels_in", "dilation_height_factor", "dilation_width_factor", "fused_activation_function"),
    *("pad_values", "padding", "stride_height", "stride_width"),
)

SEVERAL_OUTPUTS = ("SPLIT", "SPLIT_V")

OPERATORS: Mapping[str, OperatorKind] = {
    "ADD": OperatorKind(_FUSED, "AddOptions"),
    "AVERAGE_POOL_2D": _POOL,
    "CONCATENATION": OperatorKind(("Axis", *_FUSED), "ConcatenationOptions"),
    "CONV_2D": OperatorKind((*_WINDOW, *_DILATED, *_FUSED), "Conv2DOptions"),
    "DEPTHWISE_CONV_2D": OperatorKind(
        (*_WINDOW, *_DILATED, *_FUSED, "DepthMultiplier"), "DepthwiseConv2DOptions"
    ),
    "DIV": OperatorKind(_FUSED, "DivOptions"),
    "FULLY_CONNECTED": OperatorKind(
        (*_FUSED, "KeepNumDims", "WeightsFormat"), "FullyConnectedOptions"
    ),
    "LEAKY_RELU": OperatorKind(("Alpha",), "LeakyReluOptions"),
    "LOGISTIC": OperatorKind(),
    "LceBMaxPool2d": OperatorKind(
        ("filter_height", "filter_width", "padding", "stride_height", "stride_width")
    ),
    "LceBconv2d": OperatorKind(_BINARY_CONV),
    "LceDequantize": OperatorKind(),
    "LceQuantize": OperatorKind(),
    "MAX_POOL_2D": _POOL,
    "MEAN": OperatorKind(("KeepDims",), "ReducerOptions"),
    "MUL": OperatorKind(_FUSED, "MulOptions"),
    "PAD": OperatorKind(),
    "PADV2": OperatorKind(),
    "PRELU": OperatorKind(),
    "RELU": OperatorKind(),
    "RELU6": OperatorKind(),
    "RELU_N1_TO_1": OperatorKind(),
    "RESHAPE": OperatorKind(),
    "SPLIT": OperatorKind(),
    "SPLIT_V": OperatorKind(),
    "SOFTMAX": OperatorKind(("Beta",), "SoftmaxOptions"),
    "SQUEEZE": OperatorKind(),
    "SUB": OperatorKind(_FUSED, "SubOptions"),
    "TANH": OperatorKind(),
}
"""Operators that are read, by their names."""
