"""What the steps of an ONNX model compute: the project's own functions for spatial operators and for
QONNX's, the onnx library's reference for everything else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bnnsim.reference import quantisers
from bnnsim.reference.graph import Array, Unrunnable
from bnnsim.reference.windows import convolved, maxima, means, same_pads, windows

Function = Callable[[Sequence[Array]], Sequence[Array]]
Attributes = Mapping[str, Any]


def _pads(attributes: Attributes, sizes: Sequence[int], kernel: Sequence[int]) -> list[int]:
    count = len(kernel)
    auto = str(attributes.get("auto_pad", "NOTSET"))
    strides = attributes.get("strides", [1] * count)
    dilations = attributes.get("dilations", [1] * count)
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        return same_pads(sizes, kernel, strides, dilations, auto == "SAME_UPPER")
    return [0] * 2 * count if auto == "VALID" else list(attributes.get("pads", [0] * 2 * count))


def conv(attributes: Attributes) -> Function:
    def run(given: Sequence[Array]) -> Sequence[Array]:
        x, weights = given[0], given[1]
        kernel = weights.shape[2:]
        ones = [1] * len(kernel)
        made = convolved(
            x,
            weights,
            attributes.get("strides", ones),
            attributes.get("dilations", ones),
            _pads(attributes, x.shape[2:], kernel),
            int(attributes.get("group", 1)),
        )
        if len(given) > 2 and given[2].size:
            made = made + given[2].reshape(1, -1, *ones)
        return [made]

    return run


def pool(attributes: Attributes, is_max: bool) -> Function:
    """MaxPool and AveragePool, with ceil_mode and count_include_pad."""

    def run(given: Sequence[Array]) -> Sequence[Array]:
        x = given[0]
        kernel = list(attributes["kernel_shape"])
        count = len(kernel)
        strides = list(attributes.get("strides", [1] * count))
        dilations = list(attributes.get("dilations", [1] * count))
        pads = _pads(attributes, x.shape[2:], kernel)
        inside = list(pads)
        if attributes.get("ceil_mode", 0):
            for i, size in enumerate(x.shape[2:]):
                free = size + pads[i] + pads[i + count] - (kernel[i] - 1) * dilations[i] - 1
                steps = math.ceil(free / strides[i])
                if steps * strides[i] >= size + pads[i]:  # no window begins behind the map
                    steps -= 1
                pads[i + count] += max(0, steps * strides[i] - free)
        if is_max:
            return [maxima(x, kernel, strides, dilations, pads)]
        if not attributes.get("count_include_pad", 0):
            return [means(x, kernel, strides, dilations, pads)]
        around = [(inside[i], inside[i + count]) for i in range(count)]
        ones = np.pad(
            np.ones((1, 1, *x.shape[2:])), [(0, 0), (0, 0), *around], constant_values=1.0
        )
        beyond = [0] * count + [pads[i + count] - inside[i + count] for i in range(count)]
        axes = tuple(range(-count, 0))
        counted = windows(ones, kernel, strides, dilations, beyond)
        total = windows(x, kernel, strides, dilations, pads).sum(axis=axes)
        return [total / counted.sum(axis=axes)]

    return run


def batch_norm(attributes: Attributes) -> Function:
    """Channels on axis 1."""
    epsilon = float(np.float32(attributes.get("epsilon", 1e-5)))

    def run(given: Sequence[Array]) -> Sequence[Array]:
        x = given[0]
        scale, bias, mean, variance = (one.reshape(-1, *[1] * (x.ndim - 2)) for one in given[1:5])
        return [scale * (x - mean) / np.sqrt(variance + epsilon) + bias]

    return run


def channels_last(function: Function, weights_too: bool) -> Function:
    """The same on data (and a convolution's weights) whose channels come last."""

    def run(given: Sequence[Array]) -> Sequence[Array]:
        turned = [
            np.moveaxis(one, -1, 1) if i == 0 or (weights_too and i == 1) else one
            for i, one in enumerate(given)
        ]
        return [np.moveaxis(made, 1, -1) for made in function(turned)]

    return run


def cast(attributes: Attributes) -> Function:
    """Reals stay in float64; integers and booleans become what the model says."""
    from onnx.helper import tensor_dtype_to_np_dtype

    dtype = np.dtype(tensor_dtype_to_np_dtype(int(attributes["to"])))
    return lambda given: [given[0].astype(np.float64 if dtype.kind == "f" else dtype)]


def quantize_linear(attributes: Attributes) -> Function:
    """Integers as reals, within the limits of the zero point's type (uint8 without one)."""
    from onnx.helper import tensor_dtype_to_np_dtype

    said, axis = int(attributes.get("output_dtype", 0)), int(attributes.get("axis", 1))

    def run(given: Sequence[Array]) -> Sequence[Array]:
        has_zero = len(given) > 2 and given[2].size > 0
        kind = np.dtype(tensor_dtype_to_np_dtype(said)) if said else np.dtype(np.uint8)
        name = str(given[2].dtype if has_zero else kind)
        bits = int(name.lstrip("uint"))
        low, high = (0, 2**bits - 1) if name[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        zero = given[2].astype(np.float64) if has_zero else np.zeros(())
        return [quantisers.quantize_linear(given[0], given[1], zero, axis, low, high)]

    return run


def dequantize_linear(attributes: Attributes) -> Function:
    axis = int(attributes.get("axis", 1))

    def run(given: Sequence[Array]) -> Sequence[Array]:
        zero = given[2] if len(given) > 2 else np.zeros(())
        return [quantisers.dequantize_linear(given[0], given[1], zero, axis)]

    return run


SPATIAL: Mapping[str, Callable[[Attributes], Function]] = {
    "AveragePool": lambda attributes: pool(attributes, False),
    "BatchNormalization": batch_norm,
    "Conv": conv,
    "MaxPool": lambda attributes: pool(attributes, True),
}


def qonnx_function(kind: str, attributes: Attributes) -> tuple[Function, Function | None] | None:
    """What QONNX's operator computes, and where its inputs lie exactly on one of its steps."""
    signed, narrow = bool(attributes.get("signed", 1)), bool(attributes.get("narrow", 0))
    mode = str(attributes.get("rounding_mode", "ROUND")).upper()
    if kind in ("Quant", "IntQuant"):
        return (
            lambda g: [quantisers.quant(g[0], g[1], g[2], g[3], signed, narrow, mode)],
            lambda g: [quantisers.is_on_quant_step(g[0], g[1], g[2], g[3], signed, mode)],
        )
    if kind == "BipolarQuant":
        return lambda g: [quantisers.bipolar_quant(g[0], g[1])], lambda g: [g[0] == 0]
    if kind == "Trunc":
        mode = str(attributes.get("rounding_mode", "FLOOR")).upper()

        def trunc(g: Sequence[Array]) -> Sequence[Array]:
            if len(g) == 5:
                return [quantisers.truncated(g[0], g[1], g[2], g[3], g[4], mode)]
            return [quantisers.truncated_to(g[0], g[1], g[2], g[4], g[5], signed, narrow, mode)]

        return trunc, None
    if kind == "MultiThreshold":
        scale = float(np.float32(attributes.get("out_scale", 1.0)))
        bias = float(np.float32(attributes.get("out_bias", 0.0)))
        layout = str(attributes.get("data_layout", ""))

        def axis(x: Array) -> int:
            return layout.index("C") if "C" in layout else 2 if x.ndim == 3 and not layout else 1

        return (
            lambda g: [quantisers.multi_threshold(g[0], g[1], axis(g[0]), scale, bias)],
            lambda g: [quantisers.is_on_threshold(g[0], g[1], axis(g[0]))],
        )
    if kind == "XnorPopcountMatMul":
        return lambda g: [quantisers.xnor_popcount(g[0], g[1])], None
    if kind == "MaxPoolNHWC":
        return channels_last(pool(attributes, True), False), None
    return None


def library_function(node: Any, opset: int) -> Function:
    """The onnx library's reference of a standard operator. Raises ``NotImplementedError``."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    names = list(dict.fromkeys(name for name in node.input if name))
    inputs = [onnx.helper.make_empty_tensor_value_info(name) for name in names]
    outputs = [onnx.helper.make_empty_tensor_value_info(name) for name in node.output if name]
    graph = onnx.helper.make_graph([node], "step", inputs, outputs)
    opsets = [onnx.helper.make_opsetid("", opset)]
    evaluator = ReferenceEvaluator(onnx.helper.make_model(graph, opset_imports=opsets))
    positions = [list(node.input).index(name) for name in names]

    def run(given: Sequence[Array]) -> Sequence[Array]:
        feeds = {name: given[i] for name, i in zip(names, positions, strict=True)}
        made = iter(evaluator.run(None, feeds))
        return [next(made) if name else np.zeros(0) for name in node.output]

    return run


def refusing(function: Function) -> Function:
    """``function`` with whatever it trips over as :class:`Unrunnable`."""

    def run(given: Sequence[Array]) -> Sequence[Array]:
        try:
            return function(given)
        except Unrunnable:
            raise
        except Exception as error:  # what numpy and onnx raise on shapes and types that do not fit
            lines = str(error).splitlines()
            raise Unrunnable(lines[0] if lines else type(error).__name__) from None

    return run
