"""Functions of TensorFlow and Keras 3 on a layer's output, channels last, from their documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bnnsim.reference.graph import Array
from bnnsim.reference.keras.file import Given, SavedLayer
from bnnsim.reference.keras.layers import Part, softmax
from bnnsim.reference.windows import maxima, means, same_pads

Function = Callable[..., Array]


def _pooled(is_max: bool) -> Function:
    def run(x: Array, ksize: Any, strides: Any, padding: str, **_: Any) -> Array:
        kernel, stride = (
            list(v)[-3:-1] if isinstance(v, list) and len(v) == 4 else list(v) * 2 if isinstance(v, list)
            and len(v) == 1 else list(v) if isinstance(v, list) else [v, v]
            for v in (ksize, strides)
        )  # fmt: skip
        first = np.moveaxis(x, -1, 1)
        pads = [0] * 4
        if padding.upper() == "SAME":
            pads = same_pads(first.shape[2:], kernel, stride, [1, 1])
        how: dict[str, Any] = {"strides": stride, "dilations": [1, 1], "pads": pads}
        return np.moveaxis((maxima if is_max else means)(first, kernel, **how), 1, -1)

    return run


def _over(reduce: Callable[..., Array]) -> Function:
    def run(x: Array, axis: Any = None, keepdims: bool = False, **_: Any) -> Array:
        axes = tuple(axis) if isinstance(axis, list) else axis
        return np.asarray(reduce(x, axis=axes, keepdims=bool(keepdims)))

    return run


def _clipped(x: Array, *bounds: Any, **named: Any) -> Array:
    low = bounds[0] if bounds else named.get("clip_value_min", named.get("x_min"))
    high = bounds[1] if len(bounds) > 1 else named.get("clip_value_max", named.get("x_max"))
    return np.clip(x, low, high)


def _joined(arrays: Sequence[Array], axis: int = 0, **_: Any) -> Array:
    return np.concatenate(list(arrays), axis=axis)


def _split(value: Array, num_or_size_splits: Any, axis: int = 0, **_: Any) -> Any:
    """Equal parts, or parts of these sizes."""
    sizes = num_or_size_splits
    return np.split(value, np.cumsum(sizes)[:-1] if isinstance(sizes, list) else sizes, axis=axis)


def _widened(tensor: Array, paddings: Any, **_: Any) -> Array:
    return np.pad(tensor, paddings)


def _indexed(tensor: Array, slice_spec: Any, **_: Any) -> Array:
    def index(one: Any) -> Any:
        if not isinstance(one, Mapping):
            return one
        return slice(one["start"], one["stop"], one["step"]) if "start" in one else ...

    spec = slice_spec if isinstance(slice_spec, list) else [slice_spec]
    return np.asarray(tensor[tuple(index(one) for one in spec)])


def _of_two(function: Function) -> Function:
    def run(*given: Any, **named: Any) -> Array:
        operands = [*given, *(named[key] for key in ("x", "x1", "y", "x2") if key in named)]
        return np.asarray(function(*(np.asarray(one, np.float64) for one in operands)))

    return run


def _of_one(function: Function) -> Function:
    def run(x: Array, *_: Any, **__: Any) -> Array:
        return np.asarray(function(x))

    return run


_BOTH: Mapping[tuple[str, ...], Function] = {
    ("math.add", "__operators__.add", "ops.Add"): _of_two(np.add),
    ("math.subtract", "ops.Subtract"): _of_two(np.subtract),
    ("math.multiply", "ops.Multiply"): _of_two(np.multiply),
    ("math.truediv", "math.divide", "ops.Divide", "ops.TrueDivide", "realdiv"): _of_two(np.divide),
    ("math.maximum", "ops.Maximum"): _of_two(np.maximum),
    ("math.minimum", "ops.Minimum"): _of_two(np.minimum),
    ("math.greater", "ops.Greater"): _of_two(np.greater),
    ("math.greater_equal", "ops.GreaterEqual"): _of_two(np.greater_equal),
    ("math.less", "ops.Less"): _of_two(np.less),
    ("math.less_equal", "ops.LessEqual"): _of_two(np.less_equal),
    ("math.negative", "ops.Negative"): _of_one(np.negative),
    ("math.sign", "sign", "ops.Sign"): _of_one(np.sign),
    ("nn.relu", "ops.Relu"): _of_one(lambda x: np.maximum(x, 0.0)),
    ("nn.relu6", "ops.Relu6"): _of_one(lambda x: np.clip(x, 0.0, 6.0)),
    ("nn.sigmoid", "math.sigmoid", "ops.Sigmoid"): _of_one(lambda x: 1 / (1 + np.exp(-x))),
    ("math.tanh", "nn.tanh", "ops.Tanh"): _of_one(np.tanh),
    ("nn.softmax", "ops.Softmax"): _of_one(softmax),
    ("identity", "stop_gradient", "ops.StopGradient", "ops.Identity"): _of_one(lambda x: x),
    ("cast", "ops.Cast"): _of_one(lambda x: x.astype(np.float64)),
    ("clip_by_value", "ops.Clip"): _clipped,
    ("concat", "ops.Concatenate"): _joined,
    ("split",): _split,
    ("compat.v1.pad",): _widened,
    ("__operators__.getitem",): _indexed,
    ("nn.max_pool2d", "nn.max_pool"): _pooled(True),
    ("nn.avg_pool2d", "nn.avg_pool"): _pooled(False),
    ("math.reduce_mean", "ops.Mean"): _over(np.mean),
    ("math.reduce_max", "ops.Max"): _over(np.max),
}
FUNCTIONS: Mapping[str, Function] = {name: f for names, f in _BOTH.items() for name in names}
_KINDS = {"nn.sigmoid": "sigmoid", "math.sigmoid": "sigmoid", "ops.Sigmoid": "sigmoid"}
_KINDS |= {"math.tanh": "tanh", "nn.tanh": "tanh", "ops.Tanh": "tanh"}
_KINDS |= {"nn.softmax": "softmax", "ops.Softmax": "softmax", "cast": "Cast", "ops.Cast": "Cast"}
_SIGNS = ("math.sign", "sign", "ops.Sign")
_POOLED = ("nn.max_pool2d", "nn.max_pool", "nn.avg_pool2d", "nn.avg_pool", "math.reduce_mean")
_PARTS = ("concat", "ops.Concatenate", "split", "compat.v1.pad", "__operators__.getitem")
_NOT_OF_ELEMENTS = (*_PARTS, "math.reduce_max", "ops.Mean", "ops.Max", *_POOLED)


def function_part(layer: SavedLayer) -> Part:
    """A call of a function as the only part of its layer."""
    function = FUNCTIONS[layer.kind]
    about = ("name", "function", "dtype", "trainable")
    settings = {key: value for key, value in layer.config.items() if key not in about}
    options = {**settings, **layer.options}

    def filled(value: Any, given: Sequence[Array]) -> Any:
        if isinstance(value, Given):
            return given[value.index]
        if isinstance(value, list):
            return [filled(one, given) for one in value]
        return value

    def run(given: Sequence[Array]) -> Array:
        positions = [filled(one, given) for one in layer.arguments]
        named = {key: filled(one, given) for key, one in options.items() if key != "name"}
        if "concat" in layer.kind.lower() and not isinstance(positions[0], list):
            positions = [list(given)]
        return function(*positions, **named)

    is_elementwise = layer.kind not in _NOT_OF_ELEMENTS and len(layer.inputs) == 1
    kind = "pool" if layer.kind in _POOLED else _KINDS.get(layer.kind, layer.kind)
    on_step = (lambda g: np.asarray(g[0] == 0)) if layer.kind in _SIGNS else None
    return Part("", kind, run, is_elementwise, on_step)
