"""What a Lambda's code computes, as an expression: read off its instructions, nothing is ever run.

Functions of one expression are read, without branches and without functions inside; what they do to
channels is a matter of :mod:`~bnnsim.importers.keras.lambdas.lowering`.
"""

from __future__ import annotations

import base64
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bnnsim.importers.keras.lambdas.instructions import Instruction, function_of
from bnnsim.importers.keras.lambdas.marshalled import Code, Unread, read_code

_ON_NUMBERS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv}
_LARGEST = 1 << 31
_MOST_ELEMENTS = 1 << 12
_NOTHING = object()
ADVICE = "convert the model to .tflite or ONNX, or write the layer with functions of TensorFlow"
TENSORFLOW = ("tf", "tensorflow")
"""Names under which functions call TensorFlow."""
_LARQ_ZOO = "larq_zoo.core.utils"
"""The module whose Lambdas call the function of TensorFlow that their closure names (``TFOpLayer``)."""


@dataclass(frozen=True)
class Given:
    """What the layer is called on: a tensor, or a list of them."""


@dataclass(frozen=True)
class Named:
    """A function of TensorFlow, or TensorFlow itself (no name)."""

    name: str


@dataclass(frozen=True)
class Item:
    """``of[key]``."""

    of: Any
    key: Any


@dataclass(frozen=True)
class Sum:
    left: Any
    right: Any


@dataclass(frozen=True)
class Called:
    """TensorFlow's ``function`` on positions and names."""

    function: str
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]


Expression = Any
"""One of the above; a tuple of expressions; or a number, text, None, Ellipsis, a slice."""


def expression_of(config: Mapping[str, Any]) -> Expression:
    """What the function of a Lambda with this configuration gives; None where that is not known.

    Its code stands there as Keras 2 (a list) or Keras 3 (a mapping) saves it: marshalled, in base64,
    with its defaults and the values of its free variables.
    """
    function, module = config.get("function"), config.get("module")
    if isinstance(function, dict):
        inner = function.get("config")
        told = inner if isinstance(inner, dict) else {}
        function = [told.get(key) for key in ("code", "defaults", "closure")]
    if not (isinstance(function, list) and len(function) == 3 and isinstance(function[0], str)):
        return None
    try:
        code = read_code(base64.b64decode(function[0]))
        return _Reading(code, function[1] or [], function[2] or [], module == _LARQ_ZOO).result()
    except (Unread, LookupError, ValueError, TypeError):
        return None


def expression_of_call(kind: str, options: Mapping[str, Any]) -> Expression:
    """What TensorFlow's ``split`` or ``pad`` or an index gives, called on a tensor with ``options``; None
    of other functions."""
    if kind in ("split", "compat.v1.pad"):
        name = kind.rpartition(".")[2]
        return Called(name, (Given(),), {key: _plain(value) for key, value in options.items()})
    if kind != "__operators__.getitem" or set(options) - {"slice_spec", "name"}:
        return None
    spec = options.get("slice_spec")
    return Item(Given(), tuple(_index(one) for one in (spec if isinstance(spec, list) else [spec])))


def _index(value: Any) -> Any:
    """A part of an index as Keras 2 writes it."""
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__ellipsis__":
        return Ellipsis
    return slice(*(value.get(key) for key in ("start", "stop", "step")))


def result_count(expression: Expression) -> int | None:
    """How many tensors an expression gives as a list; None where it is one tensor."""
    if isinstance(expression, tuple):
        return len(expression)
    if isinstance(expression, Called) and expression.function == "split":
        parts = argument(expression, 1, "num_or_size_splits")
        return len(parts) if isinstance(parts, tuple) else parts if _is_count(parts) else None
    return None


def argument(called: Called, position: int, name: str, default: Any = None) -> Any:
    """An argument of a call, by position or by name."""
    if position < len(called.arguments):
        return called.arguments[position]
    return called.options.get(name, default)


def _is_count(value: Any) -> bool:
    return type(value) is int and 1 <= value <= _MOST_ELEMENTS


