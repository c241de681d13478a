"""The faults: what an importer may get wrong, one by one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from bnnsim.importers.keras import file as keras_file
from bnnsim.importers.onnx import lowering, network
from bnnsim.importers.onnx.operators import elementwise, frame_input, qonnx, quantise
from tests.mutations.planting import (
    Fault,
    Plant,
    array,
    attribute,
    constant,
    dropped,
    function,
    layer,
    output,
    reads_that_of,
    renamed,
    rewired,
)


def _rolled(axis: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: np.roll(values, 1, axis=axis)


def _one_row_flipped(values: np.ndarray) -> np.ndarray:
    wrong = values.copy()
    wrong[1] = 1 - wrong[1]
    return wrong


def _one_bit_flipped(values: np.ndarray) -> np.ndarray:
    wrong = values.copy()
    wrong[0].flat[0] = 1 - wrong[0].flat[0]
    return wrong


def _flattened_wrongly(values: np.ndarray) -> np.ndarray:
    """Columns of features that lay channel, row, column, as if they lay row, column, channel."""
    rows = values.reshape(len(values), 5, 2, 3).transpose(0, 2, 3, 1)
    return rows.reshape(values.shape)


def _flattened_channels_first(values: np.ndarray) -> np.ndarray:
    """Rows of features that lie row, column, channel, as if they lay channel, row, column."""
    maps = values.reshape(6, 2, 4, values.shape[1]).transpose(1, 2, 0, 3)
    return maps.reshape(values.shape)


GRAPH: dict[str, tuple[str, Plant]] = {
    "pads at the end instead of around": ("conv", attribute("Conv", 0, pads=[0, 0, 2, 2])),
    "pads of a stride 2 as TensorFlow's same": ("conv", attribute("Conv", 1, pads=[0, 0, 1, 1])),
    "padding left out": ("conv", attribute("Conv", 1, pads=[0, 0, 0, 0])),
    "stride 1 for 2": ("conv", attribute("Conv", 1, strides=[1, 1])),
    "dilation 2 for 1, padded to fit": (
        "conv", attribute("Conv", 2, dilations=[2, 2], pads=[2, 2, 2, 2])),
    "epsilon 1 for 1e-5": ("conv", attribute("BatchNormalization", 0, epsilon=1.0)),
    "epsilon 0.1 for 1e-5, in front of the scores": (
        "pool", attribute("BatchNormalization", 2, epsilon=1e-1)),
    "batch norm dropped": ("conv", dropped("BatchNormalization", 1)),
    "batch norm in front of a pool dropped": ("pool", dropped("BatchNormalization", 0)),
    "gains of a batch norm without their sign": (
        "conv", constant("BatchNormalization", 1, 1, np.abs)),
    "gains of a batch norm taken as 1": (
        "conv", constant("BatchNormalization", 0, 1, np.ones_like)),
    "biases of a batch norm lost": ("conv", constant("BatchNormalization", 1, 2, np.zeros_like)),
    "means of a batch norm lost": ("pool", constant("BatchNormalization", 0, 3, np.zeros_like)),
    "variances taken as deviations": ("conv", constant("BatchNormalization", 0, 4, np.square)),
    "means of a batch norm one channel on": (
        "conv", constant("BatchNormalization", 1, 3, _rolled(0))),
    "kernels transposed, rows for columns": (
        "conv", constant("Conv", 0, 1, lambda w: w.transpose(0, 1, 3, 2))),
    "kernels turned by half": ("conv", constant("Conv", 1, 1, lambda w: w[:, :, ::-1, ::-1])),
    "input channels in reverse": ("conv", constant("Conv", 0, 1, lambda w: w[:, ::-1])),
    "output channels one on": ("conv", constant("Conv", 1, 1, _rolled(0))),
    "one row of weights with the other sign": (
        "pool", constant("MatMul", 0, 1, lambda w: np.where(np.arange(7) == 2, -w, w))),
    "scales of rows lost": ("conv", constant("Conv", 0, 1, np.sign)),
    "bias of the scores dropped": ("conv", constant("Gemm", 0, 2, np.zeros_like)),
    "weights of the scores transposed by features": (
        "conv", constant("Gemm", 0, 1, lambda w: w[::-1])),
    "input quantised with twice the scale": ("conv", constant("Quant", 0, 1, lambda s: 2 * s)),
    "input quantised to 7 bits for 8": ("conv", constant("Quant", 0, 3, lambda b: b - 1)),
    "pool of 1 x 1 for 2 x 2": (
        "pool", attribute("MaxPool", 0, kernel_shape=[1, 1])),
    "an addition in front of the input's sign lost": ("pool", dropped("Sub", 0)),
    "a level of FINN's thresholds lost": (
        "mlp", constant("MultiThreshold", 0, 1, lambda t: t[:, [0, 0, 2]])),
    "FINN's thresholds one channel on": ("mlp", constant("MultiThreshold", 0, 1, _rolled(0))),
    "offset of FINN's thresholds wrong": ("mlp", attribute("MultiThreshold", 0, out_bias=1.0)),
    "a PReLU dropped": ("shortcut", dropped("PRelu", 0)),
    "slopes of a PReLU one channel on": ("shortcut", constant("PRelu", 1, 1, _rolled(0))),
    "border of -1 read as +1": ("shortcut", constant("Pad", 0, 2, np.negative)),
    "border of +1 read as 0": ("shortcut", constant("Pad", 1, 2, np.zeros_like)),
    "a shortcut left out": ("shortcut", dropped("Add", 1)),
    "a shortcut from the wrong place": ("shortcut", rewired("Add", 1, lambda i: (i[0], i[0]))),
    "branches swapped in a concatenation": ("heads", rewired("Concat", 0, lambda i: i[::-1])),
    "a branch twice": ("heads", rewired("Concat", 0, lambda i: (i[0], i[0]))),
    "a branch reads the other's data": ("heads", reads_that_of("Conv", 4, 3)),
    "scale of a sum lost": ("heads", constant("Mul", 1, 1, np.ones_like)),
    "scale of the scores' products lost": ("mlp", constant("Mul", 0, 1, np.ones_like)),
    "offset of the scores lost": ("mlp", constant("Add", 1, 1, np.zeros_like)),
    "a Sign dropped": ("mlp", renamed("Sign", 0, "Identity")),
    "Larq's odd padding in front": (
        "keras", constant("Pad", 0, 1, lambda p: p[[0, 1, 6, 7, 4, 5, 2, 3]])),
    "Larq's kernels with the axes of a transposed convolution": (
        "keras", constant("Conv", 0, 1, lambda w: w[..., ::-1, :])),
    "features of a Larq layer in the order of channels first": (
        "keras", constant("Gemm", 0, 1, _flattened_channels_first)),
    "Larq's bias dropped": ("keras", constant("Gemm", 0, 2, np.zeros_like)),
}  # fmt: skip

RESULT: dict[str, tuple[str, Plant]] = {
    "thresholds one too high": ("conv", array("conv1.thresholds", lambda t: t + 1)),
    "one threshold one too low": (
        "conv", array("conv0.thresholds", lambda t: t - (np.arange(len(t)) == 3))),
    "thresholds one channel on": ("pool", array("conv1.thresholds", _rolled(0))),
    "one bit of the weights": ("pool", array("conv0.weights", _one_bit_flipped)),
    "one row of the weights": ("pool", array("fc0.weights", _one_row_flipped)),
    "features in the order of channels last": ("pool", array("fc0.weights", _flattened_wrongly)),
    "classes one on": ("pool", array("fc0.weights", _rolled(0))),
    "fixed-point scale one class on": ("pool", array("scale0.scale", _rolled(0))),
    "fixed-point bias lost": ("pool", array("scale0.bias", np.zeros_like)),
    "fixed-point scale with half the bits": (
        "conv", array("scale0.scale", lambda s: s >> 13 << 13)),
    "groups of input channels mixed": ("conv", array("conv2.weights", _rolled(1))),
    "zeros of a border read as -1": ("conv", layer("conv1", pad_value=-1)),
    "shift of a fixed-point product one less": ("conv", layer("scale0", shift_bits=9)),
    "branches swapped in front of a convolution": ("heads", layer("conv2", inputs=["conv1"])),
    "two outputs changed for each other": (
        "heads", output(0, layer="add0")),
    "gain of an output lost": ("heads", output(1, gain=Fraction(1))),
    "offset of an output lost": ("mlp", output(0, offset=Fraction(0))),
    "border of +1 of a Larq layer read as -1": ("keras", layer("conv1", pad_value=-1)),
    "odd padding on the other side": ("keras", layer("conv1", pad=[1, 1, 1, 0])),
}  # fmt: skip


def _weights_of_another(right: Callable[..., Any], *given: Any) -> Any:
    """Another layer's weights, where two layers of a class have the same shapes."""
    found = right(*given)
    first, second = (path for path, one in found.items() if "moving_mean" in one)
    found[first], found[second] = found[second], found[first]
    return found


