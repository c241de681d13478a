"""Windows as TensorFlow lays them: strides, dilation and padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bnnsim.importers.keras.onnx_builder import OnnxBuilder
from bnnsim.importers.keras.unrolling import KerasLayer
from bnnsim.importers.onnx.operators.windows import same_border


def window(
    builder: OnnxBuilder,
    layer: KerasLayer,
    x: str,
    shape: tuple[int, ...],
    kernel: Sequence[int],
    stride: Any,
) -> tuple[str, dict[str, Any], tuple[int, int]]:
    """Padding as TensorFlow does it: the padded tensor, attributes, height and width behind.

    ``shape``: (channels, height, width) of ``x``; ``kernel``: rows, columns; ``stride`` where the layer
    names none. Raises :class:`InputError` on strides or dilations that are no sizes, and on a window that
    is larger than its map.
    """
    strides = pair(layer, layer.config.get("strides") or stride)
    dilations = pair(layer, layer.config.get("dilation_rate", 1))
    padding = layer.config.get("padding", "valid")
    same = padding == "same"
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    before = reach[0] - 1 if padding == "causal" else 0
    shape = (shape[0], shape[1] + before, shape[2])
    sizes = [
        -(-e // s) if same else (e - r) // s + 1
        for e, r, s in zip(shape[1:], reach, strides, strict=True)
    ]
    if min(sizes) < 1:
        got = f"one of {reach[0]} x {reach[1]}"
        raise layer.fault(f"a window within its map of {shape[1]} x {shape[2]}", got)
    attributes: dict[str, Any] = {"kernel_shape": list(kernel), "strides": list(strides)}
    if dilations != (1, 1):
        attributes["dilations"] = list(dilations)
    if before:
        attributes["pads"] = [before, 0, 0, 0]
    if same:
        front, behind = same_border(shape[1:], reach, strides)
        pads = [*front, *behind]
        value = float(layer.config.get("pad_values", 0.0))
        if value == 0.0 or not any(pads):
            attributes["pads"] = pads
        else:
            full = [0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]]
            border = builder.constant(layer, "pads", full, np.int64)
            x = builder.op(layer, "Pad", x, border, builder.constant(layer, "border", value))
    return x, attributes, (sizes[0], sizes[1])


def four_sides(layer: KerasLayer, value: Any) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of a border: from one number, two or two pairs.

    Raises :class:`InputError`.
    """
    parts = list(value) if isinstance(value, list | tuple) else [value, value]
    if is_of_samples(layer):
        parts = [parts, 0]
    sides = [list(one) if isinstance(one, list | tuple) else [one, one] for one in parts]
    flat = [side for one in sides for side in one]
    if len(sides) != 2 or len(flat) != 4 or not all(type(n) is int and n >= 0 for n in flat):
        raise layer.fault("padding of one number, two or two pairs, at least 0", value)
    return flat[0], flat[1], flat[2], flat[3]


def pair(layer: KerasLayer, value: Any) -> tuple[int, int]:
    """Rows and columns from one number or two; of a row of samples from one. Raises
    :class:`InputError`."""
    given = list(value) if isinstance(value, list | tuple) else [value]
    if is_of_samples(layer) and len(given) == 1:
        given = [given[0], 1]
    values = [int(v) for v in given] * (2 if len(given) == 1 else 1)
    if len(values) != 2 or min(values) < 1:
        raise layer.fault("one or two numbers of at least 1", value)
    return values[0], values[1]


def is_of_samples(layer: KerasLayer) -> bool:
    """Whether a layer slides along rows of samples ``(samples, channels)``, no maps."""
    return layer.kind.endswith("1D")