class _Reading:
    """The stack of Python's machine with expressions on it."""

    def __init__(
        self, code: Code, defaults: Sequence[Any], closure: Sequence[Any], is_larq_zoo: bool
    ) -> None:
        self._code, self._function = code, function_of(code)
        self._free = [self._kept(one, is_larq_zoo) for one in closure]
        given = [_plain(one) for one in defaults]
        arguments = self._function.arguments
        if arguments != 1 + len(given):
            raise Unread("arguments that the layer does not give")
        if any(name in ("mask", "training") for name in code.locals[1:arguments]):
            raise Unread("arguments that Keras gives")
        self._locals = [Given(), *given]
        self._stack: list[Any] = []
        self._names: tuple[Any, ...] = ()

    def result(self) -> Expression:
        *body, last = self._function.instructions
        for instruction in body:
            self._step(instruction)
        if last.name != "return" or len(self._stack) != 1:
            raise Unread("no result")
        return self._stack.pop()

    @staticmethod
    def _kept(value: Any, is_larq_zoo: bool) -> Any:
        """A free variable's value; a function has left its name."""
        return Named(value) if is_larq_zoo and isinstance(value, str) else _plain(value)

    def _popped(self, count: int) -> list[Any]:
        if count > len(self._stack):
            raise Unread("a stack that is empty")
        start = len(self._stack) - count
        found = self._stack[start:]
        del self._stack[start:]
        return found

    def _step(self, instruction: Instruction) -> None:
        name, number, _ = instruction
        stack = self._stack
        if name in _ON_NUMBERS:
            stack.append(_combined(name, *self._popped(2)))
        elif name in ("constant", "local", "free"):
            stack.append(self._variable(name, number))
        elif name in ("global", "attribute"):
            self._load(instruction)
        elif name in ("tuple", "list"):
            stack.append(tuple(self._popped(number)))
        elif name == "slice" and number == 2:
            stack.append(slice(*self._popped(2)))
        elif name == "slice":
            stack.append(slice(*self._popped(3)))
        elif name == "item":
            stack.append(_item(*self._popped(2)))
        elif name == "nothing":
            stack.append(_NOTHING)
        elif name in ("extend", "joined tuple"):
            parts = self._popped(2 if name == "extend" else number)
            if not all(isinstance(one, tuple) for one in parts) or (name == "extend" and number != 1):
                raise Unread("what is no list")
            if sum(len(part) for part in parts) > _MOST_ELEMENTS:
                raise Unread("a long list")
            stack.append(tuple(one for part in parts for one in part))
        elif name == "map" and number == 0:
            stack.append({})
        elif name == "merge" and number == 1:
            first, second = self._popped(2)
            if len(second) > _MOST_ELEMENTS:
                raise Unread("many arguments")
            stack.append({**first, **second})
        elif name == "names of call":
            self._names = self._variable("constant", number)
        elif name in ("call", "call with names", "call of all"):
            stack.append(self._call(name, number))
        elif name != "as tuple":
            raise Unread(name)

    def _variable(self, kind: str, number: int) -> Any:
        values: Sequence[Any] = {
            "constant": self._code.constants, "local": self._locals, "free": self._free
        }[kind]  # fmt: skip
        at = number - self._function.first_free if kind == "free" else number
        if not 0 <= at < len(values):
            raise Unread("a variable that is not there")
        return values[at]

    def _load(self, instruction: Instruction) -> None:
        """A global, which can only be TensorFlow, or one of its functions."""
        name = self._code.names[instruction.argument]
        if instruction.name == "global" and name in TENSORFLOW:
            found = Named("")
        elif instruction.name == "attribute" and self._popped(1) == [Named("")]:
            found = Named(name)
        else:
            raise Unread(f"the name {name}")
        self._stack += [_NOTHING, found] if instruction.pushes_nothing else [found]

    def _call(self, kind: str, number: int) -> Called:
        options: dict[str, Any] = {}
        if kind == "call of all":
            positions, *more = self._popped(1 + (number & 1))
            options = more[0] if more else {}
        else:
            names, self._names = self._names, ()
            if kind == "call with names":
                (names,) = self._popped(1)
            given = self._popped(number)
            split = number - len(names)
            positions, options = tuple(given[:split]), dict(zip(names, given[split:], strict=True))
        beside = self._popped(1 + self._function.has_nothing)
        called = [one for one in beside if one is not _NOTHING]
        if len(called) != 1 or not isinstance(called[0], Named) or not isinstance(positions, tuple):
            raise Unread("a call of what is not TensorFlow's")
        return Called(called[0].name, positions, options)


def _plain(value: Any) -> Any:
    """A value that the file keeps beside the code."""
    if isinstance(value, list):
        return tuple(_plain(one) for one in value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value


def _combined(name: str, left: Any, right: Any) -> Any:
    if type(left) is int and type(right) is int and max(abs(left), abs(right)) < _LARGEST:
        if name == "//" and right == 0:
            raise Unread("a division by 0")
        return _ON_NUMBERS[name](left, right)
    if name != "+" or not all(isinstance(one, Given | Item | Called | Sum) for one in (left, right)):
        raise Unread(f"{name} on other values")
    return Sum(left, right)


def _item(of: Any, key: Any) -> Any:
    if isinstance(of, tuple) and type(key) is int:
        return of[key]
    if not isinstance(of, Given | Item | Called | Sum):
        raise Unread("an item of what is no tensor")
    return Item(of, key)
