"""A TensorFlow Lite file as a graph of steps on tensors as they lie there, channels last.

Operators as ``tensorflow/lite/schema/schema.fbs`` and Larq Compute Engine's kernels define them: a
packed bit of 1 is -1, a binary convolution counts unequal bits. Bits are kept as -1 and +1 here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bnnsim.reference.graph import Array, ReferenceGraph, Step
from bnnsim.reference.keras.layers import softmax
from bnnsim.reference.onnx_operators import refusing
from bnnsim.reference.windows import convolved, maxima, means, same_pads
from bnnsim.spec.faults import InputError

Run = Callable[[Sequence[Array]], Array]
_TYPES = {0: "<f4", 2: "<i4", 4: "<i8"}
_FUSED: dict[int, Callable[[Array], Array]] = {
    0: lambda x: x,
    1: lambda x: np.maximum(x, 0.0),
    2: lambda x: np.clip(x, -1.0, 1.0),
    3: lambda x: np.clip(x, 0.0, 6.0),
}
_KINDS = {
    "SOFTMAX": "softmax",
    "LOGISTIC": "sigmoid",
    "TANH": "tanh",
    "RESHAPE": "Reshape",
    "SQUEEZE": "Reshape",
    "LceDequantize": "Identity",
}
_KINDS |= dict.fromkeys(("MAX_POOL_2D", "AVERAGE_POOL_2D", "MEAN", "LceBMaxPool2d"), "pool")
_KINDS |= dict.fromkeys(("PAD", "PADV2"), "pad")
_ELEMENTWISE = (
    *("ADD", "SUB", "MUL", "DIV", "RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "PRELU", "LOGISTIC"),
    *("TANH", "LceQuantize"),
)


def read_tflite_model(path: str | Path) -> ReferenceGraph:
    """The model of a file; tensor number ``i`` is called ``t<i>``, what a convolution gives before its
    activation or threshold ``t<i>/sum``. Raises :class:`InputError`."""
    import tflite

    model = tflite.Model.GetRootAs(Path(path).read_bytes(), 0)
    graph = model.Subgraphs(0)
    constants: dict[str, Array] = {}
    shapes: dict[int, tuple[int, ...]] = {}
    for i in range(graph.TensorsLength()):
        tensor = graph.Tensors(i)
        shapes[i] = tuple(tensor.ShapeAsNumpy().tolist()) if tensor.ShapeLength() else ()
        data = model.Buffers(tensor.Buffer())
        if data.DataLength() and tensor.Type() in _TYPES:
            values = np.frombuffer(data.DataAsNumpy().tobytes(), _TYPES[tensor.Type()])
            constants[f"t{i}"] = values.reshape(shapes[i])
    constants = {k: v.astype(np.float64) if v.dtype.kind == "f" else v for k, v in constants.items()}
    steps: list[Step] = []
    for number in range(graph.OperatorsLength()):
        stored = graph.Operators(number)
        code = model.OperatorCodes(stored.OpcodeIndex())
        kind = (code.CustomCode() or b"").decode()
        if not kind:
            value = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            kind = next(k for k, v in vars(tflite.BuiltinOperator).items() if v == value)
        inputs = [f"t{i}" if i >= 0 else "" for i in stored.InputsAsNumpy().tolist()]
        out = int(stored.Outputs(0))
        place = f"{path}: operator {number}"
        if kind == "DEPTHWISE_CONV_2D" and constants[inputs[1]].shape[0] == 1:
            constants[inputs[1]] = constants[inputs[1]].transpose(3, 1, 2, 0)
        if kind in ("SPLIT", "SPLIT_V"):
            outputs = stored.OutputsAsNumpy().tolist()
            steps += _parts(inputs[kind == "SPLIT"], outputs, shapes, place)
            continue
        steps += _steps(kind, inputs, f"t{out}", _Options(stored, kind), shapes[out], place)
    return ReferenceGraph(
        str(path),
        f"t{graph.Inputs(0)}",
        shapes[graph.Inputs(0)][1:],
        tuple(f"t{i}" for i in graph.OutputsAsNumpy().tolist()),
        tuple(steps),
        constants,
        channels_last=True,
    )


class _Options:
    """An operator's options, whichever way they are stored."""

    def __init__(self, stored: Any, kind: str) -> None:
        self._values: dict[str, Any] = {}
        self._table: Any = None
        if kind.startswith("Lce"):
            from flatbuffers import flexbuffers

            if stored.CustomOptionsLength():
                self._values = flexbuffers.Loads(stored.CustomOptionsAsNumpy().tobytes())
        elif stored.BuiltinOptions() is not None:
            import tflite

            names = {v: k for k, v in vars(tflite.BuiltinOptions).items() if isinstance(v, int)}
            self._table = getattr(tflite, names[stored.BuiltinOptionsType()])()
            self._table.Init(stored.BuiltinOptions().Bytes, stored.BuiltinOptions().Pos)

    def get(self, custom: str, table: str, default: Any = 0) -> Any:
        if custom in self._values:
            return self._values[custom]
        return getattr(self._table, table)() if hasattr(self._table, table) else default

    @property
    def fused(self) -> Callable[[Array], Array]:
        return _FUSED[self.get("fused_activation_function", "FusedActivationFunction")]

    def pair(self, custom: str, table: str, default: int = 1) -> list[int]:
        return [
            int(self.get(custom.format(long), table.format(short), default))
            for long, short in (("height", "H"), ("width", "W"))
        ]


