"""Functions of TensorFlow and Keras 3 that were called on a layer's output, as ONNX operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnnsim.importers.foreign.settings import is_number, shown_value
from bnnsim.importers.keras.layers import Output, global_pool
from bnnsim.importers.keras.onnx_builder import OnnxBuilder
from bnnsim.importers.keras.understood import OPERATIONS
from bnnsim.importers.keras.unrolling import KerasLayer, Tensor
from bnnsim.importers.onnx.operators.windows import same_border

_ARITHMETIC = ("Add", "Sub", "Mul", "Div", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
_OF_ONE = ("Neg", "Sign", "Relu", "Sigmoid", "Tanh", "Identity")
_REALS = ("float32", "float64", "float")
_ORDER = {
    "Clip": (("clip_value_min", "x_min"), ("clip_value_max", "x_max")),
    "Cast": (("dtype",),),
    "Concat": (("axis",),),
    "MaxPool": (("ksize",), ("strides",), ("padding",)),
    "AveragePool": (("ksize",), ("strides",), ("padding",)),
    "ReduceMean": (("axis",), ("keepdims",)),
    "ReduceMax": (("axis",), ("keepdims",)),
    "Softmax": (("axis",),),
}
"""Arguments behind the tensor, by position: each with its names."""
_IGNORED = ("name", "x", "a", "value", "input", "tensor", "t", "features", "values", "input_tensor")


def called(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> Output:
    """What a function gives. Raises :class:`InputError` on arguments that are not understood."""
    kind = OPERATIONS[layer.kind]
    if kind in (*_ARITHMETIC, "Max", "Min"):
        return _arithmetic(c, layer, kind)
    if kind in ("Split", "Pad", "Slice"):
        raise layer.fault("a call on one tensor", ", ".join(given))
    tensors = [c.tensors[name] for name in given]
    shape = c.shapes[given[0]]
    options = _options(layer, kind)
    if kind == "Concat":
        _check_channels(layer, options.get("axis", 0), len(shape))
        shapes = [c.shapes[name] for name in given]
        if len({one[1:] for one in shapes}) > 1:
            raise layer.fault("inputs of one size", ", ".join(str(list(one)) for one in shapes))
        return c.op(layer, "Concat", *tensors, axis=1), (sum(s[0] for s in shapes), *shape[1:])
    if len(given) != 1:
        raise layer.fault("one tensor", ", ".join(given))
    x = tensors[0]
    if kind in ("MaxPool", "AveragePool"):
        return _pool(c, layer, x, shape, kind, options)
    if kind in ("ReduceMean", "ReduceMax"):
        return _reduced(c, layer, x, shape, kind, options)
    if kind == "Clip":
        low, high = (_number(layer, options.get(key[0], options.get(key[1]))) for key in _ORDER[kind])
        return c.limited(layer, x, low, high), shape
    if kind == "Relu6":
        return c.limited(layer, x, 0.0, 6.0), shape
    if kind == "Cast":
        if str(options.get("dtype")) not in _REALS:
            raise layer.fault(f"a cast to {' or '.join(_REALS)}", shown_value(options.get("dtype")))
        return c.op(layer, "Cast", x, to=1), shape
    if kind == "Softmax":
        _check_channels(layer, options.get("axis", -1), len(shape))
        return c.op(layer, "Softmax", x, axis=1), shape
    assert kind in _OF_ONE
    return c.op(layer, kind, x), shape


def _options(layer: KerasLayer, kind: str) -> dict[str, Any]:
    """The arguments beside tensors, by their names; of Keras 3 some stand in the configuration."""
    known = [name for names in _ORDER.get(kind, ()) for name in names]
    found = {key: layer.config[key] for key in known if key in layer.config}
    rest = [one for one in layer.arguments if not _holds_tensors(one)]
    found |= {names[0]: value for names, value in zip(_ORDER.get(kind, ()), rest, strict=False)}
    if len(rest) > len(_ORDER.get(kind, ())):
        raise layer.fault("a call with arguments that are understood", shown_value(rest[-1]))
    for key, value in layer.options.items():
        if _holds_tensors(value) or (key in _IGNORED and value is None):
            continue
        if key == "data_format" and value in (None, "NHWC", "NWC", "channels_last"):
            continue
        if key not in known:
            got = f"{key} = {shown_value(value)}"
            raise layer.fault("a call with arguments that are understood", got)
        found[key] = value
    return found


def _holds_tensors(value: Any) -> bool:
    if isinstance(value, list):
        return any(_holds_tensors(one) for one in value)
    return isinstance(value, Tensor)


def _arithmetic(c: OnnxBuilder, layer: KerasLayer, kind: str) -> Output:
    """Two operands; a constant is a number, or one of each channel (the last dimension)."""
    named = [layer.options[key] for key in ("x", "y", "x1", "x2") if key in layer.options]
    operands = [*layer.arguments, *named]
    others = [key for key, value in layer.options.items() if key not in ("x", "y", "x1", "x2", "name")]
    if len(operands) != 2 or others:
        got = ", ".join(others) or f"{len(operands)} operands"
        raise layer.fault("a call with two operands", got)
    shapes = [c.shapes[one.name] for one in operands if isinstance(one, Tensor)]
    shape = max(shapes, key=len)
    if any(one != shape for one in shapes):
        raise layer.fault("tensors of one shape", ", ".join(str(list(one)) for one in shapes))
    if kind in ("Max", "Min"):
        constants = [one for one in operands if not isinstance(one, Tensor)]
        bound = _number(layer, constants[0]) if constants else None
        if bound is None:
            raise layer.fault("a number as the other operand", "a tensor")
        x = next(c.tensors[one.name] for one in operands if isinstance(one, Tensor))
        return c.limited(layer, x, *((bound, None) if kind == "Max" else (None, bound))), shape
    names = [
        c.tensors[one.name] if isinstance(one, Tensor) else _constant(c, layer, one, shape)
        for one in operands
    ]
    return c.op(layer, kind, *names), shape


def _constant(c: OnnxBuilder, layer: KerasLayer, value: Any, shape: tuple[int, ...]) -> str:
    array = np.asarray(value, np.float32) if not isinstance(value, dict) else np.zeros(0)
    if array.size == 1:
        return c.constant(layer, "constant", array.reshape(()))
    if array.size != shape[0] or array.shape[-1] != shape[0]:
        expected = f"a number, or one of each of the {shape[0]} channels"
        raise layer.fault(expected, f"shape {list(array.shape)}")
    full = (1, shape[0]) if len(shape) == 1 else (1, shape[0], 1, 1)
    return c.constant(layer, "constant", array.reshape(full))


def _number(layer: KerasLayer, value: Any) -> float | None:
    if value is not None and not is_number(value):
        raise layer.fault("a number", shown_value(value))
    return None if value is None else float(value)


def _check_channels(layer: KerasLayer, axis: Any, rank: int) -> None:
    if axis not in (-1, rank):
        raise layer.fault("axis of the channels, which come last", shown_value(axis))


def _pool(
    c: OnnxBuilder, layer: KerasLayer, x: str, shape: tuple[int, ...], kind: str, options: dict[str, Any]
) -> Output:
    """As TensorFlow's function: without a border, or one of its own."""
    kernel, stride = (_pair(layer, options.get(key)) for key in ("ksize", "strides"))
    padding = str(options.get("padding")).upper()
    if len(shape) != 3 or padding not in ("VALID", "SAME"):
        raise layer.fault("a pool of a map, padding VALID or SAME", f"{padding} on {list(shape)}")
    attributes: dict[str, Any] = {"kernel_shape": kernel, "strides": stride}
    sizes = [(e - k) // s + 1 for e, k, s in zip(shape[1:], kernel, stride, strict=True)]
    if padding == "SAME":
        sizes = [-(-e // s) for e, s in zip(shape[1:], stride, strict=True)]
        front, behind = same_border(shape[1:], kernel, stride)
        attributes["pads"] = [*front, *behind]
    if min(sizes) < 1:
        raise layer.fault(f"a window within its map of {list(shape[1:])}", kernel)
    return c.op(layer, kind, x, **attributes), (shape[0], *sizes)


def _pair(layer: KerasLayer, value: Any) -> list[int]:
    given = list(value) if isinstance(value, list) else [value]
    given = given[1:3] if len(given) == 4 and given[0] == given[3] == 1 else given
    given = given * 2 if len(given) == 1 else given
    if len(given) != 2 or not all(type(n) is int and n > 0 for n in given):
        raise layer.fault("one or two numbers of at least 1", shown_value(value))
    return given


def _reduced(
    c: OnnxBuilder, layer: KerasLayer, x: str, shape: tuple[int, ...], kind: str, options: dict[str, Any]
) -> Output:
    """Over all rows and columns of a map."""
    axis = options.get("axis")
    given = [a for a in (axis if isinstance(axis, list) else [axis]) if type(a) is int]
    axes = sorted(a % (len(shape) + 1) for a in given)
    if len(shape) < 2 or axes != list(range(1, len(shape))):
        raise layer.fault("axes of rows and columns", shown_value(axis))
    whole = (*shape, 1)[:3]
    x = global_pool(c, layer, x, whole, kind == "ReduceMax")
    if options.get("keepdims"):
        return x, (shape[0], *[1] * (len(shape) - 1))
    return c.op(layer, "Flatten", x), shape[:1]
