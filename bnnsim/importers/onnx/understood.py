"""What is understood of every operator that is read: its attributes, by domain and version.

Sources: the schemas of ``onnx.defs`` for opset 7 to 25; ``get_nodeattr_types`` of qonnx 1.0. The table
in docs/import-settings.md is written from this one. Operators on constants alone are evaluated by
ONNX's own definition, with every attribute that their schema has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bnnsim.importers.foreign.settings import (
    Setting,
    Settings,
    check_settings,
    every,
    is_number,
    only,
    such,
    without_effect,
)
from bnnsim.importers.onnx.graph import CHANNELS_LAST, FINN, ONNX, QONNX, Operator

NEWEST_OPSET = 25
"""The newest version of the standard operators whose definitions were read for this importer."""
OLDEST_OPSET = 7
ROUNDINGS = (
    *("ROUND", "HALF_EVEN", "FLOOR", "CEIL", "UP", "DOWN", "ROUND_TO_ZERO", "HALF_UP", "HALF_DOWN"),
)
"""QONNX's rounding modes, in capitals or not."""


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_ints(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(_is_int(one) for one in value)


def _are_whole(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(is_number(one) and one == int(one) for one in value)


_INT = such("a whole number", _is_int)
_INTS = such("whole numbers", _are_ints)
_REAL = such("a finite number", is_number)
_FLAG = only(0, 1)
_TRAINING = without_effect("acts in training only")


def _between(rows: tuple[Setting, ...], first: int = 0, last: int = 1 << 30) -> tuple[Setting, ...]:
    """The same rows, of these versions alone."""
    return tuple(replace(row, first=first, last=last) for row in rows)


@dataclass(frozen=True)
class OperatorKind:
    """An operator that is read: its attributes, those it cannot be without, and how many inputs."""

    settings: Settings
    most_inputs: int = 1
    required: tuple[str, ...] = ()


_WINDOW: Settings = {
    "kernel_shape": _INTS,
    "strides": _INTS,
    "pads": _INTS,
    "auto_pad": only("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"),
}
_ONES = such("1 alone", lambda value: _are_ints(value) and set(value) <= {1})
_CONV = OperatorKind({**_WINDOW, "dilations": _INTS, "group": _INT}, 3)
_MAX_POOL = OperatorKind(
    {
        **_WINDOW,
        "dilations": _between(_ONES, 10),
        "ceil_mode": _between(_FLAG, 10),
        "storage_order": _between(without_effect("orders indices, which nothing may read"), 8),
    },
    1,
    ("kernel_shape",),
)
_BATCH_NORM = OperatorKind(
    {
        "epsilon": _REAL,
        "momentum": _TRAINING,
        "spatial": only(1, last=8),
        "training_mode": only(0, first=14),
    },
    5,
)
_ANY_NUMBER = 1 << 31
_TWO = OperatorKind({}, 2)
_ONE = OperatorKind({})
_CLASSES = OperatorKind({"axis": such("the axis of the classes", _is_int)})
_ROUNDING = such(
    ", ".join(ROUNDINGS), lambda value: isinstance(value, str) and value.upper() in ROUNDINGS
)
_QUANT = OperatorKind(
    {"signed": _FLAG, "narrow": _FLAG, "rounding_mode": _ROUNDING}, 4, ("signed", "narrow")
)

_AXIS: Settings = {
    "axis": _between(such("the axis of the scales", _is_int), 13),
    "block_size": _between(only(0, note="no blocks"), 21),
}
_FLOATS = such("a floating-point type", _is_int)

_STANDARD: Mapping[str, OperatorKind] = {
    **dict.fromkeys(("Add", "Div", "Mul", "Sub", "Greater", "Less", "MatMul", "PRelu"), _TWO),
    **dict.fromkeys(("GreaterOrEqual", "LessOrEqual"), _TWO),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool", "Identity", "Neg", "Relu"), _ONE),
    **dict.fromkeys(("Sigmoid", "Sign", "Tanh"), _ONE),
    **dict.fromkeys(("Abs", "Ceil", "Floor", "Round"), _ONE),
    **dict.fromkeys(("Max", "Min"), OperatorKind({}, _ANY_NUMBER)),
    "HardSigmoid": OperatorKind({"alpha": _REAL, "beta": _REAL}),
    "ArgMax": OperatorKind(
        {
            "axis": _CLASSES.settings["axis"],
            "keepdims": _FLAG,
            "select_last_index": only(0, note="the first of equal scores", first=12),
        },
    ),
    "AveragePool": OperatorKind(
        {
            **_WINDOW,
            "ceil_mode": only(0, 1, note="1 where no window reaches over the edge", first=10),
            "count_include_pad": _FLAG,
            "dilations": _between(_ONES, 19),
        },
        1,
        ("kernel_shape",),
    ),
    "BatchNormalization": _BATCH_NORM,
    "Cast": OperatorKind(
        {
            "to": such("a floating-point type; an integer type of what is an integer", _is_int),
            "saturate": _between(without_effect("for 8-bit floats"), 19),
            "round_mode": _between(without_effect("for 8-bit floats"), 24),
        },
        1,
        ("to",),
    ),
    "Clip": OperatorKind({"min": _between(_REAL, last=10), "max": _between(_REAL, last=10)}, 3),
    "Concat": OperatorKind({"axis": such("the axis of the channels", _is_int)}, _ANY_NUMBER, ("axis",)),
    "Conv": _CONV,
    "ConvTranspose": OperatorKind(
        {
            **_WINDOW,
            "auto_pad": only("NOTSET"),
            "dilations": _INTS,
            "group": _INT,
            "output_padding": _INTS,
            "output_shape": such("none: pads say as much", lambda value: False),
        },
        3,
    ),
    "DequantizeLinear": OperatorKind({**_AXIS, "output_dtype": _between((*_FLOATS,), 23)}, 3),
    "QuantizeLinear": OperatorKind(
        {
            **_AXIS,
            "saturate": _between(without_effect("for 8-bit floats"), 19),
            "output_dtype": _between(such("an integer type", _is_int), 21),
            "precision": _between(only(0), 23),
        },
        3,
    ),
    "DepthToSpace": OperatorKind(
        {"blocksize": _INT, "mode": _between(only("DCR", "CRD"), 11)}, 1, ("blocksize",)
    ),
    "Expand": _TWO,
    "Dropout": OperatorKind({"ratio": _between(_TRAINING, last=11), "seed": _between(_TRAINING, 12)}, 3),
    "Flatten": OperatorKind({"axis": such("1, or the same counted from the end", _is_int)}),
    "Gemm": OperatorKind({"alpha": _REAL, "beta": _REAL, "transA": only(0), "transB": _FLAG}, 3),
    "GroupNormalization": OperatorKind(
        {
            "num_groups": _INT,
            "epsilon": _REAL,
            "stash_type": _between(without_effect("the precision of a float run"), 21),
        },
        3,
        ("num_groups",),
    ),
    "InstanceNormalization": OperatorKind({"epsilon": _REAL}, 3),
    "LayerNormalization": OperatorKind(
        {
            "axis": such("the last axis", _is_int),
            "epsilon": _REAL,
            "stash_type": without_effect("the precision of a float run"),
        },
        3,
    ),
    "LeakyRelu": OperatorKind({"alpha": _REAL}),
    "LogSoftmax": _CLASSES,
    "MaxPool": _MAX_POOL,
    "Pad": OperatorKind(
        {
            "mode": only(
                "constant",
                "edge",
                note="edge pixels again and again; of reflect and wrap train with one of these, or pad "
                "the images themselves",
            ),
            "value": _between(_REAL, last=10),
            "pads": _between(_INTS, last=10),
        },
        4,
    ),
    **dict.fromkeys(
        ("ReduceMax", "ReduceMean"),
        OperatorKind(
            {
                "axes": _between(such("rows and columns; of a mean channels too", _are_ints), last=17),
                "keepdims": _FLAG,
                "noop_with_empty_axes": only(0, first=18),
            },
            2,
        ),
    ),
    "Reshape": OperatorKind({"allowzero": only(0, 1, first=14)}, 2),
    "Resize": OperatorKind(
        {
            "mode": only("nearest", "linear"),
            "coordinate_transformation_mode": only(
                *("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"),
                note="align_corners where each pixel comes as often",
                first=11,
            ),
            "nearest_mode": only("round_prefer_floor", "round_prefer_ceil", "floor", "ceil", first=11),
            "cubic_coeff_a": _between(without_effect("of mode cubic"), 11),
            "exclude_outside": only(0, first=11),
            "extrapolation_value": _between(without_effect("of tf_crop_and_resize"), 11),
            "antialias": only(0, first=18),
            "axes": _between(such("none: all axes", lambda value: False), 18),
            "keep_aspect_ratio_policy": only("stretch", first=18),
        },
        4,
    ),
    "Upsample": OperatorKind(
        {
            "mode": only("nearest", "linear"),
            "scales": _between(such("whole numbers", _are_whole), last=8),
        },
        2,
    ),
    "Shape": OperatorKind({"start": _between(_INT, 15), "end": _between(_INT, 15)}),
    "Slice": OperatorKind(
        {
            "starts": _between(_INTS, last=9),
            "ends": _between(_INTS, last=9),
            "axes": _between(such("the axis of the channels", _are_ints), last=9),
        },
        5,
    ),
    "Softmax": _CLASSES,
    "Squeeze": OperatorKind({"axes": _between(_INTS, last=12)}, 2),
    "Sum": OperatorKind({}, _ANY_NUMBER),
    "TopK": OperatorKind(
        {
            "axis": _CLASSES.settings["axis"],
            "k": _between(_INT, last=9),
            "largest": only(1, note="the largest scores", first=11),
            "sorted": _between(without_effect("the scores in front are kept"), 11),
        },
        2,
    ),
    "Transpose": OperatorKind({"perm": such("a permutation that leaves the batch in front", _are_ints)}),
    "Unsqueeze": OperatorKind({"axes": _between(_INTS, last=12)}, 2),
    "Where": OperatorKind({}, 3),
}
_QUANTISED: Mapping[str, OperatorKind] = {
    "BipolarQuant": _TWO,
    "DebugMarker": OperatorKind({"export_debug_name": without_effect("a name")}),
    "IntQuant": _QUANT,
    "MultiThreshold": OperatorKind(
        {
            "out_dtype": every("any; the numbers themselves tell the type"),
            "out_scale": _REAL,
            "out_bias": _REAL,
            "data_layout": such(
                "letters, C for the channels",
                lambda value: value == "" or (isinstance(value, str) and value.isalpha()),
            ),
        },
        2,
        ("out_dtype",),
    ),
    "Quant": _QUANT,
    "Trunc": OperatorKind({"rounding_mode": _ROUNDING, "signed": _FLAG, "narrow": _FLAG}, 6),
    "XnorPopcountMatMul": _TWO,
}

OPERATORS: Mapping[tuple[str, str], OperatorKind] = {
    **{(ONNX, kind): known for kind, known in _STANDARD.items()},
    **{(QONNX, kind): known for kind, known in _QUANTISED.items()},
    (CHANNELS_LAST, "BatchNormalization"): _BATCH_NORM,
    (CHANNELS_LAST, "Conv"): _CONV,
    (CHANNELS_LAST, "MaxPool"): _MAX_POOL,
    (FINN, "LabelSelect"): OperatorKind({"K": _INT}),
}
"""Every operator that is read, by its domain and kind."""


def check_operator(operator: Operator, opset: int) -> None:
    """Raises :class:`InputError` at an attribute or a count of inputs that is not understood."""
    known = OPERATORS[operator.domain, operator.kind]
    check_settings(operator.fault, known.settings, operator.attributes, opset)
    for key in known.required:
        if key not in operator.attributes:
            raise operator.fault(f"an attribute {key}", "none")
    count = len(operator.inputs)
    if count > known.most_inputs:
        raise operator.fault(f"at most {known.most_inputs} inputs", count)