def _steps(
    kind: str, inputs: list[str], out: str, o: _Options, shape: tuple[int, ...], place: str
) -> list[Step]:
    def step(name: str, made_of: Sequence[str], part: str, run: Run, on_step: Any = None) -> Step:
        def both(given: Sequence[Array]) -> list[Array]:
            return [np.asarray(run(given))]

        is_elementwise = part in _ELEMENTWISE
        named = _KINDS.get(part, part)
        return Step(named, tuple(made_of), (name,), refusing(both), place, is_elementwise, on_step)

    if kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        sums = step(f"{out}/sum", [i for i in inputs if i], "conv", partial(_conv, o))
        return [sums, step(out, [f"{out}/sum"], "RELU", lambda g: o.fused(g[0]))]
    if kind == "FULLY_CONNECTED":
        sums = step(f"{out}/sum", [i for i in inputs if i], "dense", partial(_dense, shape))
        return [sums, step(out, [f"{out}/sum"], "RELU", lambda g: o.fused(g[0]))]
    if kind == "LceBconv2d":
        sums = step(f"{out}/sum", inputs[:2], "conv", partial(_binary_conv, o))
        if inputs[4]:
            limit = partial(_thresholded, int(o.get("channels_in", "")))
            on_step = None  # integers on both sides: no rounding excuses another bit
            return [sums, step(out, [f"{out}/sum", inputs[1], inputs[4]], "bits", limit, on_step)]
        real: Run = lambda g: o.fused(g[0]) * g[1] + g[2]  # noqa: E731
        return [sums, step(out, [f"{out}/sum", *inputs[2:4]], "RELU", real)]
    if kind == "LceQuantize":
        sign: Run = lambda g: np.where(g[0] >= 0, 1.0, -1.0)  # noqa: E731
        return [step(out, inputs, kind, sign, lambda g: np.asarray(g[0] == 0))]
    if kind not in _FUNCTIONS:
        raise InputError(place, "an operator whose meaning is known", kind)
    return [step(out, [i for i in inputs if i], kind, partial(_FUNCTIONS[kind], o, shape))]


def _parts(
    x: str, outputs: Sequence[int], shapes: Mapping[int, tuple[int, ...]], place: str
) -> list[Step]:
    """A split of the last dimension, each part as wide as the file says its tensor is."""
    ends = np.cumsum([shapes[one][-1] for one in outputs])

    def step(output: int, end: int) -> Step:
        def part(given: Sequence[Array]) -> list[Array]:
            return [given[0][..., end - shapes[output][-1] : end]]

        return Step("Slice", (x,), (f"t{output}",), refusing(part), place)

    return [step(output, int(end)) for output, end in zip(outputs, ends, strict=True)]


def _how(o: _Options, sizes: Sequence[int], kernel: Sequence[int]) -> dict[str, Any]:
    strides = o.pair("stride_{}", "Stride{}")
    dilations = o.pair("dilation_{}_factor", "Dilation{}Factor")
    is_same = o.get("padding", "Padding") == 0
    pads = same_pads(sizes, kernel, strides, dilations) if is_same else [0] * 4
    return {"strides": strides, "dilations": dilations, "pads": pads}


def _conv(o: _Options, given: Sequence[Array]) -> Array:
    x, weights = np.moveaxis(given[0], -1, 1), given[1].transpose(0, 3, 1, 2)
    how = _how(o, x.shape[2:], weights.shape[2:])
    groups = x.shape[1] // weights.shape[1]
    sums = np.moveaxis(convolved(x, weights, **how, groups=groups), 1, -1)
    return np.asarray(sums + given[2] if len(given) > 2 else sums)


