"""A Lambda's expression as operators: channels sliced, parted, joined and widened, maps added."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnnsim.importers.keras.lambdas.expressions import ADVICE, Called, Given, Item, Sum
from bnnsim.importers.keras.layers import Output
from bnnsim.importers.keras.onnx_builder import OnnxBuilder
from bnnsim.importers.keras.unrolling import KerasLayer

_FUNCTIONS = {
    "concat": ("values", "axis", "name"),
    "pad": ("tensor", "paddings", "mode", "constant_values", "name"),
    "split": ("value", "num_or_size_splits", "axis", "num", "name"),
}
"""Functions of TensorFlow that are read, with their arguments."""


def lambda_outputs(c: OnnxBuilder, layer: KerasLayer, given: tuple[str, ...]) -> list[Output]:
    """What the layer gives, one tensor or several. Raises :class:`InputError`."""
    tensors = [(c.tensors[name], c.shapes[name]) for name in given]
    lowering = _Lowering(c, layer, tensors[0] if len(tensors) == 1 else tensors)
    found = lowering.value(layer.expression)
    results = found if isinstance(found, list) else [found]
    if len(results) != len(layer.outputs):
        raise layer.fault(f"code that gives {len(layer.outputs)} tensors", len(results))
    return [
        (c.append("Identity", [name], f"{output}/Identity{len(c.nodes)}"), shape)
        for output, (name, shape) in zip(layer.outputs, map(lowering.tensor, results), strict=True)
    ]


class _Lowering:
    """``given``: what the layer is called on, a tensor with its shape, or a list of them."""

    def __init__(self, c: OnnxBuilder, layer: KerasLayer, given: Output | list[Output]) -> None:
        self._c, self._layer, self._given = c, layer, given

    def value(self, expression: Any) -> Any:
        """A tensor with its shape, or a list of values."""
        if isinstance(expression, Given):
            return self._given
        if isinstance(expression, tuple):
            return [self.value(one) for one in expression]
        if isinstance(expression, Item):
            of = self.value(expression.of)
            return self._item(of, expression.key)
        if isinstance(expression, Sum):
            return self._sum(self.tensor_of(expression.left), self.tensor_of(expression.right))
        if isinstance(expression, Called):
            return self._called(expression)
        raise self._layer.fault("code that gives tensors", "a constant")

    def tensor_of(self, expression: Any) -> Output:
        return self.tensor(self.value(expression))

    def tensor(self, value: Any) -> Output:
        if not isinstance(value, tuple):
            raise self._layer.fault("a tensor", "a list of tensors")
        return value[0], value[1]

    def _op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        role = f"step/{len(self._c.nodes)}"
        return self._c.op(self._layer, kind, *inputs, role=role, **attributes)

    def _whole(self, *numbers: int) -> str:
        return self._c.constant(self._layer, "number", list(numbers), np.int64)

    def _item(self, of: Any, key: Any) -> Any:
        if isinstance(of, list):
            if type(key) is not int or not -len(of) <= key < len(of):
                raise self._layer.fault(f"one of {len(of)} tensors", "another")
            return of[key]
        x, shape = self.tensor(of)
        *front, last = key if isinstance(key, tuple) else (key,)
        is_whole = front == [Ellipsis] or front == [slice(None)] * len(shape)
        if not is_whole or not _is_range(last):
            expected = "channels a:b, which come last, of whole maps"
            raise self._layer.fault(expected, "another part of a tensor")
        start, stop, step = last.indices(shape[0])
        if step != 1 or start >= stop:
            got = f"{last.start}:{last.stop}:{last.step}".replace("None", "")
            raise self._layer.fault(f"some of {shape[0]} channels, one after the other", got)
        return self._slice(x, shape, start, stop)

    def _slice(self, x: str, shape: tuple[int, ...], start: int, stop: int) -> Output:
        ends = [self._whole(start), self._whole(stop), self._whole(1)]
        return self._op("Slice", x, *ends), (stop - start, *shape[1:])

    def _sum(self, left: Output, right: Output) -> Output:
        if left[1] != right[1]:
            raise self._layer.fault("tensors of one shape", f"{list(left[1])}, {list(right[1])}")
        return self._op("Add", left[0], right[0]), left[1]

    def _called(self, called: Called) -> Any:
        names = _FUNCTIONS.get(called.function)
        if names is None:
            known = ", ".join(f"tf.{name}" for name in _FUNCTIONS)
            expected = f"a Lambda of functions that are read ({known})"
            raise self._layer.fault(expected, f"tf.{called.function}: {ADVICE}")
        options = {k: v for k, v in called.options.items() if v is not None}
        options |= dict(zip(names, called.arguments, strict=False))
        if options.get("constant_values") == 0:
            del options["constant_values"]
        if len(called.arguments) > len(names) or not set(options) <= {*names[:3], "name"}:
            expected = f"tf.{called.function} of {', '.join(names[:3])}"
            raise self._layer.fault(expected, "other arguments")
        if called.function == "pad":
            return self._pad(self.tensor_of(options.get("tensor")), options)
        if called.function == "split":
            return self._split(self.tensor_of(options.get("value")), options)
        return self._concat(self.value(options.get("values")), options)

    def _check_axis(self, axis: Any, shape: tuple[int, ...]) -> None:
        if type(axis) is not int or axis not in (-1, len(shape)):
            got = axis if type(axis) is int else "another"
            raise self._layer.fault("axis of the channels, which come last", got)

    def _concat(self, values: Any, options: dict[str, Any]) -> Output:
        parts = [self.tensor(one) for one in values] if isinstance(values, list) else []
        if not parts or len({shape[1:] for _, shape in parts}) > 1:
            raise self._layer.fault("tensors of one size", len(parts))
        self._check_axis(options.get("axis"), parts[0][1])
        x = self._op("Concat", *(name for name, _ in parts), axis=1)
        return x, (sum(shape[0] for _, shape in parts), *parts[0][1][1:])

    def _split(self, given: Output, options: dict[str, Any]) -> list[Output]:
        x, shape = given
        self._check_axis(options.get("axis", 0), shape)
        said = options["num_or_size_splits"]
        if type(said) is int and said > 0 and shape[0] % said == 0:
            said = (shape[0] // said,) * said
        sizes = list(said) if isinstance(said, tuple) else []
        if not sizes or any(type(n) is not int or n < 1 for n in sizes) or sum(sizes) != shape[0]:
            raise self._layer.fault(f"parts of {shape[0]} channels", "parts of others")
        ends = np.cumsum(sizes).tolist()
        return [self._slice(x, shape, e - n, e) for e, n in zip(ends, sizes, strict=True)]

    def _pad(self, given: Output, options: dict[str, Any]) -> Output:
        x, shape = given
        pads = options.get("paddings")
        pairs = list(pads) if isinstance(pads, tuple) else []
        is_plain = len(pairs) == len(shape) + 1 and all(_is_pair(one) for one in pairs)
        is_plain = is_plain and not any(n for pair in pairs[:-1] for n in pair)
        if not is_plain or options.get("mode", "CONSTANT") != "CONSTANT":
            raise self._layer.fault("zeros in front of channels and behind them", "another border")
        front, behind = pairs[-1]
        rest = [0, 0] if len(shape) > 1 else []  # samples are a map of one column
        widths = self._whole(0, front, *rest, 0, behind, *rest)
        zero = self._c.constant(self._layer, "zero", 0.0)
        return self._op("Pad", x, widths, zero), (front + shape[0] + behind, *shape[1:])


def _is_range(value: Any) -> bool:
    """Whether it is a slice between whole numbers, or from or to the end."""
    ends = (value.start, value.stop, value.step) if isinstance(value, slice) else ("",)
    return all(one is None or type(one) is int for one in ends)


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(type(n) is int and 0 <= n < 1 << 20 for n in value)
    )