def _above(right: Callable[..., Any], *given: Any) -> Any:
    """Thresholds one too high: a sum that reaches one exactly does not."""
    return right(*given) + 1


def _not_turned(right: Callable[..., Any], state: Any, base: str, steps: Any, falls: Any) -> Any:
    return base, right(state, base, steps, falls)[1]


def _below_zero(right: Callable[..., Any], binding: Any) -> Any:
    """A sign that is -1 on 0."""
    return right(elementwise.then(binding, [elementwise.Affine(offset=Fraction(-1, 1 << 20))]))


def _sign_is_plus(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(network.HANDLERS, ("", "Sign"), lambda s, o: elementwise.plus_sign(s.binding(o)))


FUNCTIONS: dict[str, tuple[str, Plant]] = {
    "a falling channel not turned round": ("conv", function(quantise, "negated", _not_turned)),
    "every threshold one too high": ("mlp", function(quantise, "_thresholds", _above)),
    "BipolarQuant read as -1 on 0": ("mlp", function(qonnx, "plus_sign", _below_zero)),
    "a plain Sign read as +1 on 0": ("mlp", _sign_is_plus),
    "pixels 0 to 255 for 0 to 1": (
        "pool", function(frame_input, "pixel_range", lambda right, state: (Fraction(0), Fraction(255)))),
    "only the first output kept": (
        "heads", function(lowering, "chosen_outputs", lambda right, *given: right(*given)[:1])),
    "another layer's weights from a Keras archive": (
        "keras", function(keras_file, "weights_by_count", _weights_of_another)),
}  # fmt: skip


FAULTS = [
    Fault(name, network, plant)
    for table in (GRAPH, RESULT, FUNCTIONS)
    for name, (network, plant) in table.items()
]