def _binary_conv(o: _Options, given: Sequence[Array]) -> Array:
    x, words = np.moveaxis(given[0], -1, 1), given[1].astype(np.int64)
    channels = int(o.get("channels_in", ""))
    groups = -(-channels // 32) // words.shape[3]
    bits = [(words[..., c // 32] >> (c % 32)) & 1 for c in range(channels // groups)]
    weights = np.stack([1.0 - 2.0 * one for one in bits], axis=1)
    how = _how(o, x.shape[2:], words.shape[1:3])
    border = float(o.get("pad_values", ""))
    return np.moveaxis(convolved(x, weights, **how, groups=groups, border=border), 1, -1)


def _thresholded(channels: int, given: Sequence[Array]) -> Array:
    sums, words, limits = given
    groups = -(-channels // 32) // words.shape[3]
    products = words.shape[1] * words.shape[2] * (channels // groups)
    unequal = (products - sums) / 2
    return np.where(unequal > limits, -1.0, 1.0)


def _dense(shape: tuple[int, ...], given: Sequence[Array]) -> Array:
    features = given[0].reshape(len(given[0]), -1)
    sums = features @ given[1].T + (given[2] if len(given) > 2 else 0.0)
    return np.asarray(sums.reshape(len(sums), *shape[1:]))


def _pool(o: _Options, shape: tuple[int, ...], given: Sequence[Array], is_max: bool) -> Array:
    x = np.moveaxis(given[0], -1, 1)
    kernel = o.pair("filter_{}", "Filter{}", 0)
    if not all(kernel):
        kernel = [int(o.get("", "FilterHeight")), int(o.get("", "FilterWidth"))]
    how = _how(o, x.shape[2:], kernel) | {"dilations": [1, 1]}
    found = (maxima if is_max else means)(x, kernel, **how)
    return np.asarray(o.fused(np.moveaxis(found, 1, -1)))


def _padded(o: _Options, shape: tuple[int, ...], given: Sequence[Array]) -> Array:
    value = float(given[2].reshape(-1)[0]) if len(given) > 2 else 0.0
    return np.pad(given[0], [tuple(pair) for pair in given[1].tolist()], constant_values=value)


def _mean(o: _Options, shape: tuple[int, ...], given: Sequence[Array]) -> Array:
    axes = tuple(int(axis) for axis in given[1].reshape(-1))
    return np.asarray(given[0].mean(axis=axes, keepdims=bool(o.get("", "KeepDims"))))


def _gated(x: Array, other: Array) -> Array:
    """Features ``(n, channels)`` that multiply a map are a map of one pixel."""
    return x[:, None, None] if x.ndim == 2 and other.ndim == 4 else x



_FUNCTIONS: dict[str, Callable[[_Options, tuple[int, ...], Sequence[Array]], Array]] = {
    "ADD": lambda o, shape, g: o.fused(g[0] + g[1]),
    "SUB": lambda o, shape, g: o.fused(g[0] - g[1]),
    "MUL": lambda o, shape, g: o.fused(_gated(g[0], g[1]) * _gated(g[1], g[0])),
    "DIV": lambda o, shape, g: o.fused(g[0] / g[1]),
    "MAX_POOL_2D": partial(_pool, is_max=True),
    "LceBMaxPool2d": partial(_pool, is_max=True),
    "AVERAGE_POOL_2D": partial(_pool, is_max=False),
    "CONCATENATION": lambda o, shape, g: o.fused(np.concatenate(g, axis=o.get("", "Axis"))),
    "LEAKY_RELU": lambda o, shape, g: np.where(g[0] >= 0, g[0], float(o.get("", "Alpha")) * g[0]),
    "LOGISTIC": lambda o, shape, g: 1 / (1 + np.exp(-g[0])),
    "LceDequantize": lambda o, shape, g: g[0],
    "MEAN": _mean,
    "PAD": _padded,
    "PADV2": _padded,
    "PRELU": lambda o, shape, g: np.where(g[0] >= 0, g[0], g[1] * g[0]),
    "RELU": lambda o, shape, g: np.maximum(g[0], 0.0),
    "RELU6": lambda o, shape, g: np.clip(g[0], 0.0, 6.0),
    "RELU_N1_TO_1": lambda o, shape, g: np.clip(g[0], -1.0, 1.0),
    "RESHAPE": lambda o, shape, g: g[0].reshape(len(g[0]), *shape[1:]),
    "SOFTMAX": lambda o, shape, g: softmax(g[0]),
    "SQUEEZE": lambda o, shape, g: g[0].reshape(len(g[0]), *shape[1:]),
    "TANH": lambda o, shape, g: np.tanh(g[0]),
}
